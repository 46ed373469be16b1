//! One reason for a decision, with what to do about it.

mod texts;

use std::fmt;

use serde::{Deserialize, Serialize};
pub use texts::Texts;

/// One reason for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind of reason; it stays the same from version to version.
    pub code: Code,
    /// What it does to the verdict.
    pub effect: Effect,
    /// The id of the rule, when the reason is one of a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The place in the policy file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What was found and why it is not admitted, in one sentence.
    pub message: String,
    /// The policy's own words on why it denies this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The file inside a layer that this is about, where Wasm was found in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The import, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// The functions of the import that the program can call; with a capability, those
    /// that ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// The capability that the import asks for; `custom` when the catalogue has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// What the rule allows, as the policy file has it.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub allowed: Texts,
    /// The entry of an `allow` list that would admit this: a name, or a table of TOML where it is
    /// for some functions of an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// What to do.
    pub help: String,
    /// Where the same is said of several things, these; `message` counts them, and `import`
    /// and `functions` are empty. See [`Decision::grouped`](crate::Decision::grouped).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Found>,
    /// How many more were found than are in `found`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

/// One of several things that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The import, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<String>,
    /// Its functions, as in [`Finding::functions`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// What is to be said of it alone, where its name does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What to do, where it is something else than for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The kinds of reasons. `docs/policy-reference.md` has a section on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A `deny` list has the import.
    ImportDenied,
    /// The capability is known, and the rule does not allow it.
    ImportNotAllowed,
    /// The catalogue does not know the import, and the rule does not name it.
    UnknownImport,
    /// An import of a component, a core module or a value.
    UnsupportedImportKind,
    /// The config says something else than the bytes.
    ConfigDisagrees,
    /// Claims to be Wasm and could not be read.
    UnreadableWasm,
    /// The rule does not take this kind of artifact.
    KindNotAllowed,
    /// An image carries something that cannot be looked into.
    NotInspected,
    /// Larger than the policy takes.
    TooLarge,
    /// The tag is on another artifact, and stays there.
    TagImmutable,
    /// Something is not exported that the rule asks for.
    ExportMissing,
    /// An annotation is not there, or says something else than the rule asks for.
    AnnotationMissing,
    /// It can do something that the version before it could not.
    NewCapability,
    /// Too few of the rule's signers have signed.
    SignatureMissing,
    /// Too few of the rule's signers have attested what it asks for.
    AttestationMissing,
    /// An exception lets it pass, and will end within a month.
    ExceptionExpires,
    /// The policy asks for something that the facts do not say.
    CannotEvaluate,
    /// No rule is for this repository.
    NoRule,
}

/// What a finding does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing: the rule only watches (`mode = "audit"`).
    Warn,
    /// Something is missing that may still arrive.
    Hold,
    /// The artifact is refused.
    Deny,
}

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The name that the file was read under.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant, at least 1.
    pub length: usize,
}

impl Code {
    /// Every code, in the order of the reference.
    pub const ALL: [Self; 18] = [
        Self::ImportDenied,
        Self::ImportNotAllowed,
        Self::UnknownImport,
        Self::UnsupportedImportKind,
        Self::ConfigDisagrees,
        Self::UnreadableWasm,
        Self::KindNotAllowed,
        Self::NotInspected,
        Self::TooLarge,
        Self::TagImmutable,
        Self::ExportMissing,
        Self::AnnotationMissing,
        Self::NewCapability,
        Self::SignatureMissing,
        Self::AttestationMissing,
        Self::ExceptionExpires,
        Self::CannotEvaluate,
        Self::NoRule,
    ];

    /// The code as it is written in JSON, in the terminal and in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImportDenied => "import-denied",
            Self::ImportNotAllowed => "import-not-allowed",
            Self::UnknownImport => "unknown-import",
            Self::UnsupportedImportKind => "unsupported-import-kind",
            Self::ConfigDisagrees => "config-disagrees",
            Self::UnreadableWasm => "unreadable-wasm",
            Self::KindNotAllowed => "kind-not-allowed",
            Self::NotInspected => "not-inspected",
            Self::TooLarge => "too-large",
            Self::TagImmutable => "tag-immutable",
            Self::ExportMissing => "export-missing",
            Self::AnnotationMissing => "annotation-missing",
            Self::NewCapability => "new-capability",
            Self::SignatureMissing => "signature-missing",
            Self::AttestationMissing => "attestation-missing",
            Self::ExceptionExpires => "exception-expires",
            Self::CannotEvaluate => "cannot-evaluate",
            Self::NoRule => "no-rule",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Finding {
    /// How many things it is about.
    pub fn count(&self) -> usize {
        (self.found.len() + self.more).max(1)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_text_everywhere() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.to_string());
        }
    }

    fn reference() -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy-reference.md");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn every_code_has_a_section_in_the_reference() {
        for code in Code::ALL {
            let heading = format!("\n### `{code}`\n");

            let reference = reference();
            let (_, section) = reference.split_once(&heading).unwrap();
            let section = section.split("\n### ").next().unwrap();
            for part in ["**What.**", "**Why.**", "**Example.**", "**Fix.**"] {
                assert!(section.contains(part), "`{code}` has no {part}");
            }
        }
    }

    #[test]
    fn every_section_of_the_reference_is_of_a_code() {
        let reference = reference();
        let (_, findings) = reference.split_once("\n## Findings\n").unwrap();
        let findings = findings.split("\n## ").next().unwrap();
        let headings = findings
            .lines()
            .filter_map(|line| line.strip_prefix("### "));
        let headings: Vec<&str> = headings.map(|heading| heading.trim_matches('`')).collect();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(headings, codes);
    }

    #[test]
    fn every_kind_of_warning_has_a_section_in_the_reference_and_nothing_else_has() {
        let reference = reference();
        let (_, warnings) = reference.split_once("\n## Warnings\n").unwrap();
        let warnings = warnings.split("\n## ").next().unwrap();
        let sections: Vec<&str> = warnings.split("\n### ").skip(1).collect();
        let name = |section: &&str| section.lines().next().unwrap().trim_matches('`').to_owned();
        let names: Vec<String> = sections.iter().map(name).collect();
        assert_eq!(names, crate::policy::Lint::ALL.map(|lint| lint.to_string()));
        for section in sections {
            for part in ["**What.**", "**Fix.**"] {
                assert!(section.contains(part), "no {part} in {section}");
            }
        }
    }

    #[test]
    fn every_policy_in_the_reference_can_be_read() {
        let reference = reference();
        let blocks: Vec<&str> = reference.split("```toml\n").skip(1).collect();
        assert!(blocks.len() > 1);
        for block in blocks {
            let text = block.split("```").next().unwrap();
            let policy = crate::Policy::parse("policy-reference.md", text);
            assert!(policy.is_ok(), "{}", policy.unwrap_err().to_text());
        }
    }

    #[test]
    fn every_capability_is_in_the_reference() {
        for capability in crate::catalogue::Catalogue::get().capabilities() {
            let risk = serde_json::to_value(capability.risk).unwrap();
            let (name, summary) = (&capability.name, &capability.summary);
            let row = format!("\n| `{name}` | {summary} | {} |\n", risk.as_str().unwrap());
            assert!(reference().contains(&row), "no row `{row}`");
        }
    }
}
