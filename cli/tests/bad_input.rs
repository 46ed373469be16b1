//! Bad input: a clear error with a hint, the documented exit code, and nothing left behind.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;
use std::process::Command;

use command::{Answer, Registry, Sandbox};

const HELLO: &str = r#"(component (import "wasi:cli/stdout@0.2.6" (instance)))"#;

/// Every word must stand in what was said.
#[track_caller]
fn refused(answer: &Answer, code: i32, words: &[&str]) {
    assert_eq!(answer.code, code, "{answer:?}");
    assert_eq!(answer.stdout, "", "{answer:?}");
    for word in words {
        assert!(
            answer.stderr.contains(word),
            "`{word}` is not in {answer:?}"
        );
    }
}

fn cargo_project(sandbox: &Sandbox, manifest: &str, source: &str, file: &str) {
    sandbox.write("app/Cargo.toml", manifest);
    sandbox.write(&format!("app/src/{file}"), source);
}

const BINARY: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";

#[test]
fn a_directory_without_a_cargo_project() {
    let sandbox = Sandbox::new();
    refused(
        &sandbox.run(&["build"]),
        2,
        &["error:", "Cargo.toml", "hint:"],
    );
}

#[test]
fn a_package_that_is_not_there() {
    let sandbox = Sandbox::new();
    cargo_project(&sandbox, BINARY, "fn main() {}", "main.rs");
    let answer = sandbox.run(&["build", "app", "--package", "missing"]);
    refused(&answer, 2, &["`missing`", "hint:", "app"]);
}

#[test]
fn a_project_that_does_not_compile() {
    let sandbox = Sandbox::new();
    cargo_project(
        &sandbox,
        BINARY,
        "fn main() { let x: u32 = \"no\"; }",
        "main.rs",
    );
    let answer = sandbox.run(&["build", "app", "-o", "app.oci"]);
    refused(&answer, 1, &["mismatched types", "error:"]);
    assert!(!sandbox.path().join("app.oci").exists());
}

#[test]
fn a_library_without_a_cdylib() {
    let sandbox = Sandbox::new();
    cargo_project(&sandbox, BINARY, "pub fn f() {}", "lib.rs");
    refused(&sandbox.run(&["build", "app"]), 2, &["cdylib", "hint:"]);
}

#[test]
fn a_wasm_file_that_is_none() {
    let sandbox = Sandbox::new();
    let hello = wat::parse_str(HELLO).unwrap();
    sandbox.write("text.wasm", "hello");
    sandbox.write("truncated.wasm", &hello[..hello.len() - 3]);
    sandbox.write("precompiled.wasm", b"\x7fELF\x02\x01\x01\xc8");
    sandbox.write("empty.wasm", b"");
    // Nothing listens on port 1: the file has to be refused before the network is needed.
    for command in [&["inspect"][..], &["check"][..], &["push"][..]] {
        let rest: &[&str] = if command == ["push"] {
            &["127.0.0.1:1/app:1"]
        } else {
            &[]
        };
        for (file, word) in [
            ("text.wasm", "text"),
            ("truncated.wasm", "malformed"),
            ("precompiled.wasm", "ELF"),
            ("empty.wasm", "empty"),
            ("missing.wasm", "No such file"),
        ] {
            let answer = sandbox.run(&[command, &[file], rest].concat());
            refused(&answer, 2, &[file, word]);
        }
    }
}

#[test]
fn a_layout_with_a_missing_blob() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:permissive");
    cargo_project(&sandbox, BINARY, "fn main() {}", "main.rs");
    let built = sandbox.json(&["build", "app", "-o", "app.oci", "--no-optimize"]);
    let blobs = sandbox.path().join("app.oci/blobs/sha256");
    let largest = fs::read_dir(&blobs)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    fs::remove_file(
        largest
            .max_by_key(|path| fs::metadata(path).unwrap().len())
            .unwrap(),
    )
    .unwrap();
    let reference = registry.reference("app:1");
    refused(
        &sandbox.run(&["push", "app.oci", &reference]),
        2,
        &["app.oci", "sha256:", "hint:"],
    );
    assert!(built["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(
        sandbox.run(&["pull", &reference]).code,
        3,
        "nothing was pushed"
    );
}

#[test]
fn a_directory_that_is_no_layout() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path().join("folder")).unwrap();
    refused(
        &sandbox.run(&["inspect", "folder"]),
        2,
        &["folder", "layout"],
    );
}

