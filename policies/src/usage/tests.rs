use jiff::civil::date;
use wasmport_artifact::{Digest, inspect};

use super::*;
use crate::facts::Content;

const DNS: &str = r#"(component (import "wasi:sockets/ip-name-lookup@0.2.6" (instance
    (export "resolve-addresses" (func)))))"#;

fn facts(repository: &str, wat: &str) -> Facts {
    let bytes = wat::parse_str(wat).unwrap();
    let facts = serde_json::json!({
        "repository": repository,
        "digest": Digest::of(b"manifest"),
        "content": Content::Wasm {
            inspection: Box::new(inspect(&bytes).unwrap()),
            disagreements: Vec::new(),
        },
    });
    serde_json::from_value(facts).unwrap()
}

/// The lines and codes of what is warned of: of one artifact, and of one as of all there are.
fn warnings(text: &str, facts: &Facts) -> [Vec<String>; 2] {
    let policy = Policy::parse("p.toml", text).unwrap_or_else(|error| panic!("{error}"));
    let mut usage = Usage::of(&policy, date(2026, 11, 21));
    usage.add(facts);
    [usage.warnings(), usage.warnings_of_all()].map(|found| {
        let line = |it: &PolicyWarning| format!("{} {}: {}", it.place.line, it.code, it.message);
        found.iter().map(line).collect()
    })
}

fn excepting(allow: &str, digests: &str, exception: &str) -> String {
    format!(
        "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"team/*\"]\nallow = [{allow}]\n\
         [[exception]]\nrepositories = [\"team/*\"]\n{digests}\nallow = [{exception}]\n\
         reason = \"x\"\nexpires = 2027-06-01\n"
    )
}

fn own() -> String {
    format!("digests = [\"{}\"]", Digest::of(b"manifest"))
}

#[test]
fn an_exception_for_one_artifact_that_no_longer_needs_it_is_told() {
    let text = excepting("\"std\"", &own(), "\"dns\", \"sockets\"");
    let expected = "9 not-needed: the artifact that this exception is for does not need `sockets`";
    assert_eq!(warnings(&text, &facts("team/app", DNS))[0], [expected]);
    let both = warnings(&text, &facts("team/app", "(component)"));
    assert_eq!(both[0].len(), 2, "{both:?}");
    // Of another artifact it says nothing.
    let other = format!("digests = [\"{}\"]", Digest::of(b"other"));
    let text = excepting("\"std\"", &other, "\"sockets\"");
    assert_eq!(warnings(&text, &facts("team/app", DNS))[0], [""; 0]);
}

#[test]
fn an_exception_for_a_whole_repository_is_told_when_all_was_looked_at() {
    let text = excepting("\"std\"", "", "\"sockets\"");
    let [one, all] = warnings(&text, &facts("team/app", DNS));
    assert_eq!(one, [""; 0]);
    assert_eq!(
        all,
        [
            "5 not-needed: nothing that was looked at needs `std`",
            "9 not-needed: nothing that was looked at needs, by this exception, `sockets`",
        ]
    );
    let [_, all] = warnings(&text, &facts("other/app", DNS));
    assert_eq!(
        all,
        [
            "3 not-needed: nothing that was looked at is for rule `r`",
            "9 not-needed: nothing that was looked at is what this exception is for",
        ]
    );
}

#[test]
fn what_is_needed_is_not_told() {
    let text = excepting("\"std\"", &own(), "\"dns\"");
    let [one, all] = warnings(&text, &facts("team/app", DNS));
    assert_eq!(one, [""; 0]);
    assert_eq!(
        all,
        ["5 not-needed: nothing that was looked at needs `std`"]
    );
    // What may be new passes by an exception although it is allowed.
    let new = "\"dns\"]\nnew-capabilities = \"deny\"\ndeny = [\"messaging\"";
    let text = excepting(new, &own(), "\"dns\"");
    assert_eq!(warnings(&text, &facts("team/app", DNS)), [[""; 0], [""; 0]]);
}

#[test]
fn a_name_that_is_not_known_and_is_needed_is_no_mistake() {
    let wat = r#"(component (import "wasi:io/poll@0.2.13" (instance (export "exec" (func)))))"#;
    let text = "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\n\
                allow = [\"std\", { import = \"wasi:io/poll@0.2\", functions = [\"exec\"] }]\n";
    assert_eq!(warnings(text, &facts("team/app", wat)), [[""; 0], [""; 0]]);
    let [one, _] = warnings(text, &facts("team/app", DNS));
    assert!(one[0].starts_with("5 unknown-name: "), "{one:?}");
}
