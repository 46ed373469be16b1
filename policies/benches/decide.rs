//! What a decision costs, and what it costs to read a policy.
//!
//! `cargo bench -p wasmport-policies`. The aim of a decision with a hundred rules is 100 µs.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a measurement that cannot go on has failed; the macros of divan document nothing"
)]

use std::fmt::Write as _;

use jiff::civil::{Date, date};
use wasmport_artifact::{Digest, Inspection, inspect};
use wasmport_policies::{Content, Facts, Policy, Previous, decide};

const TODAY: Date = date(2026, 11, 21);

/// What a Rust program with `std::net` and `std::fs` and an HTTP client imports.
const IMPORTS: [(&str, &[&str]); 24] = [
    ("io/poll", &["[method]pollable.block", "poll"]),
    ("io/error", &["[method]error.to-debug-string"]),
    (
        "io/streams",
        &["[method]input-stream.read", "[method]output-stream.write"],
    ),
    ("cli/environment", &["get-arguments", "get-environment"]),
    ("cli/exit", &["exit"]),
    ("cli/stdin", &["get-stdin"]),
    ("cli/stdout", &["get-stdout"]),
    ("cli/stderr", &["get-stderr"]),
    ("cli/terminal-input", &[]),
    ("cli/terminal-output", &[]),
    ("cli/terminal-stdin", &["get-terminal-stdin"]),
    ("cli/terminal-stdout", &["get-terminal-stdout"]),
    ("cli/terminal-stderr", &["get-terminal-stderr"]),
    ("clocks/monotonic-clock", &["now", "subscribe-duration"]),
    ("clocks/wall-clock", &["now"]),
    (
        "filesystem/types",
        &[
            "[method]descriptor.get-flags",
            "[method]descriptor.open-at",
            "[method]descriptor.read-via-stream",
            "[method]descriptor.stat",
            "[method]descriptor.write-via-stream",
        ],
    ),
    ("filesystem/preopens", &["get-directories"]),
    ("sockets/network", &[]),
    ("sockets/instance-network", &["instance-network"]),
    ("sockets/tcp", &["[method]tcp-socket.start-connect"]),
    ("sockets/tcp-create-socket", &["create-tcp-socket"]),
    ("sockets/ip-name-lookup", &["resolve-addresses"]),
    ("http/types", &["[constructor]fields"]),
    ("http/outgoing-handler", &["handle"]),
];

fn main() {
    divan::main();
}

fn facts(repository: &str) -> Facts {
    let mut wat = "(component".to_owned();
    for (name, functions) in IMPORTS {
        write!(wat, "(import \"wasi:{name}@0.2.6\" (instance").unwrap();
        for function in functions {
            let function = function.split_once(']').map_or(*function, |(_, name)| name);
            write!(wat, "(export \"{}\" (func))", function.replace('.', "-")).unwrap();
        }
        wat.push_str("))");
    }
    wat.push(')');
    let mut inspection = inspect(&wat::parse_str(wat).unwrap()).unwrap();
    for (import, (_, functions)) in inspection.imports.iter_mut().zip(IMPORTS) {
        import.functions = functions.iter().map(ToString::to_string).collect();
    }
    of_wasm(inspection, repository)
}

fn of_wasm(inspection: Inspection, repository: &str) -> Facts {
    let previous = Previous {
        tag: None,
        digest: Digest::of(b"before"),
        imports: inspection.imports.clone(),
    };
    let facts = serde_json::json!({
        "repository": repository,
        "digest": Digest::of(b"manifest"),
        "size": 1_000_000,
        "content": Content::Wasm { inspection: inspection.into(), disagreements: Vec::new() },
        "signedBy": ["release-1", "release-2"],
        "annotations": { "org.opencontainers.image.source": "https://example.com" },
        "previous": previous,
    });
    serde_json::from_value(facts).unwrap()
}

/// So many rules, each with all that a rule can ask for, and the widest pattern last.
fn text(rules: usize) -> String {
    let mut text =
        "schema = 1\n[always]\ndeny = [\"messaging\"]\nmax-size = \"100MiB\"\n".to_owned();
    for rule in 0..rules {
        let pattern = if rule == 0 {
            "**".to_owned()
        } else {
            format!("team-{rule}/**")
        };
        write!(
            text,
            "[[rule]]\nid = \"r{rule}\"\nrepositories = [\"{pattern}\"]\nkinds = [\"component\"]\n\
             allow = [\"std\", \"clocks\", \"random\", \"filesystem-read\", \"filesystem-write\", \
             \"http-types\", \"http-outgoing\", \"sockets\", \"dns\", \"acme:db/query@1\"]\n\
             deny = [{{ import = \"wasi:filesystem/types\", functions = [\"descriptor.unlink-*\"] }}]\n\
             require-annotations = [\"org.opencontainers.image.source\"]\nmax-size = \"20MiB\"\n\
             signatures = {{ require = 2, from = [\"release-1\", \"release-2\"] }}\n\
             new-capabilities = \"hold\"\nimmutable-tags = [\"v*\"]\n\
             [[exception]]\nrepositories = [\"{pattern}\"]\nallow = [\"keyvalue\"]\nreason = \"why not\"\n\
             expires = 2027-03-01\n"
        )
        .unwrap();
    }
    text + "[signer.release-1]\nkey = \"1\"\n[signer.release-2]\nkey = \"2\"\n"
}