#[test]
fn a_registry_that_is_down() {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("hello.wasm", HELLO);
    for words in [
        &["push", "hello.wasm", "127.0.0.1:1/app:1"][..],
        &["pull", "127.0.0.1:1/app:1"],
        &["inspect", "127.0.0.1:1/app:1"],
    ] {
        refused(&sandbox.run(words), 3, &["127.0.0.1:1", "hint:"]);
    }
    assert_eq!(sandbox.names(), ["hello.wasm"]);
}

#[test]
fn a_tag_that_does_not_exist() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    let reference = registry.reference("app:missing");
    refused(
        &sandbox.run(&["pull", &reference, "-o", "app.wasm"]),
        3,
        &["missing", "hint:"],
    );
    refused(
        &sandbox.run(&["verify", &reference, "--key", "none.pub"]),
        2,
        &["none.pub"],
    );
    assert_eq!(sandbox.names(), ["store"]);
}

#[test]
fn a_wrong_password() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    sandbox.write_wasm("hello.wasm", HELLO);
    sandbox.json(&["keygen", "-o", "team"]);
    let reference = registry.reference("app:1");
    let words = ["push", "hello.wasm", &reference, "--sign-key", "team.key"];
    let answer = Answer::of(sandbox.command(&words).env("COSIGN_PASSWORD", "wrong"));
    refused(&answer, 2, &["team.key", "password", "hint:"]);
    assert_eq!(
        sandbox.run(&["pull", &reference]).code,
        3,
        "nothing was pushed"
    );
}

#[test]
fn no_password_and_nobody_to_ask() {
    let sandbox = Sandbox::new();
    let answer = Answer::of(sandbox.command(&["keygen"]).env_remove("COSIGN_PASSWORD"));
    refused(&answer, 2, &["COSIGN_PASSWORD", "hint:"]);
    assert!(sandbox.names().is_empty());
}

#[test]
fn keys_that_are_there_already() {
    let sandbox = Sandbox::new();
    sandbox.write("team.pub", "mine");
    refused(
        &sandbox.run(&["keygen", "-o", "team"]),
        2,
        &["team.pub", "hint:"],
    );
    assert_eq!(sandbox.names(), ["team.pub"]);
}

#[test]
fn what_does_not_verify_is_not_pulled() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    sandbox.write_wasm("hello.wasm", HELLO);
    sandbox.json(&["keygen", "-o", "team"]);
    sandbox.json(&["keygen", "-o", "other"]);
    let reference = registry.reference("app:1");
    sandbox.json(&["push", "hello.wasm", &reference, "--sign-key", "other.key"]);
    let answer = sandbox.run(&["pull", &reference, "-o", "out.wasm", "--key", "team.pub"]);
    refused(&answer, 1, &["team.pub", "0 of the 1"]);
    assert!(!sandbox.path().join("out.wasm").exists());
}

#[test]
fn more_keys_than_there_are() {
    let sandbox = Sandbox::new();
    sandbox.json(&["keygen", "-o", "team"]);
    let words = [
        "verify",
        "127.0.0.1:1/app:1",
        "--key",
        "team.pub",
        "--require",
        "2",
    ];
    refused(&sandbox.run(&words), 2, &["--require 2", "hint:"]);
    let twice = [
        "verify",
        "127.0.0.1:1/app:1",
        "--key",
        "team.pub",
        "--key",
        "team.pub",
    ];
    refused(&sandbox.run(&twice), 2, &["same key"]);
}

#[test]
fn a_number_of_keys_that_is_asked_of_an_identity_is_a_usage_error() {
    let words = [
        "verify",
        "127.0.0.1:1/team/app:1",
        "--require",
        "5",
        "--trusted-root",
        "root.json",
        "--certificate-oidc-issuer",
        "https://issuer.example",
        "--certificate-identity",
        "a@b.example",
    ];
    refused(
        &Sandbox::new().run(&words),
        2,
        &["--require", "--certificate-identity"],
    );
}

#[test]
fn a_policy_that_cannot_be_read() {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("hello.wasm", HELLO);
    sandbox.write("policy.toml", "schema = 1\ndefualt = \"allow\"\n");
    let check = |policy: &str| sandbox.run(&["check", "hello.wasm", "--policy", policy]);
    refused(&check("policy.toml"), 2, &["policy.toml:2:1", "defualt"]);
    refused(&check("preset:missing"), 2, &["missing", "standard"]);
    refused(&check("missing.toml"), 2, &["missing.toml"]);
}

#[test]
fn usage_errors_are_json_when_json_is_asked_for() {
    let sandbox = Sandbox::new();
    let answer = sandbox.run(&["pull", "no-registry:1", "--format", "json"]);
    assert_eq!(
        (answer.code, answer.json()["error"]["kind"].as_str()),
        (2, Some("usage"))
    );
}

