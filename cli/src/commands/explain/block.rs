//! One block of text for each import, or for each function of one.

use wasmport_artifact::{Origin, Origins, Owner, Reach};
use wasmport_policies::clean;

use super::{Detail, chain};

/// How many names of dead functions are listed.
const NAMES: usize = 6;

/// The blocks in the order of the imports.
pub(super) fn to_text(origins: &Origins, detail: Detail) -> Vec<String> {
    let imports = origins
        .functions
        .chunk_by(|one, other| one.import == other.import);
    match detail {
        Detail::Imports => imports.map(of_import).collect(),
        Detail::Functions => imports.flat_map(of_functions).collect(),
        Detail::Steps => origins
            .functions
            .iter()
            .map(|origin| of_function(origin, true))
            .collect(),
    }
}

/// The best way to any of an import's functions, and how many there are of each kind.
fn of_import(functions: &[Origin]) -> String {
    let best = functions.iter().min_by_key(|origin| {
        (
            origin.reach,
            origin.responsible.is_none(),
            origin.chain.len(),
        )
    });
    let Some(best) = best else {
        return String::new();
    };
    let mut lines = vec![format!("{}: {}", clean(&best.import), counted(functions))];
    if best.entry.is_some() {
        lines.extend(chain::to_lines(best, false));
        lines.extend(remark(best));
    }
    lines.join("\n")
}

/// The ways to the functions of an import, and which of them are dead.
fn of_functions(functions: &[Origin]) -> Vec<String> {
    let (reached, dead): (Vec<_>, Vec<_>) =
        functions.iter().partition(|origin| origin.entry.is_some());
    let mut blocks: Vec<String> = reached
        .into_iter()
        .map(|origin| of_function(origin, false))
        .collect();
    if let Some(first) = dead.first() {
        let mut names: Vec<&str> = dead
            .iter()
            .filter_map(|origin| origin.function.as_deref())
            .collect();
        let more = names.len().saturating_sub(NAMES);
        names.truncate(NAMES);
        let listed = clean(&names.join(", "));
        let import = clean(&first.import);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        blocks.push(match names.as_slice() {
            [] => format!("{import}: {}", words(first.reach)),
            _ => format!("{import}: nothing leads to\n  {listed}{more}"),
        });
    }
    blocks
}

fn of_function(origin: &Origin, is_whole: bool) -> String {
    let mut lines = vec![format!(
        "{}: {}",
        clean(&origin.name()),
        words(origin.reach)
    )];
    if origin.entry.is_some() {
        lines.extend(chain::to_lines(origin, is_whole));
        lines.extend(remark(origin));
    }
    lines.join("\n")
}

/// What to make of a way on which no function of one's own lies.
fn remark(origin: &Origin) -> Option<String> {
    if origin.responsible.is_some() {
        return None;
    }
    let is_standard = origin
        .chain
        .iter()
        .any(|frame| frame.owner == Owner::Standard);
    is_standard.then(|| {
        "  Rust's standard library leads to it by itself: no function of yours is on the way"
            .to_owned()
    })
}

fn words(reach: Reach) -> &'static str {
    match reach {
        Reach::Direct => "reached",
        Reach::Indirect => "may be reached",
        Reach::Dead => "dead: no export leads to it",
        Reach::Unused => "unused: no code is given it",
    }
}

fn counted(functions: &[Origin]) -> String {
    let count = |reach: Reach| {
        functions
            .iter()
            .filter(|origin| origin.reach == reach)
            .count()
    };
    let all = [
        (count(Reach::Direct), "reached"),
        (count(Reach::Indirect), "may be reached"),
        (count(Reach::Dead), "dead"),
        (count(Reach::Unused), "unused"),
    ];
    if let [one] = functions {
        return words(one.reach).to_owned();
    }
    let some = all.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = some
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    format!("of {} functions {}", functions.len(), parts.join(", "))
}