/// The rule is the last that is looked at, and everything is admitted.
#[divan::bench(args = [1, 100, 1000])]
fn admit(bencher: divan::Bencher<'_, '_>, rules: usize) {
    let policy = Policy::parse("p.toml", &text(rules)).unwrap();
    let facts = facts("other/app");
    assert!(decide(&policy, &facts, TODAY).findings.is_empty());
    bencher.bench_local(|| decide(&policy, divan::black_box(&facts), TODAY));
}

/// Every import is refused.
#[divan::bench(args = [100])]
fn refuse(bencher: divan::Bencher<'_, '_>, rules: usize) {
    let text = text(rules).replace("allow = [\"std\"", "allow = [] # ");
    let policy = Policy::parse("p.toml", &text).unwrap();
    let facts = facts("team-7/app");
    assert!(decide(&policy, &facts, TODAY).findings.len() >= IMPORTS.len());
    bencher.bench_local(|| decide(&policy, divan::black_box(&facts), TODAY));
}

#[divan::bench]
fn standard(bencher: divan::Bencher<'_, '_>) {
    let policy = Policy::preset("standard").unwrap();
    let facts = facts("team/app");
    bencher.bench_local(|| decide(&policy, divan::black_box(&facts), TODAY));
}

/// The first decision, with so many names of functions that have a `*`.
#[divan::bench(args = [100, 10_000], sample_count = 10)]
fn first_with_starred_functions(bencher: divan::Bencher<'_, '_>, names: usize) {
    let names: Vec<String> = (0..names)
        .map(|it| format!("\"descriptor.*{it}-*x\""))
        .collect();
    let deny = format!(
        "deny = [{{ import = \"wasi:filesystem/types\", functions = [{}] }}] # ",
        names.join(", ")
    );
    let text = text(1).replace("deny = [{", &deny);
    let facts = facts("team/app");
    bencher
        .with_inputs(|| Policy::parse("p.toml", &text).unwrap())
        .bench_local_refs(|policy| decide(policy, &facts, TODAY).findings.len());
}

/// The first decision, where so many rules are for patterns that begin with a `*`.
#[divan::bench(args = [100, 500], sample_count = 10)]
fn first_with_starred_repositories(bencher: divan::Bencher<'_, '_>, rules: usize) {
    let mut text = "schema = 1\n".to_owned();
    for rule in 0..rules {
        write!(
            text,
            "[[rule]]\nid = \"r{rule}\"\nrepositories = [\"**/team-*-{rule}\"]\n"
        )
        .unwrap();
    }
    let facts = facts("other/app");
    bencher
        .with_inputs(|| Policy::parse("p.toml", &text).unwrap())
        .bench_local_refs(|policy| decide(policy, &facts, TODAY).findings.len());
}

/// A list of ten thousand entries, and so many imports that none of them is for.
#[divan::bench(args = [100, 10_000], sample_count = 5)]
fn long_list(bencher: divan::Bencher<'_, '_>, imports: usize) {
    let entries: Vec<String> = (0..10_000)
        .map(|it| format!("\"acme:db/q{it}@1\""))
        .collect();
    let text = format!(
        "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\nallow = [{}]\n",
        entries.join(", ")
    );
    let policy = Policy::parse("p.toml", &text).unwrap();
    let mut wat = "(component".to_owned();
    for import in 0..imports {
        write!(wat, "(import \"acme:other/q{import}@1.0.0\" (instance))").unwrap();
    }
    wat.push(')');
    let inspection = inspect(&wat::parse_str(wat).unwrap()).unwrap();
    let facts = of_wasm(inspection, "team/app");
    bencher.bench_local(|| {
        decide(&policy, divan::black_box(&facts), TODAY)
            .findings
            .len()
    });
}

#[divan::bench(args = [1, 100])]
fn parse(bencher: divan::Bencher<'_, '_>, rules: usize) {
    let text = text(rules);
    bencher.bench_local(|| Policy::parse("p.toml", divan::black_box(&text)).unwrap());
}
