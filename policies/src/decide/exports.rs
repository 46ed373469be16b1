//! Findings on exports: code that a host could instantiate, of which nobody knows what it would import.

use wasmport_artifact::{Export, ItemKind};

use super::finding;
use super::ruling::Judge;
use crate::catalogue::CUSTOM;
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};

/// One for each such export, in their order. What is known of exported code is judged with the imports.
pub(super) fn findings(judge: &Judge<'_>) -> Vec<Finding> {
    let unknown = unknown_code(judge.facts).map(|(path, export)| Finding {
        path: path.filter(|path| !path.is_empty()).map(str::to_owned),
        ..unsupported(export)
    });
    unknown.collect()
}

/// Exports of code of which not everything is known that it would import, with the file in a
/// layer where it was found in one.
pub(crate) fn unknown_code(facts: &Facts) -> impl Iterator<Item = (Option<&str>, &Export)> {
    let inspections = facts.content.inspections();
    inspections.flat_map(|(path, inspection)| {
        let exports = inspection.exports.iter();
        let unknown = exports.filter(|export| export.opaque && is_code(export.kind));
        unknown.map(move |export| (path, export))
    })
}

fn is_code(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::Component | ItemKind::CoreModule)
}

fn unsupported(export: &Export) -> Finding {
    let what = match export.kind {
        ItemKind::Component => "a component",
        _ => "a core module",
    };
    let message = format!(
        "`{}` is an export of {what}, and what that would import cannot be known",
        export.name
    );
    let help = "export functions and not code, or put the code itself into the component";
    Finding {
        capability: Some(CUSTOM.to_owned()),
        ..finding(
            Code::UnsupportedImportKind,
            Effect::Deny,
            message,
            help.to_owned(),
        )
    }
}
