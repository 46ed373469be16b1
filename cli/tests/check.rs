//! `wasmport check` takes the decision that the registry takes: the same verdict and findings, for
//! everything that a policy can ask for.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::sync::LazyLock;

use command::{Answer, Registry, Sandbox};
use serde_json::{Value, json};
use wasmport_artifact::{Reference, Selector};
use wasmport_client::Access;
use wasmport_signature::{PrivateKey, Signature, sign_statement};

const HELLO: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#;
const SOCKETS: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "wasi:sockets/tcp-create-socket@0.2.6" (instance (export "create-tcp-socket" (func)))))"#;
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// Every repository asks for another thing that is not in the artifact itself.
const POLICY: &str = r#"
schema = 1

[signer.release]
key = "release.pub"

[[rule]]
id = "signed"
repositories = ["signed/**"]
allow = ["std"]
signatures = { require = 1, from = ["release"] }

[[rule]]
id = "attested"
repositories = ["attested/**"]
allow = ["std"]
attestations = [{ predicate = "https://slsa.dev/provenance/v1", from = ["release"] }]

[[rule]]
id = "compared"
repositories = ["compared/**"]
allow = ["std", "sockets"]
new-capabilities = "warn"

[[rule]]
id = "kept"
repositories = ["kept/**"]
allow = ["std", "sockets"]
immutable-tags = ["v*"]

[[rule]]
id = "excepted"
repositories = ["excepted/**"]
allow = ["std"]

[[exception]]
repositories = ["excepted/**"]
allow = ["sockets"]
reason = "PAY-1234"
expires = 9999-01-01
"#;

/// One pair of keys for all tests: to make one takes long, as it should.
static KEYS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    sandbox.json(&["keygen", "-o", "release"]);
    let read = |file: &str| std::fs::read_to_string(sandbox.path().join(file)).unwrap();
    [read("release.key"), read("release.pub")]
});

struct Place {
    sandbox: Sandbox,
    registry: Registry,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write_wasm("hello.wasm", HELLO);
        sandbox.write_wasm("sockets.wasm", SOCKETS);
        sandbox.write("policy.toml", POLICY);
        sandbox.write("release.key", &KEYS[0]);
        sandbox.write("release.pub", &KEYS[1]);
        let registry = Registry::start(&sandbox, "policy.toml");
        Self { sandbox, registry }
    }

    fn push(&self, file: &str, name: &str, options: &[&str]) -> Value {
        let reference = self.registry.reference(name);
        let words = [&["push", file, &reference], options].concat();
        self.sandbox.json(&words)
    }

    fn check(&self, words: &[&str]) -> Answer {
        let words = [&["check", "--policy", "policy.toml"], words].concat();
        let mut command = self.sandbox.command(&words);
        Answer::of(command.args(["--format", "json"]))
    }

    /// What the registry itself says of an artifact today.
    fn decision(&self, name: &str) -> Value {
        let reference: Reference = self.registry.reference(name).parse().unwrap();
        let selector = match reference.tag() {
            Some(tag) => Selector::Tag(tag.clone()),
            None => Selector::Digest(reference.digest().unwrap().clone()),
        };
        let asked = async {
            let access = Access::default();
            let client = wasmport_client::Registry::connect(&reference, &access).await;
            client.unwrap().decision(&selector).await.unwrap().unwrap()
        };
        tokio::runtime::Runtime::new().unwrap().block_on(asked)["today"].clone()
    }

    /// `check REF` says what the registry says.
    #[track_caller]
    fn agree(&self, name: &str) -> Value {
        let checked = self.check(&[&self.registry.reference(name)]).json();
        let decided = self.decision(name);
        assert_eq!(checked["verdict"], decided["verdict"], "{checked:#}");
        assert_eq!(checked["findings"], decided["findings"], "{checked:#}");
        assert_eq!(checked["notLookedAt"], json!([]));
        decided
    }

    /// Pushes what somebody with the key of `release` says about an artifact.
    fn attest(&self, name: &str) {
        let reference: Reference = self.registry.reference(name).parse().unwrap();
        let key = PrivateKey::from_encrypted_pem(&KEYS[0], b"secret").unwrap();
        let pushed = async {
            let access = Access::default();
            let client = wasmport_client::Registry::connect(&reference, &access).await;
            let client = client.unwrap();
            let manifest = client.resolve(&reference).await.unwrap();
            let statement = sign_statement(&key, &manifest.digest(), PROVENANCE, &json!({}));
            let statement: [Signature; 1] = [statement.unwrap()];
            let subject = manifest.descriptor();
            let time = "2026-11-21T00:00:00Z";
            wasmport_client::push_signatures(&client, &subject, &statement, time).await
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(pushed).unwrap();
    }
}

