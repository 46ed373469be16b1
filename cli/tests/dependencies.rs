//! The arrows between the crates, as `docs/ARCHITECTURE.md` draws them, and what must stay out of which.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Each crate of the workspace, and the ones of the workspace that it may depend on.
const ARROWS: [(&str, &[&str]); 7] = [
    ("wasmport-artifact", &[]),
    ("wasmport-policies", &["wasmport-artifact"]),
    ("wasmport-signature", &["wasmport-artifact"]),
    (
        "wasmport-builder",
        &["wasmport-artifact", "wasmport-signature"],
    ),
    (
        "wasmport-client",
        &["wasmport-artifact", "wasmport-signature"],
    ),
    (
        "wasmport-registry",
        &[
            "wasmport-artifact",
            "wasmport-client",
            "wasmport-policies",
            "wasmport-signature",
        ],
    ),
    (
        "wasmport",
        &[
            "wasmport-artifact",
            "wasmport-builder",
            "wasmport-client",
            "wasmport-policies",
            "wasmport-registry",
            "wasmport-signature",
        ],
    ),
];

/// Crates that do I/O, wait, tell the time or draw random numbers: none of them is under a pure crate.
const IMPURE: [&str; 10] = [
    "async-trait",
    "chrono",
    "futures-util",
    "getrandom",
    "hyper",
    "mio",
    "oci-client",
    "reqwest",
    "tempfile",
    "tokio",
];

/// What writes Wasm, and what makes private keys: none of it is under the registry.
const NOT_IN_THE_REGISTRY: [&str; 6] = [
    "crypto_secretbox",
    "scrypt",
    "wasm-encoder",
    "wasm-opt",
    "wasm-opt-sys",
    "wasmport-builder",
];

#[test]
fn arrows_between_the_crates_point_as_drawn() -> Result<()> {
    let drawn: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(name, arrows)| (*name, arrows.iter().copied().collect()))
        .collect();
    let workspace = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()?;
    let members: BTreeSet<&str> = workspace
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(
        members,
        drawn.keys().copied().collect(),
        "the crates of the workspace"
    );

    for package in &workspace.packages {
        let name = package.name.as_str();
        let arrows: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .map(|dependency| dependency.name.as_str())
            .filter(|dependency| members.contains(dependency))
            .collect();
        let undrawn: Vec<_> = arrows.difference(&drawn[name]).collect();
        assert!(undrawn.is_empty(), "`{name}` may not depend on {undrawn:?}");
    }
    Ok(())
}

#[test]
fn pure_crates_have_nothing_impure_under_them() -> Result<()> {
    for name in ["wasmport-artifact", "wasmport-policies"] {
        let under = tree(name, &[])?;
        let impure: Vec<_> = IMPURE
            .iter()
            .filter(|name| under.contains_key(**name))
            .collect();
        assert!(impure.is_empty(), "`{name}` has {impure:?} under it");
    }
    Ok(())
}

#[test]
fn the_registry_can_neither_rewrite_nor_sign() -> Result<()> {
    let under = tree("wasmport-registry", &["--all-features"])?;
    let found: Vec<_> = NOT_IN_THE_REGISTRY
        .iter()
        .filter(|name| under.contains_key(**name))
        .collect();
    assert!(
        found.is_empty(),
        "`wasmport-registry` has {found:?} under it"
    );
    let features = under
        .get("wasmport-signature")
        .ok_or("the registry verifies signatures")?;
    assert!(
        !features.contains("sign"),
        "`wasmport-registry` turns on `sign`: {features:?}"
    );
    Ok(())
}

/// Every crate under `package` when it is built alone, with its features. `cargo metadata` cannot tell: it
/// joins the features of the whole workspace.
fn tree(package: &str, flags: &[&str]) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let answer = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--no-dedupe", "--format", "{p}|{f}", "--package", package])
        .args(flags)
        .current_dir(root())
        .output()?;
    if !answer.status.success() {
        return Err(String::from_utf8_lossy(&answer.stderr).into());
    }
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(answer.stdout)?.lines() {
        let (package, features) = line.split_once('|').ok_or("a crate and its features")?;
        let name = package
            .split_whitespace()
            .next()
            .ok_or("a crate has a name")?;
        crates
            .entry(name.to_owned())
            .or_default()
            .extend(features.split(',').map(str::to_owned));
    }
    if !crates.contains_key(package) {
        return Err(format!("`{package}` is not in its own tree").into());
    }
    Ok(crates)
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
