//! Findings on what a version can do that the one before it could not.

use std::collections::{BTreeMap, BTreeSet};

use wasmport_artifact::{Import, ItemKind};

use super::imports::expires;
use super::ruling::{Judge, Ruling};
use super::{effect, finding};
use crate::catalogue::{CUSTOM, Catalogue};
use crate::decision::Gathered;
use crate::finding::{Code, Effect, Finding};
use crate::needs::{Identity, Need, Opened, groups};
use crate::policy::{Novelty, Pattern, Rule};

/// Capabilities that are new, each once. What is refused for itself is not named again, and
/// an exception that lets something pass lets it pass as new too.
pub(super) fn findings(rule: &Rule, judge: &Judge<'_>, found: &mut Gathered) {
    let (Some(novelty), Some(previous)) = (&rule.new_capabilities, &judge.facts.previous) else {
        return;
    };
    let enforced = match novelty.value {
        Novelty::Allow => return,
        Novelty::Warn => Effect::Warn,
        Novelty::Hold => Effect::Hold,
        Novelty::Deny => Effect::Deny,
    };
    let before = match &previous.tag {
        Some(tag) => format!("`{tag}`"),
        None => format!("`{}`", previous.digest),
    };
    let mut known = Known::of(&previous.imports);
    for (path, inspection) in judge.facts.content.inspections() {
        let opened = Opened::of(inspection);
        for group in groups(inspection) {
            for (import, identity, need) in needs(group, &opened) {
                let ruling = judge.rule_on(import, &identity, &need);
                let is_admitted = matches!(ruling, Ruling::Allowed(_) | Ruling::Unruled);
                let new = is_admitted.then(|| known.novelty(import, &identity, &need));
                let Some((name, functions)) = new.flatten() else {
                    continue;
                };
                // An exception may be for this import alone, so that the name stays new.
                if let Some(exception) = judge.excepted(import, &identity, &need) {
                    found.extend(expires(judge, import, &need, exception));
                    continue;
                }
                known.add(import, &identity, &need);
                let own = is_new(import, &need, name, &before);
                found.push(Finding {
                    functions,
                    rule: Some(rule.id.clone()),
                    place: Some(novelty.place.clone()),
                    path: path.filter(|path| !path.is_empty()).map(str::to_owned),
                    effect: effect(rule, enforced),
                    ..own
                });
            }
        }
    }
}

fn is_new(import: &Import, need: &Need, name: String, before: &str) -> Finding {
    let what = if need.is_unlisted {
        "has functions that are not in the catalogue, which"
    } else {
        &format!("asks for `{name}`, which")
    };
    let message = format!("`{}` {what} {before} did not", import.name);
    let help = "look at why it needs this now; to let it pass, allow it in an `[[exception]]` \
                for this digest";
    Finding {
        import: Some(import.name.clone()),
        capability: Some(need.capability.to_owned()),
        entry: Some(name),
        ..finding(Code::NewCapability, Effect::Warn, message, help.to_owned())
    }
}

/// What was asked for before.
#[derive(Default)]
struct Known {
    /// Capabilities, and what comes with them.
    capabilities: BTreeSet<String>,
    /// Of what the catalogue does not know the functions, by the import in its track: nothing
    /// says that one is as harmless as another. None when they are not all known.
    custom: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Known {
    fn of(imports: &[Import]) -> Self {
        let opened = Opened::by(imports);
        let mut known = Self::default();
        for (import, identity, need) in needs(imports, &opened) {
            known.add(import, &identity, &need);
        }
        known
    }

    fn add(&mut self, import: &Import, identity: &Identity, need: &Need) {
        if need.capability != CUSTOM {
            self.capabilities.insert(need.capability.to_owned());
            let capability = Catalogue::get().capability(need.capability);
            let included = capability.iter().flat_map(|it| &it.includes);
            self.capabilities.extend(included.cloned());
            return;
        }
        let name = Pattern::for_import(identity);
        let functions = self
            .custom
            .entry(name)
            .or_insert_with(|| Some(BTreeSet::new()));
        if import.opaque {
            *functions = None;
        } else if let Some(functions) = functions {
            functions.extend(need.functions.iter().cloned());
        }
    }

    /// The capability, or of what the catalogue does not know the import in its track, and the
    /// functions: where any is new.
    fn novelty(
        &self,
        import: &Import,
        identity: &Identity,
        need: &Need,
    ) -> Option<(String, Vec<String>)> {
        if need.capability != CUSTOM {
            let is_known = self.capabilities.contains(need.capability);
            return (!is_known).then(|| (need.capability.to_owned(), need.functions.clone()));
        }
        let name = Pattern::for_import(identity);
        let known = match self.custom.get(&name) {
            None => return Some((name, need.functions.clone())),
            Some(None) => return None,
            Some(Some(known)) => known,
        };
        let functions = need.functions.iter();
        let new = functions.filter(|function| !known.contains(*function));
        let new: Vec<String> = new.cloned().collect();
        (import.opaque || !new.is_empty()).then_some((name, new))
    }
}

fn needs<'a>(
    imports: &'a [Import],
    opened: &'a Opened,
) -> impl Iterator<Item = (&'a Import, Identity, Need)> {
    let callable = imports.iter().filter(|import| {
        matches!(
            import.kind,
            ItemKind::Instance | ItemKind::Func | ItemKind::Core
        )
    });
    callable.flat_map(move |import| {
        let names = Identity::all_of(import).into_iter();
        names.flat_map(move |identity| {
            let needs = identity.needs(import, opened).into_iter();
            let needs: Vec<_> = needs.map(|need| (import, identity.clone(), need)).collect();
            needs
        })
    })
}
