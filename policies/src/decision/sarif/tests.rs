use serde_json::{Value, json};
use serde_sarif::sarif::Sarif;

use super::super::tests::{finding, policy};
use super::*;

fn sarif_of(findings: Vec<Finding>, policy: &Policy, artifact: &str) -> Value {
    let decision = Decision::of(findings);
    let judged = Judged {
        decision: &decision,
        policy,
        artifact,
        repository: "team/app",
    };
    let log = Judged::to_sarif(&[judged], &[], "0.1.0");
    expect_valid(&log);
    log
}

/// The types are made from the official schema: what it does not know, or wants and does
/// not find, is lost or refused.
#[track_caller]
fn expect_valid(log: &Value) {
    let read: Sarif = serde_json::from_value(log.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), log);
}

#[test]
fn every_code_is_a_rule_with_its_help() {
    let findings = Code::ALL.map(|code| Finding {
        code,
        ..finding("a:b/c", &["f"])
    });
    let log = sarif_of(findings.to_vec(), &policy("p.toml"), "app.wasm");
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert_eq!(rules.len(), Code::ALL.len());
    for rule in rules {
        for text in ["shortDescription", "fullDescription"] {
            let text = rule[text]["text"].as_str().unwrap();
            // GitHub shows the first 255 and 1024 characters.
            assert!(text.len() > 20 && text.len() < 1024, "{rule}");
        }
        assert!(
            rule["shortDescription"]["text"].as_str().unwrap().len() < 255,
            "{rule}"
        );
        let markdown = rule["help"]["markdown"].as_str().unwrap();
        assert!(
            markdown.contains("**Fix.**") && !markdown.contains("###"),
            "{rule}"
        );
    }
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn a_result_points_into_the_policy_and_at_the_artifact() {
    let findings = vec![finding("a:b/c", &["f"]), finding("a:b/d", &[])];
    let log = sarif_of(findings, &policy("policies/p q.toml"), "build/app.wasm");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 1, "{log}");
    let location = &results[0]["locations"][0];
    assert_eq!(
        location["physicalLocation"]["region"],
        json!({ "startLine": 5, "startColumn": 9, "endLine": 5, "endColumn": 16 })
    );
    assert_eq!(
        location["physicalLocation"]["artifactLocation"]["uri"],
        "p.toml"
    );
    assert_eq!(
        location["logicalLocations"][1]["fullyQualifiedName"],
        "a:b/d"
    );
    let related = &results[0]["relatedLocations"][0]["physicalLocation"];
    assert_eq!(related["artifactLocation"]["uri"], "build/app.wasm");
    assert_eq!(results[0]["level"], "error");
}

#[test]
fn a_preset_is_no_file_so_the_artifact_is_the_place() {
    let reference = "localhost:5000/team/app:1.0";
    let log = sarif_of(vec![finding("a:b/c", &[])], &policy("preset:x"), reference);
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(
        location["artifactLocation"]["uri"],
        "localhost%3A5000/team/app%3A1.0"
    );
}

#[test]
fn a_fingerprint_outlives_a_move_of_the_line_and_nothing_else() {
    let print = |finding: Finding| {
        let log = sarif_of(vec![finding], &policy("p.toml"), "app.wasm");
        let prints = &log["runs"][0]["results"][0]["partialFingerprints"];
        prints["primaryLocationLineHash"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut moved = finding("a:b/c", &[]);
    moved.place.as_mut().unwrap().line = 90;
    assert_eq!(print(moved), print(finding("a:b/c", &[])));
    assert_ne!(print(finding("a:b/d", &[])), print(finding("a:b/c", &[])));
}

#[test]
fn an_admitted_artifact_and_a_failure_are_valid_logs_too() {
    let log = sarif_of(Vec::new(), &policy("p.toml"), "app.wasm");
    assert_eq!(log["runs"][0]["results"], json!([]));
    let log = failed_sarif("no such file", "0.1.0");
    expect_valid(&log);
    assert_eq!(
        log["runs"][0]["invocations"][0]["executionSuccessful"],
        false
    );
}

#[test]
fn paths_are_uris() {
    assert_eq!(uri("./a/ö b.toml"), "a/%C3%B6%20b.toml");
    assert_eq!(uri("/tmp/p.toml"), "file:///tmp/p.toml");
}

#[test]
fn a_message_has_no_links() {
    let hostile = finding("[safe](https://evil.example)\\", &["f"]);
    let log = sarif_of(vec![hostile], &policy("p.toml"), "app.wasm");
    let text = &log["runs"][0]["results"][0]["message"]["text"];
    let text = text.as_str().unwrap();
    assert!(
        text.starts_with(r"`\[safe\](https://evil.example)\\` asks"),
        "{text}"
    );
    let failed = failed_sarif("[a](b)", "0.1.0");
    let message = &failed["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"];
    assert_eq!(message["text"], r"\[a\](b)");
}

#[test]
fn warnings_about_the_policy_are_results_of_their_own() {
    let text = "schema = 1\n[signer.a]\nkey = \"a\"\nnot-after = 2026-11-20\n";
    let policy = Policy::parse("p.toml", text).unwrap();
    let warnings = policy.warnings(jiff::civil::date(2026, 11, 21));
    let decision = Decision::of(vec![finding("a:b/c", &[])]);
    let judged = Judged {
        decision: &decision,
        policy: &policy,
        artifact: "app.wasm",
        repository: "team/app",
    };
    let log = Judged::to_sarif(&[judged], &warnings, "0.1.0");
    expect_valid(&log);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            (&result["ruleId"], &result["level"])
        })
        .collect();
    assert_eq!(
        told,
        [
            (&json!("import-not-allowed"), &json!("error")),
            (&json!("never-used"), &json!("note")),
            (&json!("ended"), &json!("warning")),
        ]
    );
    let place = &results[2]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "p.toml");
    assert_eq!(place["region"]["startLine"], 2);
    let help = rules.iter().find(|rule| rule["id"] == "ended").unwrap();
    let short = help["shortDescription"]["text"].as_str().unwrap();
    assert!(
        short.starts_with("An exception or a signer has ended"),
        "{short}"
    );
}
