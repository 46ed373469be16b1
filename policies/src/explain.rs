//! Why a policy decides as it does: for each import the entry that admits or refuses it.

use jiff::civil::Date;
use serde::Serialize;
use wasmport_artifact::{Import, ItemKind};

use crate::decide::{Judge, Ruling, unknown_code};
use crate::facts::Facts;
use crate::finding::Place;
use crate::needs::{Identity, Need, Opened, groups};
use crate::policy::{Mode, Policy};

/// The rule that decides on an artifact, and what is said of each of its imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The id of the rule that is for the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where that rule is; without one, where the policy says what is done then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// True when the rule only watches.
    pub is_audit: bool,
    /// What is said of the imports, in their order; several of one that has several needs.
    pub imports: Vec<ExplainedImport>,
    /// Exported code of which it cannot be known what it would import, which no policy admits.
    /// What is known of exported code is among the imports.
    pub exports: Vec<ExplainedExport>,
}

/// What is said of one import, for one of the capabilities that it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedImport {
    /// The file inside a layer that imports it, where the Wasm was found in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The import, with its version.
    pub import: String,
    /// The capability that it asks for.
    pub capability: String,
    /// The functions that ask for it.
    pub functions: Vec<String>,
    /// What is done.
    pub outcome: Outcome,
    /// The entry that says so, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Where it is written; of what no entry allows, where one would have to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The policy's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An export that no policy admits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedExport {
    /// The file inside a layer that exports it, where the Wasm was found in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The export, by its name.
    pub export: String,
    /// What is exported.
    pub kind: ItemKind,
    /// What is done: always [`Outcome::Unsupported`].
    pub outcome: Outcome,
}

/// What a policy does with an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// An entry of the rule allows it.
    Allowed,
    /// An exception allows it.
    Excepted,
    /// No rule is for the repository, and the policy takes what no rule is for.
    AllowedByDefault,
    /// An entry denies it.
    Denied,
    /// Nothing allows it.
    NotAllowed,
    /// An import of a component, a core module or a value, or an export of code of which nothing
    /// is known, which no policy admits.
    Unsupported,
}

/// What [`decide`](crate::decide) finds on imports and exports, with what it has nothing against.
pub fn explain(policy: &Policy, facts: &Facts, today: Date) -> Explanation {
    let rule = policy.rule(&facts.repository);
    let judge = Judge::new(policy, rule, facts, today);
    let mut imports = Vec::new();
    for (path, inspection) in facts.content.inspections() {
        let opened = Opened::of(inspection);
        for group in groups(inspection) {
            for import in group {
                let own = on_import(&judge, import, &opened).into_iter();
                imports.extend(own.map(|explained| ExplainedImport {
                    path: path.map(str::to_owned),
                    ..explained
                }));
            }
        }
    }
    let exports = unknown_code(facts).map(|(path, export)| ExplainedExport {
        path: path.map(str::to_owned),
        export: export.name.clone(),
        kind: export.kind,
        outcome: Outcome::Unsupported,
    });
    Explanation {
        exports: exports.collect(),
        rule: rule.map(|rule| rule.id.clone()),
        place: match rule {
            Some(rule) => Some(rule.place.clone()),
            None => policy.default().1.cloned(),
        },
        is_audit: rule.is_some_and(|rule| rule.mode == Mode::Audit),
        imports,
    }
}

fn on_import(judge: &Judge<'_>, import: &Import, opened: &Opened) -> Vec<ExplainedImport> {
    match import.kind {
        ItemKind::Type => Vec::new(),
        ItemKind::Component | ItemKind::CoreModule | ItemKind::Value => {
            let need = Need::custom(import);
            vec![explained(import, &need, Outcome::Unsupported)]
        }
        ItemKind::Instance | ItemKind::Func | ItemKind::Core => {
            let names = Identity::all_of(import).into_iter();
            let needs = names.flat_map(|name| {
                let needs = name.needs(import, opened).into_iter();
                needs.map(move |need| (name.clone(), need))
            });
            needs
                .map(|(name, need)| ruled(judge.rule_on(import, &name, &need), import, &need))
                .collect()
        }
    }
}

fn ruled(ruling: Ruling<'_>, import: &Import, need: &Need) -> ExplainedImport {
    let plain = |outcome| explained(import, need, outcome);
    match ruling {
        Ruling::Allowed(by) => ExplainedImport {
            entry: Some(by.text.clone()),
            place: Some(by.place.clone()),
            ..plain(Outcome::Allowed)
        },
        Ruling::Excepted(exception, by) => ExplainedImport {
            entry: Some(by.text.clone()),
            place: Some(by.place.clone()),
            reason: Some(exception.reason.clone()),
            ..plain(Outcome::Excepted)
        },
        Ruling::Denied { by, functions, .. } => ExplainedImport {
            entry: Some(by.text.clone()),
            place: Some(by.place.clone()),
            reason: by.reason.clone(),
            functions,
            ..plain(Outcome::Denied)
        },
        Ruling::NotAllowed(rule) => ExplainedImport {
            place: Some(rule.allow.place.clone()),
            ..plain(Outcome::NotAllowed)
        },
        Ruling::Unruled => plain(Outcome::AllowedByDefault),
        Ruling::NoRule => plain(Outcome::NotAllowed),
    }
}

fn explained(import: &Import, need: &Need, outcome: Outcome) -> ExplainedImport {
    ExplainedImport {
        path: None,
        import: import.name.clone(),
        capability: need.capability.to_owned(),
        functions: need.functions.clone(),
        outcome,
        entry: None,
        place: None,
        reason: None,
    }
}
