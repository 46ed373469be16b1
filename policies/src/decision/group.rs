//! One finding for what is the same many times, and decisions that fit into an answer.

use super::Decision;
use crate::catalogue::{CUSTOM, Catalogue};
use crate::finding::{Code, Finding, Found};

/// The longest text of a finding that is sent where there is little room, in characters.
/// Names of imports come from outside and can be megabytes long.
const TEXT: usize = 300;
/// How many functions, and how many entries of a rule, are sent there.
const LIST: usize = 8;

impl Decision {
    /// The same decision with one finding for all that differ only in their imports. This
    /// is the form that leaves the program; `decide` gives a finding for each import.
    #[must_use]
    pub fn grouped(&self) -> Self {
        let mut groups: Vec<Vec<&Finding>> = Vec::new();
        for finding in &self.findings {
            let alike = groups.iter_mut().find(|group| {
                let first = group.first();
                first.is_some_and(|first| is_alike(first, finding))
            });
            match alike {
                Some(group) => group.push(finding),
                None => groups.push(vec![finding]),
            }
        }
        Self {
            verdict: self.verdict,
            findings: groups.iter().filter_map(|group| merged(group)).collect(),
            more: self.more,
        }
    }

    /// The decision in groups, and as JSON in at most `bytes`: what does not fit is counted.
    /// oras and others read no more than 8 KiB of an error, and nothing of one that breaks
    /// off.
    #[must_use]
    pub fn shortened(&self, bytes: usize) -> Self {
        let mut short = self.grouped();
        if short.size() <= bytes {
            return short;
        }
        for finding in &mut short.findings {
            shorten(finding);
        }
        // Every kind of reason is worth more than every import.
        let mut room = short.findings.iter().map(|finding| finding.found.len());
        let mut keep = room.by_ref().max().unwrap_or(0);
        while short.size() > bytes && keep > 0 {
            keep /= 2;
            for finding in &mut short.findings {
                finding.more += finding.found.len().saturating_sub(keep);
                finding.found.truncate(keep);
            }
        }
        while short.size() > bytes && !short.findings.is_empty() {
            let left = short.findings.len() / 2;
            short.more += short
                .findings
                .iter()
                .skip(left)
                .map(Finding::count)
                .sum::<usize>();
            short.findings.truncate(left);
        }
        short
    }

    fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }
}

/// True when two findings differ only in what they were found at.
fn is_alike(one: &Finding, other: &Finding) -> bool {
    let is_listed =
        one.code == Code::ConfigDisagrees || (is_about_imports(one) && is_about_imports(other));
    is_listed
        && one.code == other.code
        && one.effect == other.effect
        && one.rule == other.rule
        && one.place == other.place
        && one.capability == other.capability
        && (one.code != Code::UnknownImport || is_of_known(one) == is_of_known(other))
        && one.reason == other.reason
        && one.path == other.path
}

/// True when the catalogue knows the import of a finding, so that it is about its functions.
fn is_of_known(finding: &Finding) -> bool {
    let several = finding.found.first();
    let name = finding.import.as_ref();
    let name = name.or_else(|| several?.import.as_ref());
    name.is_some_and(|name| Catalogue::get().is_known(name))
}

fn is_about_imports(finding: &Finding) -> bool {
    finding.import.is_some() || finding.found.iter().any(|found| found.import.is_some())
}

/// One finding for all of a group.
fn merged(group: &[&Finding]) -> Option<Finding> {
    let (first, others) = group.split_first()?;
    if others.is_empty() {
        return Some((*first).clone());
    }
    let found: Vec<Found> = group
        .iter()
        .flat_map(|finding| entries(finding, &first.help))
        .collect();
    let more = group.iter().map(|finding| finding.more).sum();
    let mut merged = Finding {
        import: None,
        functions: Vec::new(),
        found,
        more,
        // Each of several has its own.
        entry: first.entry.clone().filter(|entry| {
            let mut others = others.iter();
            others.all(|other| other.entry.as_ref() == Some(entry))
        }),
        ..(*first).clone()
    };
    merged.message = heading(&merged);
    Some(merged)
}

/// What a finding adds to those before it.
fn entries(finding: &Finding, help: &str) -> Vec<Found> {
    let other_help = (finding.help != help).then(|| finding.help.clone());
    if !finding.found.is_empty() {
        let entry = |found: &Found| Found {
            help: found.help.clone().or_else(|| other_help.clone()),
            ..found.clone()
        };
        return finding.found.iter().map(entry).collect();
    }
    let is_point = finding.code == Code::ConfigDisagrees;
    vec![Found {
        import: finding.import.clone(),
        functions: finding.functions.clone(),
        message: is_point.then(|| finding.message.clone()),
        help: other_help,
    }]
}

/// One sentence for all that a finding is about.
fn heading(finding: &Finding) -> String {
    let number = finding.count();
    let capability = finding.capability.as_deref().unwrap_or_default();
    let rule = match &finding.rule {
        Some(rule) => format!("rule `{rule}`"),
        None => "this policy".to_owned(),
    };
    match finding.code {
        Code::ImportNotAllowed => {
            format!("{number} imports ask for `{capability}`, which {rule} does not allow")
        }
        Code::ImportDenied if capability == CUSTOM => {
            format!("{number} imports are of what {rule} denies")
        }
        Code::ImportDenied => {
            format!("{number} imports ask for `{capability}`, which {rule} denies")
        }
        Code::UnknownImport if is_of_known(finding) => format!(
            "{number} imports have functions that are not in the catalogue, and {rule} does not \
             name them"
        ),
        Code::UnknownImport => {
            format!("{number} imports are not in the catalogue, and {rule} does not name them")
        }
        Code::UnsupportedImportKind => {
            format!("{number} imports are of components, core modules or values")
        }
        Code::ConfigDisagrees => {
            format!("the config does not say what the bytes are, in {number} points")
        }
        _ => format!("{} (and {} more such imports)", finding.message, number - 1),
    }
}

fn shorten(finding: &mut Finding) {
    cut(&mut finding.functions, LIST);
    let mut allowed = finding.allowed.to_vec();
    cut(&mut allowed, LIST);
    allowed.iter_mut().for_each(clip);
    finding.allowed = allowed.into_iter().collect();
    let texts = [&mut finding.message, &mut finding.help];
    let optional = finding.import.iter_mut().chain(&mut finding.reason);
    let functions = &mut finding.functions;
    for text in texts.into_iter().chain(optional).chain(functions) {
        clip(text);
    }
    for found in &mut finding.found {
        cut(&mut found.functions, LIST);
        let words = found.import.iter_mut().chain(&mut found.message);
        for text in words.chain(&mut found.help).chain(&mut found.functions) {
            clip(text);
        }
    }
}

/// Leaves as many texts, and says how many more there were.
pub(super) fn cut(list: &mut Vec<String>, length: usize) {
    if list.len() > length {
        let more = list.len() - length;
        list.truncate(length);
        list.push(format!("… {more} more"));
    }
}

fn clip(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(TEXT) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests;
