//! `wasmport policy test`: tests for a policy.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use wasmport_policies::{annotation_at, case_sarif, decide};

use crate::cases::{CaseFile, Difference};
use crate::clock;
use crate::error::{Failure, Kind};
use crate::files;
use crate::output::{Answer, Report};
use crate::policy;

/// Run the tests of a policy
///
/// Each `*.toml` of the directory, and of those below it, names a policy and has cases: an
/// artifact (`wat`, `wasm` or `facts`), its repository, and the verdict and findings that are
/// expected.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport policy test tests
  wasmport policy test tests/payments.toml --format github

Exit status: 0 all as expected; 1 not; 2 usage, policy or cases.")]
pub(crate) struct TestArgs {
    /// A directory of cases, or one file
    #[arg(value_name = "DIR|FILE")]
    path: PathBuf,
}

/// What came of the cases.
#[derive(Debug, Serialize)]
pub(crate) struct Tested {
    passed: usize,
    failed: usize,
    cases: Vec<Outcome>,
}

/// What came of one case.
#[derive(Debug, Serialize)]
struct Outcome {
    file: String,
    /// The line where the case begins, from 1.
    line: usize,
    name: String,
    passed: bool,
    /// Where it is not as expected: `-` before what was expected, `+` before what was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    difference: Vec<String>,
}

pub(super) fn run(args: &TestArgs) -> Result<Tested, Failure> {
    let mut paths = Vec::new();
    collect(&args.path, &mut paths)?;
    let mut cases = Vec::new();
    for path in &paths {
        run_file(path, &mut cases)?;
    }
    if cases.is_empty() {
        let message = format!("there are no cases in `{}`", args.path.display());
        let hint = "expected files `*.toml` with `[[case]]`; docs/policy.md has one";
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    let failed = cases.iter().filter(|case| !case.passed).count();
    let tested = Tested {
        passed: cases.len() - failed,
        failed,
        cases,
    };
    if failed == 0 {
        return Ok(tested);
    }
    let message = format!(
        "{failed} of {} cases are not as expected",
        tested.cases.len()
    );
    Err(Failure::new(Kind::Test, message)
        .found(&tested)
        .explained(format!("{}\n", tested.lines().join("\n")))
        .reported(tested.report()))
}

fn run_file(path: &Path, cases: &mut Vec<Outcome>) -> Result<(), Failure> {
    let file = CaseFile::read(path)?;
    let text = files::read_text(path)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let loaded = policy::load(&file.policy(directory))?;
    let today = file.today.unwrap_or_else(clock::today);
    for spanned in &file.case {
        let case = spanned.get_ref();
        let facts = case.facts(directory)?;
        let difference = case.difference(&decide(&loaded.policy, &facts, today));
        let before = text.get(..spanned.span().start).unwrap_or_default();
        cases.push(Outcome {
            file: path.display().to_string(),
            line: before.matches('\n').count() + 1,
            name: case.name.clone(),
            passed: difference.is_none(),
            difference: difference.map_or_else(Vec::new, |Difference(lines)| lines),
        });
    }
    Ok(())
}

/// A file itself, or all `*.toml` in a directory that have cases, in the order of their names.
fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        paths.push(path.to_owned());
        return Ok(());
    }
    for entry in files::list(path)? {
        let is_toml = entry
            .extension()
            .is_some_and(|extension| extension == "toml");
        if entry.is_dir() {
            collect(&entry, paths)?;
        } else if is_toml && has_cases(&entry)? {
            paths.push(entry);
        }
    }
    Ok(())
}

/// Policies and other TOML may lie beside the cases.
fn has_cases(path: &Path) -> Result<bool, Failure> {
    Ok(files::read_text(path)?.contains("[[case]]"))
}

impl Tested {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for case in &self.cases {
            let outcome = if case.passed { "ok    " } else { "FAILED" };
            lines.push(format!(
                "{outcome} {}:{} {}",
                case.file, case.line, case.name
            ));
            lines.extend(
                case.difference
                    .iter()
                    .map(|line| format!("         {line}")),
            );
        }
        lines
    }

    fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.cases.iter().filter(|case| !case.passed)
    }
}

impl Outcome {
    fn message(&self) -> String {
        format!("{}\n{}", self.name, self.difference.join("\n"))
    }
}

impl Answer for Tested {
    fn to_text(&self) -> String {
        let mut lines = self.lines();
        lines.push(format!("{} cases are as expected", self.passed));
        lines.join("\n")
    }

    fn report(&self) -> Option<Report> {
        let github = self
            .failures()
            .map(|case| annotation_at(&case.file, case.line, "policy-test", &case.message()));
        let places = self
            .failures()
            .map(|case| (case.file.as_str(), case.line, case.message()));
        Some(Report {
            sarif: case_sarif(places, env!("CARGO_PKG_VERSION")),
            github: github.collect(),
        })
    }
}
