//! What a component imports, as people read it.

use std::fmt::Write as _;

use wasmport_policies::{CapabilityUse, Risk};

/// A line for each capability, the riskiest first, with the interfaces behind it.
pub(crate) fn to_text(capabilities: &[CapabilityUse]) -> String {
    if capabilities.is_empty() {
        return "  nothing: it can only compute".to_owned();
    }
    let mut sorted: Vec<&CapabilityUse> = capabilities.iter().collect();
    sorted.sort_by_key(|used| std::cmp::Reverse(used.risk));
    let width = sorted
        .iter()
        .map(|used| used.capability.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for used in sorted {
        let _infallible = writeln!(
            text,
            "  {:width$}  {}{}",
            used.capability,
            used.summary,
            risk(used.risk)
        );
    }
    text.truncate(text.trim_end().len());
    text
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::None | Risk::Low => "",
        Risk::Medium => " (risk: medium)",
        Risk::High => " (risk: high)",
    }
}
