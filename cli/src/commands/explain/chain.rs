//! The way to an import as indented lines, with what nobody can change folded.

use wasmport_artifact::{Frame, Origin, Owner, Via};
use wasmport_policies::clean;

/// Of more frames than these in a row that are not the program's, the inner ones are folded.
const SHOWN: usize = 2;

/// The lines of a way. With `is_whole` nothing is folded.
pub(super) fn to_lines(origin: &Origin, is_whole: bool) -> Vec<String> {
    let mut lines: Vec<String> = origin.entry.iter().cloned().collect();
    let mut rest = origin.chain.as_slice();
    let mut at = 0;
    while let Some(first) = rest.first() {
        let alike = rest
            .iter()
            .position(|frame| is_foldable(frame) != is_foldable(first))
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(alike);
        if is_foldable(first) && !is_whole {
            lines.extend(folded(run));
        } else {
            let numbered = run.iter().zip(at..);
            lines.extend(
                numbered.map(|(frame, index)| line(frame, origin.responsible == Some(index))),
            );
        }
        at += alike;
        rest = after;
    }
    lines.push(format!("{}{}", origin.name(), through(origin.last)));
    let numbered = lines.iter().enumerate();
    numbered
        .map(|(depth, line)| match depth {
            0 => format!("  {}", clean(line)),
            _ => format!("    {}", clean(line)),
        })
        .collect()
}

/// The first and the last of frames in a row, and how many are between.
fn folded(run: &[Frame]) -> Vec<String> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Vec::new();
    };
    if run.len() <= SHOWN + 1 {
        return run.iter().map(|frame| line(frame, false)).collect();
    }
    let between = run.get(1..run.len() - 1).unwrap_or_default();
    let is_guess = |frame: &&Frame| matches!(frame.via, Via::Pointer | Via::Table);
    let guess = between.iter().find(is_guess).map(|frame| frame.via);
    let more = format!(
        "… {} more of {}{}",
        between.len(),
        owners(between),
        through(guess)
    );
    vec![line(first, false), more, line(last, false)]
}

fn is_foldable(frame: &Frame) -> bool {
    !matches!(frame.owner, Owner::Program | Owner::Dependency)
}

fn line(frame: &Frame, is_responsible: bool) -> String {
    let place = if frame.owner == Owner::Other {
        format!("  ({})", module(frame))
    } else {
        String::new()
    };
    let arrow = match (is_responsible, frame.owner) {
        (true, Owner::Program) => "  ← yours",
        (true, _) => "  ← a dependency's",
        (false, _) => "",
    };
    format!("{}{place}{}{arrow}", frame.name, through(Some(frame.via)))
}

fn through(via: Option<Via>) -> &'static str {
    match via {
        Some(Via::Pointer) => "  (by a pointer)",
        Some(Via::Table) => "  (through a table: may be)",
        Some(Via::Entry | Via::Call) | None => "",
    }
}

/// Whose the frames are, each once.
fn owners(frames: &[Frame]) -> String {
    let mut names: Vec<String> = Vec::new();
    for frame in frames {
        let name = match frame.owner {
            Owner::Standard => "Rust's standard library".to_owned(),
            Owner::Bindings => "bindings".to_owned(),
            _ => module(frame),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" and ")
}

/// The core module that a function lies in. The one with the program is called `main` mostly,
/// which must not look like a function or a crate.
fn module(frame: &Frame) -> String {
    if frame.module.starts_with("module ") {
        frame.module.clone()
    } else {
        format!("module {}", frame.module)
    }
}
