//! Findings on imports.

use wasmport_artifact::{Import, ItemKind};

use super::artifact::effect;
use super::finding;
use crate::catalogue::{CUSTOM, Catalogue};
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};
use crate::needs::{Identity, Need, Opened};
use crate::policy::{Deny, Pattern, Policy, Rule, STD, is_std};

/// Everything that the policy has against the imports, in their order.
pub(super) fn findings(policy: &Policy, rule: Option<&Rule>, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for (_path, inspection) in facts.content.inspections() {
        let imports = &inspection.imports;
        let judge = Judge {
            policy,
            rule,
            opened: Opened::by(imports),
        };
        found.extend(imports.iter().flat_map(|import| judge.import(import)));
    }
    found
}

struct Judge<'a> {
    policy: &'a Policy,
    rule: Option<&'a Rule>,
    opened: Opened,
}

impl Judge<'_> {
    fn import(&self, import: &Import) -> Vec<Finding> {
        match import.kind {
            // A type has no function that could be called.
            ItemKind::Type => Vec::new(),
            ItemKind::Component | ItemKind::CoreModule | ItemKind::Value => {
                vec![unsupported(import)]
            }
            ItemKind::Instance | ItemKind::Func | ItemKind::Core => {
                let names = Identity::all_of(import);
                names
                    .iter()
                    .flat_map(|name| self.name(import, name))
                    .collect()
            }
        }
    }

    /// Judges one name of an import: every need has its own finding, but where the
    /// import is denied by its name one is enough.
    fn name(&self, import: &Import, name: &Identity) -> Vec<Finding> {
        let mut found = Vec::new();
        for need in name.needs(import, &self.opened) {
            if let Some((denied, rule)) = self.denied(name, &need) {
                let finding = import_denied(import, &need, denied, rule);
                if denied.term.is_by_name() {
                    let functions = import.functions.clone();
                    return vec![Finding {
                        functions,
                        ..finding
                    }];
                }
                found.push(finding);
            } else if let Some(rule) = self.rule {
                let mut allowed = rule.allow.terms.iter();
                if !allowed.any(|term| term.admits(name, &need)) {
                    found.push(self.not_allowed(import, name, &need, rule));
                }
            }
        }
        found
    }

    /// The entry that denies this, and its rule; what holds everywhere comes first.
    fn denied(&self, name: &Identity, need: &Need) -> Option<(&Deny, Option<&Rule>)> {
        let always = self.policy.always().iter().map(|deny| (deny, None));
        let own = self.rule.into_iter();
        let own = own.flat_map(|rule| rule.deny.iter().map(move |deny| (deny, Some(rule))));
        always
            .chain(own)
            .find(|(deny, _)| deny.term.denies(name, need))
    }

    fn not_allowed(&self, import: &Import, name: &Identity, need: &Need, rule: &Rule) -> Finding {
        let is_custom = need.capability == CUSTOM;
        let (code, message, origin, entry) = if is_custom {
            (
                Code::UnknownImport,
                format!(
                    "`{}` is not in the catalogue, and rule `{}` does not name it",
                    import.name, rule.id
                ),
                other_versions(name),
                Pattern::for_import(name),
            )
        } else {
            (
                Code::ImportNotAllowed,
                format!(
                    "`{}` asks for `{}`, which rule `{}` does not allow",
                    import.name, need.capability, rule.id
                ),
                origin(need),
                admitting(need).to_owned(),
            )
        };
        let place = if self.policy.is_preset() {
            "of a policy of your own".to_owned()
        } else {
            format!("of rule `{}`", rule.id)
        };
        let advice = format!("to admit it, add `\"{entry}\"` to `allow` {place}");
        let help = sentence([origin, Some(advice)]);
        Finding {
            rule: Some(rule.id.clone()),
            place: Some(rule.allow.place.clone()),
            allowed: rule.allow.texts.clone(),
            ..about(
                import,
                need,
                finding(code, effect(rule, Effect::Deny), message, help),
            )
        }
    }
}

fn import_denied(import: &Import, need: &Need, denied: &Deny, rule: Option<&Rule>) -> Finding {
    let by = match rule {
        Some(rule) => format!("rule `{}` denies", rule.id),
        None => "this policy denies everywhere".to_owned(),
    };
    let what = if denied.term.is_by_name() {
        format!("is `{}`", denied.text)
    } else {
        format!("asks for `{}`", need.capability)
    };
    let message = format!("`{}` {what}, which {by}", import.name);
    let instead = denied.use_instead.as_ref();
    let advice = instead.map_or_else(
        || "leave out the code that uses it".to_owned(),
        |instead| format!("use `{instead}` instead"),
    );
    let help = sentence([origin(need), Some(advice)]);
    let effect = rule.map_or(Effect::Deny, |rule| effect(rule, Effect::Deny));
    Finding {
        rule: rule.map(|rule| rule.id.clone()),
        place: Some(denied.place.clone()),
        reason: denied.reason.clone(),
        ..about(
            import,
            need,
            finding(Code::ImportDenied, effect, message, help),
        )
    }
}

fn about(import: &Import, need: &Need, finding: Finding) -> Finding {
    Finding {
        import: Some(import.name.clone()),
        functions: need.functions.clone(),
        capability: Some(need.capability.to_owned()),
        ..finding
    }
}

fn unsupported(import: &Import) -> Finding {
    let what = match import.kind {
        ItemKind::Component => "a component",
        ItemKind::CoreModule => "a core module",
        _ => "a value",
    };
    let message = format!(
        "`{}` is an import of {what}, and what comes with it nobody can say beforehand",
        import.name
    );
    let help = "put what it needs into it before it is pushed: `wac plug` or `wac compose`";
    Finding {
        import: Some(import.name.clone()),
        capability: Some(CUSTOM.to_owned()),
        ..finding(
            Code::UnsupportedImportKind,
            Effect::Deny,
            message,
            help.to_owned(),
        )
    }
}

/// The entry of an `allow` list that one would write for this.
fn admitting(need: &Need) -> &str {
    if is_std(need.capability) {
        STD
    } else {
        need.capability
    }
}

/// How a Rust program comes by this.
fn origin(need: &Need) -> Option<String> {
    if is_std(need.capability) {
        let text = "Rust's standard library imports it whether the program uses it or not";
        return Some(text.to_owned());
    }
    Catalogue::get().capability(need.capability)?.rust.clone()
}

/// The versions of this interface that the catalogue does know.
fn other_versions(name: &Identity) -> Option<String> {
    let Identity::Interface(name) = name else {
        return None;
    };
    let known = Catalogue::get().known_versions(name);
    (!known.is_empty()).then(|| {
        let known = known.join(" and ");
        format!("the catalogue knows the interface in the tracks of {known} only")
    })
}

fn sentence<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}
