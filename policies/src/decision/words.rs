//! A finding in a few lines, for where there is no terminal.

use crate::finding::Finding;

/// How many imports are named; the JSON form has all.
const NAMES: usize = 10;

/// The message, what it was found at, the policy's reason and what to do, each a line.
pub(super) fn lines(finding: &Finding) -> String {
    let mut lines = vec![finding.message.clone()];
    let names = finding.found.iter().filter_map(|found| {
        let name = found.message.as_ref().or(found.import.as_ref())?;
        Some(format!("- {name}"))
    });
    lines.extend(names.take(NAMES));
    let more = finding.more + finding.found.len().saturating_sub(NAMES);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    let reason = finding.reason.iter();
    lines.extend(reason.map(|reason| format!("Reason: {reason}")));
    lines.push(format!("Help: {}", finding.help));
    lines.join("\n")
}
