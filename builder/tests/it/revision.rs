//! What git adds.

use std::path::Path;
use std::process::Command;

use wasmport_artifact::annotation;
use wasmport_builder::Optimizer;

use crate::bench::{Bench, built, options};

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .args([
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@b.example",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_COMMITTER_DATE", "2001-09-09T01:46:40Z")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_commit_gives_revision_and_time_and_a_change_is_said() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let said = || {
        let mut chosen = options(&project);
        chosen.optimizer = Optimizer::None;
        built(&chosen).layout.manifest().annotations().clone()
    };
    git(&project, &["init", "-q"]);
    assert!(
        !said().contains_key(annotation::REVISION),
        "not tracked yet"
    );

    git(&project, &["add", "."]);
    git(&project, &["commit", "-q", "-m", "Greet"]);
    let commit = git(&project, &["rev-parse", "HEAD"]);
    let clean = said();
    assert_eq!(clean[annotation::REVISION], commit);
    assert_eq!(clean[annotation::CREATED], "2001-09-09T01:46:40Z");

    let mut source = std::fs::read_to_string(project.join("src/main.rs")).unwrap();
    source.push_str("\n// A change.\n");
    std::fs::write(project.join("src/main.rs"), source).unwrap();
    assert_eq!(said()[annotation::REVISION], format!("{commit}-dirty"));
}
