//! `docs/policy.md` from its first command to its last, as it stands.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;
mod console;

use command::{Registry, Sandbox};

const SHOP: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "acme:db/query@1.2.0" (instance (export "run" (func)))))"#;
const REPORT: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "wasi:sockets/tcp-create-socket@0.2.6" (instance (export "create-tcp-socket" (func)))))"#;

#[test]
fn every_command_does_what_the_guide_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.md");
    let page = std::fs::read_to_string(path).unwrap();
    let sandbox = Sandbox::new();
    sandbox.write_wasm("shop.wasm", SHOP);
    sandbox.write_wasm("report.wasm", REPORT);
    let mut registry: Option<Registry> = None;
    for block in console::blocks(&page) {
        if block.language == "toml" {
            let (name, _) = block.content.split_once('\n').unwrap();
            sandbox.write(name.strip_prefix("# ").unwrap(), block.content);
            continue;
        }
        for step in console::steps(block.content) {
            if let Some(policy) = step.command.strip_prefix("serve --policy ") {
                // The store is for one at a time.
                drop(registry.take());
                registry = Some(Registry::start(&sandbox, policy.trim_end_matches(" &")));
                continue;
            }
            let address = registry.as_ref().unwrap().address.clone();
            let command = step.command.replace("localhost:5000", &address);
            let mut answer = sandbox.run(&command.split(' ').collect::<Vec<_>>());
            answer.stdout = answer.stdout.replace(&address, "localhost:5000");
            step.compare(&answer);
        }
    }
    assert!(registry.is_some());
}
