//! The properties over random bytes, over what the fuzzer begins with, and over what it found.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use wasmport_policies::{Decision, Facts, Policy};

use super::*;

/// Every file in `fuzz/seeds/<target>` and `fuzz/found/<target>`.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    files(&["seeds", "found"].map(|folder| fuzz.join(folder).join(target)))
}

fn files(folders: &[PathBuf]) -> Vec<Vec<u8>> {
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let inputs = entries
        .flatten()
        .map(|entry| fs::read(entry.unwrap().path()));
    inputs.map(Result::unwrap).collect()
}

/// The corpus as it is, and cut off and changed in one byte at each place.
fn around(target: &str, check: impl Fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "no inputs for `{target}`");
    for input in corpus {
        check(&input);
        for at in 0..input.len().min(400) {
            check(&input[..at]);
            for byte in [0, b'/', b'.', b':', b'"', 0xff] {
                let mut changed = input.clone();
                changed[at] = byte;
                check(&changed);
            }
        }
    }
}

#[test]
fn what_is_like_a_path_is_one_or_is_refused() {
    around("path", path);
}

#[test]
fn what_is_like_a_range_is_one_or_is_refused() {
    around("range", range);
}

#[test]
fn what_is_like_a_precondition_is_one_or_matches_nothing() {
    around("preconditions", preconditions);
}

#[test]
fn what_is_like_a_policy_is_one_or_is_refused() {
    around("policy", policy);
}

#[test]
fn what_is_like_a_manifest_is_one_or_is_refused() {
    around("manifest", manifest);
}

#[test]
fn what_is_like_a_config_is_one_or_is_refused() {
    around("config", config);
}

#[test]
fn what_is_like_a_reference_is_one_or_is_refused() {
    around("reference", reference);
}

#[test]
fn what_is_like_a_signature_says_what_was_signed_or_is_refused() {
    let made = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testdata/signatures");
    let mut inputs = corpus("signature");
    inputs.extend(files(&[made]));
    assert!(inputs.len() > 10);
    here_and_there(inputs, signature);
}

#[test]
fn what_is_like_evidence_proves_what_it_did_or_is_refused() {
    let inputs = corpus("evidence");
    assert_eq!(inputs.len(), 10);
    assert!(signatures::WORKFLOW.is_some());
    here_and_there(inputs, evidence);
}

/// Inputs as they are, and changed not at each place: that takes seconds.
fn here_and_there(inputs: Vec<Vec<u8>>, check: impl Fn(&[u8])) {
    for input in inputs {
        check(&input);
        for at in (0..input.len()).step_by(23) {
            check(&input[..at]);
            let mut changed = input.clone();
            changed[at] ^= 1;
            check(&changed);
        }
    }
}

#[test]
fn there_is_a_decision_on_what_is_like_facts() {
    for input in corpus("decision") {
        let text = String::from_utf8(input).unwrap();
        let Some((policy, facts)) = text.split_once("\n---\n") else {
            serde_json::from_str::<Decision>(&text).unwrap();
            continue;
        };
        assert!(policy.is_empty() || Policy::parse("p.toml", policy).is_ok());
        serde_json::from_str::<Facts>(facts).unwrap();
    }
    around("decision", decision);
}

#[test]
fn what_is_like_settings_is_them_or_is_refused() {
    around("settings", settings);
}

#[test]
fn what_is_like_an_identifier_is_one_or_is_refused() {
    around("identifier", identifier);
}

#[test]
fn what_is_like_a_request_is_answered() {
    let mut requests = Requests::new().unwrap();
    for input in corpus("request") {
        requests.send(&input);
        for at in 0..input.len() {
            requests.send(&input[..at]);
            let mut changed = input.clone();
            changed[at] = b'"';
            requests.send(&changed);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for check in [path, range, preconditions, manifest, settings, identifier] {
            check(&bytes);
        }
    }

    #[test]
    fn no_text_is_too_much(text in "\\PC{0,80}") {
        for check in [path, preconditions, manifest, settings, identifier] {
            check(text.as_bytes());
        }
        path(format!("/v2/{text}").as_bytes());
        path(format!("/v2/app/manifests/{text}").as_bytes());
        range(format!("        bytes={text}").as_bytes());
    }

    #[test]
    fn a_range_lies_within_the_blob(size: u64, first: u64, last: u64) {
        let mut bytes = size.to_be_bytes().to_vec();
        bytes.extend_from_slice(format!("bytes={first}-{last}").as_bytes());
        range(&bytes);
        bytes.truncate(8);
        bytes.extend_from_slice(format!("{first}-{last}").as_bytes());
        range(&bytes);
    }
}
