//! Findings in the formats of other tools: the same on refusal and on admission.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fmt::Write as _;

use command::{Registry, Sandbox};
use serde_json::Value;

const SOCKETS: &str = r#"(component
    (import "wasi:sockets/tcp@0.2.6" (instance))
    (import "wasi:sockets/udp@0.2.6" (instance)))"#;
const PUBLIC_KEY: &str = include_str!("../../testdata/signatures/test-only-cosign-3.pub");
const PURE: &str = "(component)";
const POLICY: &str = "\
schema = 1

[[rule]]
id = \"all\"
repositories = [\"**\"]
allow = [\"std\"]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("policy.toml", POLICY);
    sandbox.write_wasm("sockets.wasm", SOCKETS);
    sandbox.write_wasm("pure.wasm", PURE);
    sandbox
}

fn check(sandbox: &Sandbox, file: &str, format: &str) -> command::Answer {
    sandbox.run(&["check", file, "--policy", "policy.toml", "--format", format])
}

#[test]
fn github_gets_an_annotation_at_the_line_of_the_policy() {
    let answer = check(&sandbox(), "sockets.wasm", "github");
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.stdout,
        "::error file=policy.toml,line=6,endLine=6,col=9,endColumn=16,title=import-not-allowed::\
         2 imports ask for `sockets`, which rule `all` does not allow%0A\
         - wasi:sockets/tcp@0.2.6%0A- wasi:sockets/udp@0.2.6%0A\
         Help: `TcpStream`, `TcpListener` or `UdpSocket` of `std::net`, in the program or in a \
         crate that it depends on, imports all of them, used or not; to admit it, add `\"sockets\"` to `allow` of rule `all`\n"
    );
    assert!(
        answer.stderr.contains("6 | allow = [\"std\"]"),
        "{answer:?}"
    );
    assert_eq!(check(&sandbox(), "pure.wasm", "github").stdout, "");
}

#[test]
fn sarif_is_one_log_on_stdout() {
    let sandbox = sandbox();
    let answer = check(&sandbox, "sockets.wasm", "sarif");
    assert_eq!(answer.code, 1);
    let run = answer.json()["runs"][0].clone();
    assert_eq!(run["results"][0]["ruleId"], "import-not-allowed");
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "policy.toml");
    assert_eq!(place["region"]["startLine"], 6);
    let answer = check(&sandbox, "pure.wasm", "sarif");
    assert_eq!(answer.code, 0);
    assert_eq!(
        answer.json()["runs"][0]["results"],
        Value::Array(Vec::new())
    );
    let answer = check(&sandbox, "missing.wasm", "sarif");
    assert_eq!(answer.code, 2);
    let invocation = answer.json()["runs"][0]["invocations"][0].clone();
    assert_eq!(invocation["executionSuccessful"], false);
}

#[test]
fn warnings_about_the_policy_are_in_every_form() {
    let sandbox = sandbox();
    let doubled = POLICY.replace("[\"std\"]", "[\"std\", \"stdio\"]");
    let signer = "[signer.gone]\nkey = \"gone.pub\"\nnot-after = 2020-01-01\n";
    sandbox.write("gone.pub", PUBLIC_KEY);
    sandbox.write("policy.toml", &(doubled + signer));
    let github = check(&sandbox, "pure.wasm", "github");
    assert_eq!(github.code, 0, "{github:?}");
    let titles: Vec<&str> = github
        .stdout
        .lines()
        .map(|line| line.split("::").nth(1).unwrap())
        .collect();
    let at = |level: &str, line: usize, column: usize, end: usize, title: &str| {
        format!(
            "{level} file=policy.toml,line={line},endLine={line},col={column},endColumn={end},\
             title={title}"
        )
    };
    assert_eq!(
        titles,
        [
            at("notice", 6, 17, 24, "said-already"),
            at("notice", 7, 9, 13, "never-used"),
            at("warning", 7, 9, 13, "ended"),
        ]
    );
    let sarif = check(&sandbox, "pure.wasm", "sarif").json();
    let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
    let told: Vec<_> = results
        .iter()
        .map(|it| {
            (
                it["ruleId"].as_str().unwrap(),
                it["level"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("said-already", "note"),
            ("never-used", "note"),
            ("ended", "warning")
        ]
    );
    let json = check(&sandbox, "pure.wasm", "json").json();
    assert_eq!(json["warnings"].as_array().unwrap().len(), 3);
    let text = check(&sandbox, "pure.wasm", "text");
    assert!(text.stderr.contains("warning[said-already]: "), "{text:?}");
}

#[test]
fn only_findings_have_these_formats() {
    let answer = sandbox().run(&["inspect", "pure.wasm", "--format", "sarif"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer.stderr.contains("`inspect` has no findings"),
        "{answer:?}"
    );
}

#[test]
fn a_pipe_gets_no_colours() {
    let answer = check(&sandbox(), "sockets.wasm", "text");
    assert!(!answer.stderr.contains('\u{1b}'), "{answer:?}");
}

#[test]
fn a_refusal_of_a_thousand_imports_is_an_answer_that_oras_can_read() {
    let sandbox = sandbox();
    let mut text = "(component".to_owned();
    for number in 0..1000 {
        write!(text, "(import \"acme:db/q{number}@1.0.0\" (instance))").unwrap();
    }
    text.push(')');
    sandbox.write_wasm("many.wasm", &text);
    let registry = Registry::start(&sandbox, "policy.toml");
    let reference = registry.reference("team/app:1");
    let answer = sandbox.run(&["push", "many.wasm", &reference, "--format", "json"]);
    let errors = answer.json()["error"]["detail"].clone();
    assert!(
        errors.to_string().len() < 8_000,
        "{}",
        errors.to_string().len()
    );
    let finding = &errors[0]["detail"]["findings"][0];
    let listed = finding["found"].as_array().unwrap().len();
    assert!(listed > 5, "{listed}");
    assert_eq!(finding["more"], 1000 - listed);
}

/// A name that would be a command for a terminal, and for GitHub's runner in both of its spellings.
const EVIL: &str = r###"(module
    (import "##[add-mask]x\1b[2J\0a::stop-commands::y\0d\e2\80\aez\ef\bb\bf" "##[error]\0a::error::f" (func)))"###;

#[test]
fn an_evil_name_is_harmless_in_every_form() {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("evil.wasm", EVIL);
    for format in ["text", "json", "sarif", "github"] {
        let answer = sandbox.run(&["check", "evil.wasm", "--format", format]);
        assert_eq!(answer.code, 1, "{answer:?}");
        for output in [&answer.stdout, &answer.stderr] {
            let steers = ['\u{1b}', '\r', '\u{202e}', '\u{feff}'];
            assert!(!output.contains(steers), "{format}: {output:?}");
            for line in output.lines() {
                let is_own = format == "github" && line.starts_with("::error file=evil.wasm,");
                assert!(
                    is_own || !line.trim_start().starts_with("::"),
                    "{format}: {line}"
                );
                assert!(is_own || !line.contains("##["), "{format}: {line}");
            }
        }
        if let "json" | "sarif" = format {
            // It still says the same.
            let text = answer.json().to_string();
            assert!(
                text.contains("##[add-mask]x") && text.contains("\u{202e}z\u{feff}"),
                "{text}"
            );
        }
    }
}
