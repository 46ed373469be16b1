use proptest::prelude::*;
use wasmport_artifact::{Digest, inspect};

use super::*;

const TODAY: Date = Date::constant(2026, 11, 21);

fn facts(repository: &str, wat: &str) -> Facts {
    let bytes = wat::parse_str(wat).unwrap();
    let json = serde_json::json!({
        "repository": repository,
        "digest": Digest::of(&bytes),
        "content": {
            "what": "wasm",
            "inspection": inspect(&bytes).unwrap(),
            "disagreements": [],
        },
    });
    serde_json::from_value(json).unwrap()
}

fn admits(text: &str, artifacts: &[Facts]) -> bool {
    let policy = Policy::parse("smallest.toml", text);
    let policy = policy.unwrap_or_else(|error| panic!("{}\n{text}", error.to_text()));
    let mut decisions = artifacts.iter().map(|facts| decide(&policy, facts, TODAY));
    decisions.all(|decision| decision.verdict == Verdict::Admit)
}

#[test]
fn it_is_explained_and_by_repository() {
    let text = Policy::smallest(
        &[
            facts(
                "team/one",
                r#"(component (import "wasi:cli/stdout@0.2.6" (instance))
                    (import "acme:db/query@1.2.0" (instance)))"#,
            ),
            facts("team/two", "(component)"),
            facts("team/three", "(component)"),
        ],
        TODAY,
    );
    let text = text.unwrap();
    let expected = r#"
[[rule]]
id = "team/three"
repositories = ["team/three", "team/two"]
kinds = ["component"]
allow = []

[[rule]]
id = "team/one"
repositories = ["team/one"]
kinds = ["component"]
allow = [
  # not in the catalogue: what it does only its host knows
  "acme:db/query@1",
  # what Rust's standard library imports whether the program uses it or not
  "std",
]
"#;
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn what_no_policy_admits_is_given_back() {
    let both = [
        facts("a", "(component)"),
        facts("b", r#"(component (import "m" (core module)))"#),
    ];
    let SmallestError::Refused(refused) = Policy::smallest(&both, TODAY).unwrap_err() else {
        panic!("expected a decision");
    };
    let (facts, decision) = *refused;
    assert_eq!(facts.repository.as_str(), "b");
    assert_eq!(decision.findings[0].code, Code::UnsupportedImportKind);
}

#[test]
fn what_a_policy_cannot_name_is_an_error() {
    // Together they are longer than a policy may be.
    let import = |number| format!(r#"(import "{number}{}" "f" (func))"#, "a".repeat(90_000));
    let long = format!("(module {})", (0..12).map(import).collect::<String>());
    for wat in [r#"(module (import "" "f" (func)))"#, &long] {
        let error = Policy::smallest(&[facts("a", wat)], TODAY).unwrap_err();
        assert!(matches!(error, SmallestError::Unwritable(_)), "{error}");
    }
}

#[test]
fn a_name_like_a_pattern_admits_only_itself() {
    for name in ["wasi:sockets/*", "A b:c/d", "wasi:*/tcp"] {
        let artifacts = [facts(
            "a",
            &format!(r#"(module (import "{name}" "f" (func)))"#),
        )];
        let text = Policy::smallest(&artifacts, TODAY).unwrap();
        assert!(admits(&text, &artifacts), "{text}");
        let other = r#"(module (import "wasi:sockets/tcp" "f" (func)))"#;
        assert!(!admits(&text, &[facts("a", other)]), "{text}");
    }
}

#[test]
fn a_name_cannot_break_out_of_its_string() {
    let wat = r#"(module (import "a\"]\nallow = [\"*\n\7f\t" "f" (func)))"#;
    let artifacts = [facts("a", wat)];
    let text = Policy::smallest(&artifacts, TODAY).unwrap();
    assert!(admits(&text, &artifacts));
    assert!(!admits(
        &text,
        &[facts("a", r#"(module (import "b" "f" (func)))"#)]
    ));
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let imports = vec![
        "wasi:cli/stdout@0.2.6",
        "wasi:cli/exit@0.2.0",
        "wasi:sockets/tcp@0.2.6",
        "wasi:filesystem/types@0.2.6",
        "wasi:random/random@0.2.6",
        "wasi:http/types@0.3.0-draft",
        "acme:db/query@1.2.0",
        "acme:db/query@1.3.0",
        "acme:db/admin@0.2.0",
        "log",
    ];
    let length = imports.len();
    let imports = prop::sample::subsequence(imports, 0..=length);
    (prop::sample::select(vec!["a", "b/c"]), imports).prop_map(|(repository, imports)| {
        let import = |name| format!(r#"(import "{name}" (instance (export "f" (func))))"#);
        let imports: String = imports.into_iter().map(import).collect();
        facts(repository, &format!("(component {imports})"))
    })
}

/// The text without one of the entries in its lists, for each of them.
fn without_each(text: &str) -> Vec<String> {
    let is_entry = |line: &str| line.starts_with("  \"");
    let entries = text.lines().filter(|line| is_entry(line)).count();
    let without = |index: usize| {
        let mut seen = 0;
        let kept = text.lines().filter(|line| {
            seen += usize::from(is_entry(line));
            !is_entry(line) || seen != index + 1
        });
        kept.collect::<Vec<_>>().join("\n")
    };
    (0..entries).map(without).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_admits_them_and_without_any_entry_it_does_not(
        artifacts in prop::collection::vec(any_facts(), 1..4),
    ) {
        let text = Policy::smallest(&artifacts, TODAY).unwrap();
        prop_assert!(admits(&text, &artifacts), "{text}");
        for less in without_each(&text) {
            prop_assert!(!admits(&less, &artifacts), "{less}");
        }
    }
}
