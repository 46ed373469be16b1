//! Findings on what a rule asks to be there: exports and annotations.

use wasmport_artifact::{Export, InterfaceName, ItemKind, Kind};

use super::{effect, finding};
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};
use crate::needs::Identity;
use crate::policy::{Annotation, Pattern, Placed, Rule};

/// What is missing of what the rule asks for.
pub(super) fn findings(rule: &Rule, facts: &Facts) -> Vec<Finding> {
    if facts.is_attached() {
        return Vec::new();
    }
    let annotations = rule.annotations.iter();
    let annotations = annotations.filter_map(|wanted| annotation(rule, wanted, facts));
    exports(rule, facts)
        .into_iter()
        .chain(annotations)
        .collect()
}

/// Programs export what is asked for. A WIT package has nothing that could be called, and
/// what is no Wasm is for `kinds` to refuse.
fn exports(rule: &Rule, facts: &Facts) -> Vec<Finding> {
    let inspections = facts.content.inspections();
    let programs: Vec<_> = inspections
        .map(|(_, inspection)| inspection)
        .filter(|inspection| inspection.kind != Kind::WitPackage)
        .collect();
    if programs.is_empty() {
        return Vec::new();
    }
    let is_there = |wanted: &Placed<Pattern>| {
        let mut exports = programs.iter().flat_map(|program| &program.exports);
        exports.any(|export| is(export, &wanted.value))
    };
    let missing = rule.exports.iter().filter(|wanted| !is_there(wanted));
    let found = missing.map(|wanted| {
        let message = format!(
            "`{}` is not exported, which rule `{}` asks for",
            wanted.value, rule.id
        );
        let help =
            "build it for a world that exports it, or push it to where that is not asked for";
        Finding {
            rule: Some(rule.id.clone()),
            place: Some(wanted.place.clone()),
            ..finding(
                Code::ExportMissing,
                effect(rule, Effect::Deny),
                message,
                help.to_owned(),
            )
        }
    });
    found.collect()
}

fn is(export: &Export, wanted: &Pattern) -> bool {
    let names = [Some(export.name.as_str()), export.implements.as_deref()];
    let mut names = names.into_iter().flatten();
    names.any(|name| wanted.matches(&Identity::of(name)) && is_kind(export, name, wanted))
}

/// Functions of WASI's interfaces that a host calls.
const HANDLERS: [(&str, &str); 3] = [
    ("wasi:cli/run", "run"),
    ("wasi:http/handler", "handle"),
    ("wasi:http/incoming-handler", "handle"),
];

/// Whether it is something that can be called: an interface with functions, and with the one
/// that makes it what it is called. What a core module exports is known by name only.
fn is_kind(export: &Export, name: &str, wanted: &Pattern) -> bool {
    match export.kind {
        ItemKind::Instance => {
            let own = name.parse::<InterfaceName>().map(|name| name.unversioned());
            let handler = HANDLERS
                .iter()
                .find(|(known, _)| own.as_deref() == Ok(known));
            match handler {
                Some((_, function)) => export.functions.iter().any(|it| it == function),
                None => !export.functions.is_empty(),
            }
        }
        ItemKind::Func | ItemKind::Core => matches!(wanted, Pattern::Name(_)),
        ItemKind::Type | ItemKind::CoreModule | ItemKind::Component | ItemKind::Value => false,
    }
}

fn annotation(rule: &Rule, wanted: &Placed<Annotation>, facts: &Facts) -> Option<Finding> {
    let Annotation { name, value } = &wanted.value;
    let got = facts.annotations.get(name).map(|text| text.trim());
    let got = got.filter(|text| !text.is_empty());
    let (message, expected) = match (got, value) {
        (Some(_), None) => return None,
        (Some(text), Some(pattern)) if pattern.matches(text) => return None,
        (None, _) => {
            let rule = &rule.id;
            let message =
                format!("the annotation `{name}` is missing, which rule `{rule}` asks for");
            (message, value.as_ref())
        }
        (Some(text), Some(pattern)) => {
            let message = format!(
                "the annotation `{name}` is `{text}`, and rule `{}` asks for `{}`",
                rule.id,
                pattern.as_str()
            );
            (message, Some(pattern))
        }
    };
    let help = match name.as_str() {
        "org.opencontainers.image.source" => {
            "set `repository` in `Cargo.toml`, or build it with `--annotation`".to_owned()
        }
        _ => format!("build it with `--annotation {name}=…`"),
    };
    Some(Finding {
        rule: Some(rule.id.clone()),
        place: Some(wanted.place.clone()),
        allowed: expected.iter().map(|it| it.as_str()).collect(),
        ..finding(
            Code::AnnotationMissing,
            effect(rule, Effect::Deny),
            message,
            help,
        )
    })
}
