//! `wasmport policy`: write, explain, test and compare policies.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use command::{Registry, Sandbox};

const HELLO: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#;
const SOCKETS: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "wasi:sockets/tcp-create-socket@0.2.6" (instance (export "create-tcp-socket" (func))))
    (import "acme:db/query@1.2.0" (instance (export "run" (func)))))"#;
const POLICY: &str = "\
schema = 1

[[rule]]
id = \"team\"
repositories = [\"team/**\"]
allow = [\"std\", \"acme:db/query@1\"]
deny = [{ import = \"sockets\", reason = \"services are reached by HTTP\" }]
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("hello.wasm", HELLO);
    sandbox.write_wasm("sockets.wasm", SOCKETS);
    sandbox.write("policy.toml", POLICY);
    sandbox
}

#[test]
fn the_template_is_a_policy_and_no_file_is_overwritten() {
    let sandbox = sandbox();
    let written = sandbox.run(&["policy", "init", "-o", "new.toml"]);
    assert_eq!(
        (written.code, written.stdout.as_str()),
        (0, "wrote new.toml\n")
    );
    sandbox.json(&["check", "hello.wasm", "--policy", "new.toml"]);
    assert_eq!(sandbox.run(&["policy", "init", "-o", "new.toml"]).code, 2);
    let printed = sandbox.run(&["policy", "init"]);
    let file = std::fs::read_to_string(sandbox.path().join("new.toml")).unwrap();
    assert_eq!(printed.stdout, file);
}

#[test]
fn a_preset_is_written_to_be_changed_and_strict_wants_keys_first() {
    let sandbox = sandbox();
    let written = sandbox.run(&["policy", "init", "--preset", "pure", "-o", "pure.toml"]);
    assert_eq!(written.code, 0, "{written:?}");
    assert_eq!(
        sandbox
            .run(&["check", "hello.wasm", "--policy", "pure.toml"])
            .code,
        1
    );

    let as_preset = sandbox.run(&["check", "hello.wasm", "--policy", "preset:strict"]);
    assert_eq!(as_preset.code, 2, "{as_preset:?}");
    assert!(
        as_preset.stderr.contains("policy init --preset strict -o"),
        "{as_preset:?}"
    );
    let strict = sandbox.run(&["policy", "init", "--preset", "strict", "-o", "strict.toml"]);
    assert_eq!(strict.code, 0, "{strict:?}");
    let unkeyed = sandbox.run(&["check", "hello.wasm", "--policy", "strict.toml"]);
    assert_eq!(unkeyed.code, 2, "{unkeyed:?}");
    assert!(
        unkeyed.stderr.contains("keys/build-server.pub"),
        "{unkeyed:?}"
    );
    let unknown = sandbox.run(&["policy", "init", "--preset", "lax"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.stderr.contains("http-service"), "{unknown:?}");
}

#[test]
fn the_smallest_policy_admits_what_it_was_written_from() {
    let sandbox = sandbox();
    let words = [
        "policy",
        "init",
        "--from",
        "sockets.wasm",
        "--repository",
        "team/app",
    ];
    sandbox.json(&[&words[..], &["-o", "small.toml"]].concat());
    let check = |file: &str, repository: &str| {
        let words = [
            "check",
            file,
            "--policy",
            "small.toml",
            "--repository",
            repository,
        ];
        sandbox.run(&words).code
    };
    assert_eq!(check("sockets.wasm", "team/app"), 0);
    assert_eq!(check("sockets.wasm", "team/other"), 1);
    sandbox.write_wasm("never.wasm", r#"(component (import "m" (core module)))"#);
    let never = sandbox.run(&["policy", "init", "--from", "never.wasm"]);
    assert_eq!(never.code, 1);
    assert!(
        never.stderr.contains("unsupported-import-kind"),
        "{never:?}"
    );
}

#[test]
fn an_explanation_has_a_line_for_every_import() {
    let sandbox = sandbox();
    let words = [
        "policy",
        "explain",
        "sockets.wasm",
        "--policy",
        "policy.toml",
    ];
    let answer = sandbox.run(&[&words[..], &["--repository", "team/app"]].concat());
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{answer:?}");
    let expected = "\
rule `team` (policy.toml:4:6) is for `team/app`
  wasi:cli/stdout@0.2.6
    stdio (get-stdout): allowed by `std` (policy.toml:6:10)
  wasi:sockets/tcp-create-socket@0.2.6
    sockets (create-tcp-socket): denied by `sockets` (policy.toml:7:9): services are reached by HTTP
  acme:db/query@1.2.0
    custom (run): allowed by `acme:db/query@1` (policy.toml:6:17)

error[import-denied]: ";
    assert!(answer.stdout.starts_with(expected), "{}", answer.stdout);
    assert!(
        answer.stdout.ends_with("denied: 1 finding\n"),
        "{}",
        answer.stdout
    );
    let elsewhere = sandbox.run(&words);
    assert!(
        elsewhere.stdout.starts_with("no rule is for `sockets`\n"),
        "{elsewhere:?}"
    );
}

const CASES: &str = r#"
policy = "../policy.toml"
today = 2026-11-21

[[case]]
name = "printing is fine"
repository = "team/app"
wasm = "../hello.wasm"
expect = "admit"
findings = []

[[case]]
name = "sockets are not"
repository = "team/app"
wat = '(component (import "wasi:sockets/tcp@0.2.6" (instance)))'
expect = "deny"
findings = [{ code = "import-denied", import = "wasi:sockets/tcp@0.2.6" }]
"#;

#[test]
fn an_explanation_names_exported_code_of_which_nothing_is_known() {
    let sandbox = sandbox();
    sandbox.write(
        "code.toml",
        "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\nallow = [\"a:b/c\"]\n",
    );
    let wat = r#"(component
        (import "a:b/c" (instance $i (export "m" (core module))))
        (export "plugin" (core module $i "m")))"#;
    sandbox.write_wasm("code.wasm", wat);
    let words = ["policy", "explain", "code.wasm", "--policy", "code.toml"];
    let explained = sandbox.run(&words);
    let lines = "  plugin\n    exported code: no policy admits it, since what it would import \
                 cannot be known\n";
    assert!(explained.stdout.contains(lines), "{explained:?}");
    assert!(
        explained.stdout.contains("denied: 1 finding"),
        "{explained:?}"
    );
    let json = sandbox.json(&words);
    assert_eq!(json["exports"][0]["export"], "plugin");
    assert_eq!(json["exports"][0]["outcome"], "unsupported");
}

#[test]
fn exceptions_that_no_longer_apply_are_told() {
    let sandbox = sandbox();
    let text = "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"team/*\"]\nallow = [\"std\"]\n\
                [[exception]]\nrepositories = [\"team/hello\"]\nallow = [\"sockets\"]\n\
                reason = \"x\"\nexpires = 2030-01-01\n";
    sandbox.write("old.toml", text);
    let inspected = sandbox.json(&["inspect", "hello.wasm"]);
    let registry = Registry::start(&sandbox, "preset:permissive");
    let pushed = sandbox.json(&["push", "hello.wasm", &registry.reference("team/hello:1")]);
    let digest = pushed["digest"].as_str().unwrap();
    let facts = serde_json::json!({
        "repository": "team/hello",
        "digest": digest,
        "content": { "what": "wasm", "inspection": inspected, "disagreements": [] },
    });
    sandbox.write("facts.json", facts.to_string());
    let words = [
        "policy",
        "diff",
        "old.toml",
        "old.toml",
        "--over",
        "facts.json",
    ];
    let compared = sandbox.run(&words);
    assert_eq!(compared.code, 0, "{compared:?}");
    let line = "\nwarning: old.toml:8:10: nothing that was looked at needs, by this exception, \
                `sockets`\n";
    assert!(compared.stdout.contains(line), "{compared:?}");
    assert_eq!(sandbox.json(&words)["warnings"][0]["code"], "not-needed");
    // For one artifact alone it is known without the others.
    let digests = format!("allow = [\"sockets\"]\ndigests = [\"{digest}\"]");
    let own = text.replace("allow = [\"sockets\"]", &digests);
    sandbox.write("own.toml", &own);
    let check = ["check", "hello.wasm", "--policy"];
    let at = ["own.toml", "--repository", "team/hello"];
    let checked = sandbox.run(&[&check[..], &at[..]].concat());
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(
        checked
            .stderr
            .contains("warning[not-needed]: the artifact that this exception is for does not need"),
        "{checked:?}"
    );
    let everybody = sandbox.run(&[
        "check",
        "hello.wasm",
        "--policy",
        "old.toml",
        "--repository",
        "team/hello",
    ]);
    assert_eq!(everybody.stderr, "", "{everybody:?}");
}

#[test]
fn cases_that_hold_are_listed() {
    let sandbox = sandbox();
    sandbox.write("tests/all.toml", CASES);
    sandbox.write("tests/other.toml", "this = \"has no cases\"");
    let answer = sandbox.run(&["policy", "test", "tests"]);
    let expected = "\
ok     tests/all.toml:5 printing is fine
ok     tests/all.toml:12 sockets are not
2 cases are as expected
";
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (0, expected),
        "{answer:?}"
    );
}

#[test]
fn cases_that_do_not_hold_show_the_difference() {
    let sandbox = sandbox();
    let wrong = CASES
        .replace("\"admit\"", "\"hold\"")
        .replace("import-denied", "no-rule");
    sandbox.write("tests/all.toml", wrong);
    let answer = sandbox.run(&["policy", "test", "tests"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""), "{answer:?}");
    let expected = "\
FAILED tests/all.toml:5 printing is fine
         - hold
         + admit
FAILED tests/all.toml:12 sockets are not
         - no-rule wasi:sockets/tcp@0.2.6
         + import-denied: `wasi:sockets/tcp@0.2.6` asks for `sockets`, which rule `team` denies
error: 2 of 2 cases are not as expected
";
    assert_eq!(answer.stderr, expected);
    let github = sandbox.run(&["policy", "test", "tests", "--format", "github"]);
    let expected =
        "::error file=tests/all.toml,line=5,title=policy-test::printing is fine%0A- hold";
    assert!(github.stdout.starts_with(expected), "{github:?}");
    let sarif = sandbox
        .run(&["policy", "test", "tests", "--format", "sarif"])
        .json();
    let place = &sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 12);
}

#[test]
fn a_case_that_is_wrong_is_an_error_and_no_failure() {
    let sandbox = sandbox();
    for (case, word) in [
        ("name = \"x\"\nexpect = \"admit\"", "not one artifact"),
        ("name = \"x\"\nexpect = \"maybe\"", "maybe"),
        ("name = \"x\"\nexpect = \"admit\"\nwat = \"(\"", "`wat`"),
        (
            "name = \"x\"\nexpect = \"admit\"\nwat = \"(component)\"",
            "`repository`",
        ),
        ("name = \"x\"\nexpect = \"admit\"\ntypo = 1", "typo"),
    ] {
        let text = format!("policy = \"../policy.toml\"\n[[case]]\n{case}\n");
        sandbox.write("tests/all.toml", text);
        let answer = sandbox.run(&["policy", "test", "tests"]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(
            answer.stderr.contains(word),
            "`{word}` is not in {answer:?}"
        );
    }
    assert_eq!(sandbox.run(&["policy", "test", "missing"]).code, 2);
}

#[test]
fn a_stricter_policy_is_held_against_what_a_registry_has() {
    let sandbox = sandbox();
    let registry = Registry::start(&sandbox, "preset:permissive");
    for (file, name) in [
        ("hello.wasm", "team/hello:1"),
        ("sockets.wasm", "team/app:2"),
    ] {
        sandbox.json(&["push", file, &registry.reference(name)]);
    }
    let diff = |old: &str, new: &str, place: &str| {
        sandbox.run(&["policy", "diff", old, new, "--over", place])
    };
    let host = registry.address.as_str();
    let stricter = diff("preset:permissive", "policy.toml", host);
    assert_eq!(stricter.code, 1, "{stricter:?}");
    let expected = "\
admit → deny  team/app:2
    import-denied: `wasi:sockets/tcp-create-socket@0.2.6` asks for `sockets`, which rule `team` denies
error: 1 of 2 artifacts would not be admitted any more
";
    assert_eq!(stricter.stderr, expected);
    let looser = diff("policy.toml", "preset:permissive", host);
    assert_eq!(looser.code, 0, "{looser:?}");
    assert!(
        looser.stdout.contains("deny → admit  team/app:2"),
        "{looser:?}"
    );
    let one = diff(
        "preset:permissive",
        "policy.toml",
        &registry.reference("team/hello"),
    );
    assert!(one.stdout.starts_with("0 of 1 artifacts"), "{one:?}");
}

#[test]
fn what_a_registry_refuses_is_skipped_and_what_cannot_be_had_is_a_failure() {
    let sandbox = sandbox();
    let registry = Registry::start(&sandbox, "preset:permissive");
    sandbox.json(&["push", "sockets.wasm", &registry.reference("team/app:2")]);
    drop(registry);
    let registry = Registry::start(&sandbox, "preset:pure");
    let place = registry.reference("team/app:2");
    let diff = ["policy", "diff", "preset:pure", "policy.toml", "--over"];
    let answer = sandbox.run(&[diff.as_slice(), &[&place]].concat());
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer.stdout.starts_with("skipped  team/app:2: "),
        "{answer:?}"
    );
    drop(registry);
    let answer = sandbox.run(&[diff.as_slice(), &[&place]].concat());
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(
        answer.stderr.contains("skipped  team/app:2: "),
        "{answer:?}"
    );
}

#[test]
fn no_policy_is_written_that_cannot_name_an_import() {
    let sandbox = sandbox();
    sandbox.write_wasm("none.wasm", r#"(module (import "" "f" (func)))"#);
    let words = ["policy", "init", "--from", "none.wasm", "-o", "none.toml"];
    let answer = sandbox.run(&words);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer
            .stderr
            .contains("no policy can name what they import")
    );
    assert!(!sandbox.path().join("none.toml").exists());
}

#[test]
fn a_store_is_looked_through_with_signatures_by_the_keys_of_each_policy() {
    let sandbox = sandbox();
    sandbox.json(&["keygen", "-o", "team"]);
    let signed = POLICY.replace(
        "deny = [",
        "signatures = { require = 1, from = [\"team\"] }\ndeny = [",
    );
    sandbox.write(
        "signed.toml",
        format!("{signed}\n[signer.team]\nkey = \"team.pub\"\n"),
    );
    let registry = Registry::start(&sandbox, "preset:permissive");
    let by_team = registry.reference("team/signed:1");
    sandbox.json(&["push", "hello.wasm", &by_team, "--sign-key", "team.key"]);
    sandbox.json(&["push", "hello.wasm", &registry.reference("team/unsigned:1")]);
    drop(registry);
    let words = [
        "policy",
        "diff",
        "preset:permissive",
        "signed.toml",
        "--over",
        "store",
    ];
    let answer = sandbox.run(&words);
    assert_eq!(answer.code, 1, "{answer:?}");
    let changes: Vec<&str> = answer
        .stderr
        .lines()
        .filter(|line| line.contains('→'))
        .collect();
    assert_eq!(changes, ["admit → hold  team/unsigned:1"], "{answer:?}");
}

#[test]
fn facts_in_files_are_enough() {
    let sandbox = sandbox();
    let inspected = sandbox.json(&["inspect", "sockets.wasm"]);
    let mut facts = serde_json::json!({
        "repository": "team/app",
        "digest": format!("sha256:{}", "0".repeat(64)),
        "content": { "what": "wasm", "inspection": inspected, "disagreements": [] },
    });
    sandbox.write("facts/app.json", facts.to_string());
    let words = [
        "policy",
        "diff",
        "preset:permissive",
        "policy.toml",
        "--over",
        "facts",
    ];
    assert_eq!(sandbox.run(&words).code, 1);
    facts["content"]["inspection"]["imports"] = serde_json::json!([]);
    sandbox.write("facts/app.json", facts.to_string());
    assert_eq!(sandbox.run(&words).code, 0);
}

#[test]
fn capabilities_are_listed_and_explained() {
    let sandbox = Sandbox::new();
    let all = sandbox.run(&["policy", "capabilities"]);
    assert!(all.stdout.lines().count() > 15, "{all:?}");
    let one = sandbox.run(&["policy", "capabilities", "filesystem-read"]);
    for part in [
        "risk       medium",
        "includes   filesystem-inert",
        "    descriptor.open-at",
        "preview1",
    ] {
        assert!(one.stdout.contains(part), "`{part}` is not in {one:?}");
    }
    let wrong = sandbox.run(&["policy", "capabilities", "socket"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("sockets"), "{wrong:?}");
}

/// An exception that has ended, and an entry that names nothing.
const STALE: &str = "\
schema = 1

[[rule]]
id = \"team\"
repositories = [\"**\"]
allow = [\"std\", \"wasi:nothing/at-all\"]

[[exception]]
repositories = [\"**\"]
allow = [\"sockets\"]
reason = \"PAY-1\"
expires = 2020-01-01
";

#[test]
fn check_warns_of_what_makes_no_sense_in_a_policy() {
    let sandbox = sandbox();
    sandbox.write("stale.toml", STALE);
    let answer = sandbox.run(&["check", "hello.wasm", "--policy", "stale.toml"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.stdout, "admitted by `stale.toml` in `hello`\n");
    let expected = "\
warning[unknown-name]: no interface of WASI is known as `wasi:nothing/at-all`
 --> stale.toml:6:17
  |
6 | allow = [\"std\", \"wasi:nothing/at-all\"]
  |                 ^^^^^^^^^^^^^^^^^^^^^
warning[ended]: this exception ended with 2020-01-01, and is none any more
  --> stale.toml:12:11
   |
12 | expires = 2020-01-01
   |           ^^^^^^^^^^
";
    assert_eq!(answer.stderr, expected);
    let json = sandbox.json(&["check", "hello.wasm", "--policy", "stale.toml"]);
    assert_eq!(json["warnings"][1]["code"], "ended");
}

#[test]
fn a_registry_logs_what_makes_no_sense_in_its_policy() {
    let sandbox = sandbox();
    let words = [
        "serve",
        "--addr",
        "127.0.0.1:0",
        "--store",
        "store",
        "--policy",
    ];
    sandbox.write("stale.toml", STALE);
    let path = sandbox.path().join("log");
    let log = std::fs::File::create(&path).unwrap();
    let mut command = sandbox.command(&[&words[..], &["stale.toml"]].concat());
    // The warnings are written before it says where it listens.
    let _registry = Registry::spawn_logged(&mut command, log.into());
    let log = std::fs::read_to_string(path).unwrap();
    let warned = log.lines().filter(|line| line.contains("makes no sense"));
    let warned: Vec<&str> = warned.collect();
    assert_eq!(warned.len(), 2, "{log}");
    assert!(warned[1].contains("stale.toml:12:11"), "{log}");
    assert!(warned[1].contains("ended"), "{log}");
}
