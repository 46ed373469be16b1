//! Findings on imports.

use wasmport_artifact::{Import, ItemKind};

use super::ruling::{Judge, Ruling};
use super::unknown::{self, Unknown};
use super::{effect, finding};
use crate::catalogue::{CUSTOM, Catalogue};
use crate::decision::Gathered;
use crate::finding::{Code, Effect, Finding};
use crate::needs::{Identity, Need, Opened, groups};
use crate::policy::{Deny, Exception, Rule, STD, is_std};
use crate::smallest::written;

/// Everything that the policy has against the imports, in their order.
pub(super) fn findings(judge: &Judge<'_>, found: &mut Gathered) {
    for (path, inspection) in judge.facts.content.inspections() {
        // Code that is exported can be instantiated, and then asks for its own imports.
        let opened = Opened::of(inspection);
        for imports in groups(inspection) {
            for import in imports {
                let own = on_import(judge, import, &opened).into_iter();
                found.extend(own.map(|finding| Finding {
                    path: path.filter(|path| !path.is_empty()).map(str::to_owned),
                    ..finding
                }));
            }
        }
    }
}

fn on_import(judge: &Judge<'_>, import: &Import, opened: &Opened) -> Vec<Finding> {
    match import.kind {
        // A type has no function that could be called.
        ItemKind::Type => Vec::new(),
        ItemKind::Component | ItemKind::CoreModule | ItemKind::Value => vec![unsupported(import)],
        ItemKind::Instance | ItemKind::Func | ItemKind::Core => {
            let names = Identity::all_of(import);
            let names = names.iter();
            names
                .flat_map(|name| on_name(judge, import, name, opened))
                .collect()
        }
    }
}

/// Judges one name of an import: every need has its own finding, but where the import is
/// denied by its name one is enough.
fn on_name(judge: &Judge<'_>, import: &Import, name: &Identity, opened: &Opened) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut denied_by: Vec<&Deny> = Vec::new();
    for need in name.needs(import, opened) {
        match judge.rule_on(import, name, &need) {
            // What is not known is denied with what is: that says it.
            Ruling::Denied { by, .. }
                if need.is_unlisted && denied_by.iter().any(|other| std::ptr::eq(*other, by)) => {}
            Ruling::Denied {
                by,
                rule,
                functions,
            } => {
                denied_by.push(by);
                let is_by_name = by.term.is_by_name();
                let denied = import_denied(import, &need, by, rule);
                let finding = Finding {
                    functions,
                    ..denied
                };
                if is_by_name {
                    return vec![finding];
                }
                found.push(finding);
            }
            Ruling::NotAllowed(rule) => {
                let expired = judge.expired_for(import, name, &need);
                found.push(not_allowed(judge, import, name, &need, rule, expired));
            }
            Ruling::Excepted(exception, _) => {
                found.extend(expires(judge, import, &need, exception));
            }
            // That there is no rule is a finding already.
            Ruling::Allowed(_) | Ruling::Unruled | Ruling::NoRule => {}
        }
    }
    found
}

fn not_allowed(
    judge: &Judge<'_>,
    import: &Import,
    name: &Identity,
    need: &Need,
    rule: &Rule,
    expired: Option<&Exception>,
) -> Finding {
    let (code, message, origin, entry) = if need.capability == CUSTOM {
        let unknown = unknown::of(import, name, need, &rule.id);
        let Unknown {
            message,
            origin,
            entry,
        } = unknown;
        (Code::UnknownImport, message, origin, entry)
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
    let place = if judge.policy.is_preset() {
        "of a policy of your own".to_owned()
    } else {
        format!("of rule `{}`", rule.id)
    };
    let advice = format!("to admit it, add `{}` to `allow` {place}", written(&entry));
    let help = sentence([origin, expired.map(ended), Some(advice)]);
    Finding {
        rule: Some(rule.id.clone()),
        place: Some(rule.allow.place.clone()),
        allowed: rule.allow.texts.clone(),
        entry: Some(entry),
        ..about(
            import,
            need,
            finding(code, effect(rule, Effect::Deny), message, help),
        )
    }
}

fn import_denied(import: &Import, need: &Need, denied: &Deny, rule: Option<&Rule>) -> Finding {
    let by = match rule {
        Some(rule) => format!("rule `{}` denies", rule.id),
        None => "this policy denies everywhere".to_owned(),
    };
    let what = match (&denied.functions, denied.term.is_by_name()) {
        (Some(_), _) => format!("has functions of `{}`", denied.text),
        (None, true) => format!("is `{}`", denied.text),
        (None, false) if need.capability == CUSTOM => format!("looks like `{}`", denied.text),
        (None, false) => format!("asks for `{}`", need.capability),
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

/// An exception lets this pass: will it soon end?
pub(super) fn expires(
    judge: &Judge<'_>,
    import: &Import,
    need: &Need,
    exception: &Exception,
) -> Option<Finding> {
    if judge.today < exception.warns_from() {
        return None;
    }
    let last = exception.expires.value;
    let message = format!(
        "`{}` passes by an exception, whose last day is {last}",
        import.name
    );
    let help = "do without it by then, or have the rule allow it";
    Some(Finding {
        place: Some(exception.expires.place.clone()),
        reason: Some(exception.reason.clone()),
        ..about(
            import,
            need,
            finding(
                Code::ExceptionExpires,
                Effect::Warn,
                message,
                help.to_owned(),
            ),
        )
    })
}

fn ended(exception: &Exception) -> String {
    format!(
        "the exception for this (`{}`) ended with {} ({})",
        exception.reason, exception.expires.value, exception.expires.place
    )
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

fn sentence<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}
