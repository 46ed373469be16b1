//! An inspection on one screen.

use wasmport_artifact::{Inspection, Kind, Memory, SectionKind, Start};
use wasmport_policies::clean;

use crate::output::human_size;

/// How many imports and exports are listed, and how many functions of each.
const IMPORTS: usize = 16;
const EXPORTS: usize = 8;
const FUNCTIONS: usize = 4;
/// How many sections are listed; they are the largest.
const SECTIONS: usize = 5;

/// What it is, who made it and what it is made of, a line each.
pub(super) fn summary(inspection: &Inspection) -> Vec<String> {
    let mut lines = vec![kind(inspection)];
    let tools = inspection.producers.values().flatten();
    let tools = tools.map(|(name, version)| format!("{name} {version}").trim().to_owned());
    lines.extend(line("made by", tools));
    let metadata = inspection.metadata.iter();
    lines.extend(line(
        "says",
        metadata.map(|(name, text)| format!("{name} {text}")),
    ));
    let crates = inspection.dependencies.as_ref();
    lines.extend(crates.map(|crates| {
        let missing = if crates.unreadable {
            " and more that cannot be read"
        } else {
            ""
        };
        format!("crates   {}{missing}", crates.packages.len())
    }));
    lines.extend(line("fits", inspection.worlds.iter().cloned()));
    let features = inspection.features.iter();
    lines.extend(line("uses", features.map(ToString::to_string)));
    let own = inspection.memories.iter().filter(|memory| !memory.imported);
    lines.extend(line("memory", own.map(memory)));
    let starts = inspection.starts.iter().map(|start| match start {
        Start::CoreModule => "the start function of a core module".to_owned(),
        Start::Component => "the start function of a component".to_owned(),
    });
    lines.extend(line("starts", starts));
    lines.extend(line("largest", sections(inspection).into_iter()));
    lines
}

/// Imports and exports, or what a WIT package defines.
pub(super) fn items(inspection: &Inspection) -> Vec<String> {
    let imports = inspection.imports.iter();
    let imports = imports.map(|import| item(&import.name, &import.functions));
    let exports = inspection.exports.iter();
    let exports = exports.map(|export| {
        // What an exported component would ask of whoever runs it.
        let asked: Vec<String> = export
            .imports
            .iter()
            .map(|it| printable(&it.name))
            .collect();
        let item = item(&export.name, &export.functions);
        if asked.is_empty() {
            return item;
        }
        format!("{item}, would import {}", shortened(&asked))
    });
    let mut lines = list("imports", IMPORTS, imports.collect());
    lines.extend(list("exports", EXPORTS, exports.collect()));
    if let Some(package) = &inspection.package {
        let interfaces = package.interfaces.iter();
        let interfaces = interfaces.map(|it| item(&it.name, &it.functions));
        lines.extend(list("defines", IMPORTS, interfaces.collect()));
        let worlds = package.worlds.iter().map(|world| printable(&world.name));
        lines.extend(list("worlds", EXPORTS, worlds.collect()));
    }
    lines
}

fn kind(inspection: &Inspection) -> String {
    let kind = match inspection.kind {
        Kind::Component => "component",
        Kind::CoreModule => "core module",
        Kind::WitPackage => "WIT package",
    };
    let target = inspection.target;
    let target = target.map_or_else(String::new, |target| format!(", {target:?}").to_lowercase());
    let mut inside = String::new();
    if inspection.kind == Kind::Component {
        inside = match inspection.core_modules {
            1 => ", 1 core module".to_owned(),
            many => format!(", {many} core modules"),
        };
    }
    let size = human_size(inspection.size);
    format!("kind     {kind}{target}, {size}{inside}")
}

fn memory(memory: &Memory) -> String {
    let size = |pages: u64| human_size(pages.saturating_mul(memory.page_size));
    let limit = match memory.maximum {
        Some(maximum) => format!(", at most {}", size(maximum)),
        None => String::new(),
    };
    let shared = if memory.shared { ", shared" } else { "" };
    format!("{} at the start{limit}{shared}", size(memory.minimum))
}

fn sections(inspection: &Inspection) -> Vec<String> {
    let mut sections: Vec<_> = inspection.sections.iter().collect();
    sections.sort_by_key(|section| std::cmp::Reverse(section.size));
    let name = |kind: SectionKind| match kind {
        SectionKind::Code => "code",
        SectionKind::Data => "data",
        SectionKind::Custom => "custom",
        SectionKind::Type => "types",
        SectionKind::Import => "imports",
        SectionKind::Export => "exports",
        SectionKind::Core => "other core sections",
        SectionKind::Component => "other component sections",
    };
    let shown = sections.iter().take(SECTIONS).map(|section| {
        let size = human_size(section.size);
        match &section.name {
            Some(name) => format!("`{}` {size}", printable(name)),
            None => format!("{} {size}", name(section.kind)),
        }
    });
    shown.collect()
}

/// A name and its parts; none without parts.
fn line(name: &str, parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.map(|part| printable(&part)).collect();
    (!parts.is_empty()).then(|| format!("{name:8} {}", parts.join(", ")))
}

fn list(name: &str, most: usize, items: Vec<String>) -> Vec<String> {
    let more = items.len().saturating_sub(most);
    let mut lines = vec![format!("{name:8} {}", items.len())];
    lines.extend(items.into_iter().take(most).map(|item| format!("  {item}")));
    if more > 0 {
        lines.push(format!("  and {more} more; `--format json` has all"));
    }
    lines
}

fn item(name: &str, functions: &[String]) -> String {
    let name = printable(name);
    if functions.is_empty() {
        return name;
    }
    format!("{name} ({})", shortened(functions))
}

fn shortened(names: &[String]) -> String {
    let more = names.len().saturating_sub(FUNCTIONS);
    let shown = names.iter().take(FUNCTIONS);
    let mut shown: Vec<String> = shown.map(|name| printable(name)).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// Names come from outside, and must not steer a terminal.
fn printable(text: &str) -> String {
    let escaped = |character: char| {
        if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.to_string()
        }
    };
    let text: String = text.chars().map(escaped).collect();
    clean(&text)
}
