//! SARIF as it leaves the program, held against the official schema of SARIF 2.1.0.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use cargo_metadata::MetadataCommand;
use command::Sandbox;
use serde_json::{Value, json};

/// Imports of most kinds that there are findings on.
const REFUSED: &str = r#"(component
    (import "wasi:sockets/tcp@0.2.6" (instance))
    (import "wasi:sockets/udp@0.2.6" (instance))
    (import "wasi:io/poll@0.2.13" (instance (export "exec" (func))))
    (import "acme:db/query@1.0.0" (instance $i (export "m" (core module))))
    (export "plugin" (core module $i "m")))"#;
const POLICY: &str = "\
schema = 1

[always]
deny = [\"dns\"]

[[rule]]
id = \"all\"
repositories = [\"**\"]
allow = [\"std\", \"stdio\", \"wasi:scokets/tcp\", \"dns\"]
deny = [{ import = \"wasi:sockets/udp\", reason = \"no [links](https://example.com) here\" }]
require-annotations = [\"org.opencontainers.image.source\"]
require-exports = [\"wasi:cli/run\"]
max-size = \"1B\"
signatures = { require = 1, from = [\"gone\"] }

[signer.gone]
key = \"gone.pub\"
not-after = 2020-01-01
";
const PUBLIC_KEY: &str = include_str!("../../testdata/signatures/test-only-cosign-3.pub");

/// The schema as the crate carries it that has types made from it.
fn schema() -> Value {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .exec()
        .unwrap();
    let mut packages = metadata.packages.iter();
    let carrier = packages.find(|package| package.name.as_str() == "serde-sarif");
    let sources = carrier.unwrap().manifest_path.parent().unwrap();
    serde_json::from_str(&fs::read_to_string(sources.join("src/schema.json")).unwrap()).unwrap()
}

struct Official {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Official {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource("sarif.json", schema()).unwrap();
        let schema = compiler.compile("sarif.json", &mut schemas).unwrap();
        Self { schemas, schema }
    }

    #[track_caller]
    fn expect_valid(&self, log: &Value) {
        if let Err(error) = self.schemas.validate(log, self.schema) {
            panic!("{error:#}\n{log:#}");
        }
    }
}

#[test]
fn every_log_is_valid() {
    let sandbox = Sandbox::new();
    sandbox.write("policy.toml", POLICY);
    sandbox.write("gone.pub", PUBLIC_KEY);
    sandbox.write_wasm("refused.wasm", REFUSED);
    sandbox.write_wasm("pure.wasm", "(component)");
    let wrong = "policy = \"../policy.toml\"\n[[case]]\nname = \"one\"\nrepository = \"team/app\"\n\
                 wat = \"(component)\"\nexpect = \"admit\"\n";
    sandbox.write("cases/wrong.toml", wrong);
    let official = Official::new();
    for (words, code, results) in [
        (
            &["check", "refused.wasm", "--policy", "policy.toml"][..],
            1,
            10,
        ),
        (&["check", "refused.wasm"], 1, 3),
        (&["check", "pure.wasm"], 0, 0),
        (&["check", "missing.wasm"], 2, 0),
        (&["policy", "test", "cases"], 1, 1),
    ] {
        let answer = sandbox.run(&[words, &["--format", "sarif"]].concat());
        assert_eq!(answer.code, code, "{answer:?}");
        let log = answer.json();
        official.expect_valid(&log);
        let found = log["runs"][0]["results"].as_array().unwrap().len();
        assert!(found >= results, "{words:?}: {found}");
    }
}

#[test]
fn what_the_schema_does_not_have_is_not_valid() {
    let official = Official::new();
    let mut log = json!({ "version": "2.1.0", "runs": [] });
    official.expect_valid(&log);
    log["runs"] = json!([{ "tool": {} }]);
    assert!(official.schemas.validate(&log, official.schema).is_err());
}
