//! Findings on what a version can do that the one before it could not.

use std::collections::BTreeSet;

use wasmport_artifact::{Import, ItemKind};

use super::imports::expires;
use super::ruling::{Judge, Ruling};
use super::{effect, finding};
use crate::catalogue::{CUSTOM, Catalogue};
use crate::finding::{Code, Effect, Finding};
use crate::needs::{Identity, Need, Opened};
use crate::policy::{Novelty, Pattern, Rule};

/// Capabilities that are new, each once. What is refused for itself is not named again, and
/// an exception that lets something pass lets it pass as new too.
pub(super) fn findings(rule: &Rule, judge: &Judge<'_>) -> Vec<Finding> {
    let (Some(novelty), Some(previous)) = (&rule.new_capabilities, &judge.facts.previous) else {
        return Vec::new();
    };
    let enforced = match novelty.value {
        Novelty::Allow => return Vec::new(),
        Novelty::Warn => Effect::Warn,
        Novelty::Hold => Effect::Hold,
        Novelty::Deny => Effect::Deny,
    };
    let before = match &previous.tag {
        Some(tag) => format!("`{tag}`"),
        None => format!("`{}`", previous.digest),
    };
    let mut known = names(&previous.imports);
    let mut found = Vec::new();
    for (path, inspection) in judge.facts.content.inspections() {
        for group in inspection.import_groups() {
            let opened = Opened::by(group);
            for (import, identity, need) in needs(group, &opened) {
                let name = name(&identity, &need);
                let ruling = judge.rule_on(import, &identity, &need);
                let is_admitted = matches!(ruling, Ruling::Allowed(_) | Ruling::Unruled);
                if !is_admitted || known.contains(&name) {
                    continue;
                }
                // An exception may be for this import alone, so that the name stays new.
                if let Some(exception) = judge.excepted(import, &identity, &need) {
                    found.extend(expires(judge, import, &need, exception));
                    continue;
                }
                known.insert(name.clone());
                let own = is_new(import, &need, name, &before);
                found.push(Finding {
                    rule: Some(rule.id.clone()),
                    place: Some(novelty.place.clone()),
                    path: path.filter(|path| !path.is_empty()).map(str::to_owned),
                    effect: effect(rule, enforced),
                    ..own
                });
            }
        }
    }
    found
}

fn is_new(import: &Import, need: &Need, name: String, before: &str) -> Finding {
    let message = format!(
        "`{}` asks for `{name}`, which {before} did not",
        import.name
    );
    let help = "look at why it needs this now; to let it pass, allow it in an `[[exception]]` \
                for this digest";
    Finding {
        import: Some(import.name.clone()),
        functions: need.functions.clone(),
        capability: Some(need.capability.to_owned()),
        entry: Some(name),
        ..finding(Code::NewCapability, Effect::Warn, message, help.to_owned())
    }
}

/// What imports ask for, and what comes with it.
fn names(imports: &[Import]) -> BTreeSet<String> {
    let opened = Opened::by(imports);
    let mut names = BTreeSet::new();
    for (_, identity, need) in needs(imports, &opened) {
        names.insert(name(&identity, &need));
        let capability = Catalogue::get().capability(need.capability);
        let included = capability.iter().flat_map(|it| &it.includes);
        names.extend(included.cloned());
    }
    names
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

/// The capability; of what the catalogue does not know, the import in its track.
fn name(identity: &Identity, need: &Need) -> String {
    if need.capability == CUSTOM {
        Pattern::for_import(identity)
    } else {
        need.capability.to_owned()
    }
}