#[test]
fn signatures_are_looked_at() {
    let place = Place::new();
    place.push(
        "hello.wasm",
        "signed/app:1.0.0",
        &["--sign-key", "release.key"],
    );
    assert_eq!(place.agree("signed/app:1.0.0")["verdict"], "admit");
    let held = place.push("hello.wasm", "signed/other:1.0.0", &[]);
    let held = format!("signed/other@{}", held["digest"].as_str().unwrap());
    assert_eq!(place.agree(&held)["verdict"], "hold");
}

#[test]
fn attestations_are_looked_at() {
    let place = Place::new();
    let held = place.push("hello.wasm", "attested/app:1.0.0", &[]);
    let digest = held["digest"].as_str().unwrap();
    let held = format!("attested/app@{digest}");
    assert_eq!(place.agree(&held)["verdict"], "hold");
    place.attest(&held);
    assert_eq!(place.agree("attested/app:1.0.0")["verdict"], "admit");
}

#[test]
fn the_version_before_is_looked_at() {
    let place = Place::new();
    place.push("hello.wasm", "compared/app:1.0.0", &[]);
    let goal = place.registry.reference("compared/app:1.1.0");
    let before = place.check(&["sockets.wasm", "--as", &goal]).json();
    place.push("sockets.wasm", "compared/app:1.1.0", &[]);
    let decided = place.agree("compared/app:1.1.0");
    assert_eq!(decided["findings"][0]["code"], "new-capability");
    // What was said before the push is what is said after it.
    assert_eq!(before["findings"], decided["findings"]);
    assert_eq!(place.agree("compared/app:1.0.0")["findings"], json!([]));
}

#[test]
fn the_tag_is_looked_at() {
    let place = Place::new();
    place.push("hello.wasm", "kept/app:v1", &[]);
    assert_eq!(place.agree("kept/app:v1")["verdict"], "admit");
    let goal = place.registry.reference("kept/app:v1");
    assert_eq!(place.check(&["hello.wasm", "--as", &goal]).code, 0);
    let refused = place.check(&["sockets.wasm", "--as", &goal]);
    assert_eq!(refused.json()["findings"][0]["code"], "tag-immutable");
    let pushed = place
        .sandbox
        .run(&["push", "sockets.wasm", &goal, "--format", "json"]);
    let detail = &pushed.json()["error"]["detail"][0]["detail"];
    assert_eq!(detail["findings"], refused.json()["findings"]);
}

#[test]
fn exceptions_hold_in_both() {
    let place = Place::new();
    place.push("sockets.wasm", "excepted/app:1.0.0", &[]);
    assert_eq!(place.agree("excepted/app:1.0.0")["verdict"], "admit");
}

#[test]
fn what_is_nowhere_has_no_signatures_and_no_tag() {
    let place = Place::new();
    let words = ["hello.wasm", "--repository", "compared/app"];
    let unknown = place.check(&words).json()["notLookedAt"].clone();
    assert_eq!(unknown[0]["what"], "the version before it");
    let words = [&["check", "--policy", "policy.toml"], &words[..]].concat();
    let answer = place.sandbox.run(&words);
    assert_eq!(
        answer.stdout,
        "not looked at: the version before it (it is on no registry; say where it would be \
         pushed with `--as REF`)\nadmitted by `policy.toml` in `compared/app`\n"
    );
}

#[test]
fn a_policy_diff_over_a_registry_looks_at_all_of_it() {
    let place = Place::new();
    place.push(
        "hello.wasm",
        "signed/app:1.0.0",
        &["--sign-key", "release.key"],
    );
    let held = place.push("hello.wasm", "attested/app:1.0.0", &[]);
    place.attest(&format!(
        "attested/app@{}",
        held["digest"].as_str().unwrap()
    ));
    place.push("hello.wasm", "compared/app:1.0.0", &[]);
    place.push("sockets.wasm", "compared/app:1.1.0", &[]);
    let strict = POLICY.replace("new-capabilities = \"warn\"", "new-capabilities = \"deny\"");
    place.sandbox.write("strict.toml", strict);
    let words = ["policy", "diff", "policy.toml", "strict.toml", "--over"];
    let words = [&words[..], &[&place.registry.address, "--format", "json"]].concat();
    let answer = place.sandbox.run(&words).json();
    let changes = answer["changes"].as_array().unwrap();
    assert_eq!(answer["artifacts"], 4, "{answer:#}");
    assert_eq!(changes.len(), 1, "{answer:#}");
    assert_eq!(changes[0]["name"], "compared/app:1.1.0");
    assert_eq!(changes[0]["findings"][0]["code"], "new-capability");
}