#[test]
fn listening_beyond_loopback_has_to_be_said() {
    let sandbox = Sandbox::new();
    let answer = sandbox.run(&["serve", "--addr", "0.0.0.0:0", "--store", "store"]);
    refused(&answer, 2, &["0.0.0.0", "--allow-remote"]);
}

/// A limit on the size of files stands in for a full disk: the kernel refuses the write in
/// the same place, with another number.
#[cfg(unix)]
fn with_full_disk(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg("trap '' XFSZ; ulimit -f 64; exec \"$@\"")
        .arg("sh")
        .arg(command.get_program());
    shell.args(command.get_args()).envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell
        .current_dir(command.get_current_dir().unwrap())
        .stdin(std::process::Stdio::null());
    shell
}

/// 100 kB that do not fit into the 64 blocks of 512 bytes (or 1 KiB, in some shells).
fn large_component() -> Vec<u8> {
    wat::parse_str(format!(
        "(component (core module (memory 2) (data (i32.const 0) \"{}\")))",
        "x".repeat(100_000)
    ))
    .unwrap()
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_file_behind() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    sandbox.write("large.wasm", large_component());
    let reference = registry.reference("app:1");
    sandbox.json(&["push", "large.wasm", &reference]);
    let pull = sandbox.command(&["pull", &reference, "-o", "out.wasm"]);
    refused(
        &Answer::of(&mut with_full_disk(&pull)),
        3,
        &["out.wasm", "written"],
    );
    assert_eq!(sandbox.names(), ["large.wasm", "store"]);
}

#[cfg(unix)]
#[test]
fn a_registry_with_a_full_disk_keeps_no_record() {
    let sandbox = Sandbox::new();
    sandbox.write("large.wasm", large_component());
    // The store's database grows past the limit by itself, so it is made beforehand.
    drop(Registry::start(&sandbox, "preset:standard"));
    let serve = sandbox.command(&["serve", "--addr", "127.0.0.1:0", "--store", "store"]);
    let registry = Registry::spawn(&mut with_full_disk(&serve));
    let push = sandbox.run(&["push", "large.wasm", &registry.reference("app:1")]);
    assert_eq!(push.code, 3, "{push:?}");
    drop(registry);
    let registry = Registry::start(&sandbox, "preset:standard");
    assert_eq!(sandbox.run(&["pull", &registry.reference("app:1")]).code, 3);
    sandbox.json(&["push", "large.wasm", &registry.reference("app:1")]);
}

#[test]
fn a_hostile_name_steers_no_terminal_and_no_runner() {
    let sandbox = Sandbox::new();
    let name = r"\1b[2J\1b]0;x\07\0d\0a::stop-commands::y\e2\80\ae`$(z)";
    let wat =
        format!(r#"(module (import "{name}" "{name}" (func $f)) (export "{name}" (func $f)))"#);
    sandbox.write_wasm("app.wasm", &wat);
    sandbox.write_wasm("other.wasm", "(module)");
    sandbox.write("open.toml", "schema = 1\ndefault = \"allow\"\n");
    let commands: [&[&str]; 8] = [
        &["inspect", "app.wasm"],
        &["explain", "app.wasm"],
        &["explain", "app.wasm", "there:is/none"],
        &["check", "app.wasm"],
        &["diff", "other.wasm", "app.wasm"],
        &["diff", "app.wasm", "other.wasm"],
        &["policy", "explain", "app.wasm"],
        &["policy", "init", "--from", "app.wasm"],
    ];
    for command in commands {
        let answer = sandbox.run(command);
        for text in [&answer.stdout, &answer.stderr] {
            let steers = |character: char| {
                (character.is_control() && character != '\n') || character == '\u{202e}'
            };
            assert!(!text.contains(steers), "{command:?}: {text:?}");
            let mut lines = text.lines();
            let is_command = |line: &str| line.trim_start().starts_with("::");
            assert!(!lines.any(is_command), "{command:?}: {text:?}");
            assert!(!text.contains("`wasmport explain app.wasm "), "{text}");
        }
    }
}

#[test]
fn what_does_not_compile_in_a_dependency_is_shown_where_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nbeside = { path = \"../beside\" }\n",
    );
    sandbox.write("app/src/main.rs", "fn main() { beside::f() }");
    sandbox.write(
        "beside/Cargo.toml",
        "[package]\nname = \"beside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    let broken = sandbox.write("beside/src/lib.rs", "pub fn f() { missing() }");
    let answer = sandbox.run(&["build", "app", "--no-optimize"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let place = format!("--> {}:1:14", broken.display());
    assert!(answer.stderr.contains(&place), "{answer:?}");
}
