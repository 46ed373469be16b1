//! What cannot be built, and what is said about it.

use std::error::Error as _;
use std::path::Path;

use wasmport_builder::{
    BuildError, BuildOptions, CompileError, ErrorKind, LayoutError, Optimizer, ProjectError,
    ToolchainError,
};

use crate::bench::{Bench, options, options_with, run};

fn failed(options: &BuildOptions) -> BuildError {
    run(options).0.map(|built| built.digest).unwrap_err()
}

fn manifest(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n{rest}\n[workspace]")
}

#[test]
fn a_path_that_does_not_exist() {
    let bench = Bench::new();
    let error = failed(&options(&bench.path("nowhere")));
    assert!(
        matches!(error, BuildError::Project(ProjectError::Path { .. })),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("nowhere"));
    assert!(error.source().is_some());
}

#[test]
fn not_a_cargo_project() {
    let bench = Bench::new();
    let project = bench.project("empty", &[("README", "")]);
    let error = failed(&options(&project));
    assert!(
        matches!(error, BuildError::Project(ProjectError::NotAProject(_))),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("Cargo.toml"));
    let error = failed(&options(&project.join("README")));
    assert!(
        matches!(error, BuildError::Project(ProjectError::NotAManifest(_))),
        "{error}"
    );
}

#[test]
fn a_manifest_that_cargo_does_not_understand() {
    let bench = Bench::new();
    let project = bench.project("broken", &[("Cargo.toml", "[package]\nname = 7\n")]);
    let error = failed(&options(&project));
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("name = 7"), "{error}");
}

#[test]
fn no_such_package_and_no_such_program() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let mut chosen = options(&project);
    chosen.package = Some("goodbye".to_owned());
    assert_eq!(
        failed(&chosen).to_string(),
        "there is no package `goodbye`; there is `hello`"
    );
    let mut chosen = options(&project);
    chosen.bin = Some("goodbye".to_owned());
    let error = failed(&chosen);
    assert_eq!(
        error.to_string(),
        "the package `hello` has no program `goodbye`; it has `hello`"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn a_workspace_in_which_several_could_be_meant() {
    let bench = Bench::new();
    let member = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"");
    let workspace = bench.project(
        "workspace",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]",
            ),
            ("a/Cargo.toml", &member("a")),
            ("a/src/main.rs", "fn main() {}"),
            ("b/Cargo.toml", &member("b")),
            ("b/src/main.rs", "fn main() {}"),
        ],
    );
    let error = failed(&options(&workspace));
    assert!(error.to_string().ends_with("`a`, `b`"), "{error}");
    assert!(error.hint().unwrap().contains("--package"));
}

#[test]
fn a_library_without_a_cdylib() {
    let bench = Bench::new();
    let project = bench.project(
        "library",
        &[("Cargo.toml", &manifest("library", "")), ("src/lib.rs", "")],
    );
    let error = failed(&options(&project));
    assert!(
        matches!(error, BuildError::Project(ProjectError::NotACdylib(_))),
        "{error}"
    );
    assert_eq!(
        error.hint().unwrap(),
        "add to its Cargo.toml:\n[lib]\ncrate-type = [\"cdylib\"]"
    );
}

#[test]
fn code_that_does_not_compile_leaves_no_layout() {
    let bench = Bench::new();
    let project = bench.project(
        "typo",
        &[
            ("Cargo.toml", &manifest("typo", "")),
            ("src/main.rs", "fn main() { this_is_wrong }"),
        ],
    );
    let error = failed(&options(&project));
    assert!(
        matches!(error, BuildError::Compile(CompileError::Failed(_))),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Compile);
    assert!(!project.join("target/wasmport").exists());
}

#[test]
fn a_lock_file_that_would_change() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    std::fs::remove_file(project.join("Cargo.lock")).unwrap();
    let mut chosen = options(&project);
    chosen.locked = true;
    let error = failed(&chosen);
    assert!(
        matches!(error, BuildError::Compile(CompileError::NotBegun(_))),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Tool);
    assert!(!project.join("Cargo.lock").exists());
}

#[test]
fn a_time_that_is_none() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let error = failed(&options_with(&project, &[("SOURCE_DATE_EPOCH", "today")]));
    assert!(matches!(error, BuildError::Timestamp(_)), "{error}");
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn programs_that_are_missing() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let error = failed(&options_with(&project, &[("CARGO", "/no/cargo")]));
    assert!(
        matches!(
            error,
            BuildError::Project(ProjectError::CargoMissing { .. })
        ),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Tool);
    let error = failed(&options_with(&project, &[("RUSTC", "/no/rustc")]));
    assert_eq!(error.kind(), ErrorKind::Tool, "{error}");
    let mut chosen = options(&project);
    chosen.optimizer = Optimizer::Program("/no/wasm-opt".into());
    let error = failed(&chosen);
    assert!(matches!(error, BuildError::Optimizer(_)), "{error}");
    assert_eq!(error.kind(), ErrorKind::Tool);
}

/// A `rustc` that says that its target is in `directory`, and is good for nothing else.
#[cfg(unix)]
fn rustc_without_target(bench: &Bench, directory: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let script = format!("#!/bin/sh\necho {}\n", directory.display());
    let path = bench.project("bin", &[("rustc", &script)]).join("rustc");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn a_compiler_that_is_not_from_rustup_and_lacks_the_target() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let rustc = rustc_without_target(&bench, &bench.path("nothing-here"));
    let error = failed(&options_with(&project, &[("RUSTC", &rustc)]));
    let BuildError::Toolchain(error) = error else {
        panic!("{error}");
    };
    assert!(
        matches!(
            error,
            ToolchainError::OtherCompiler(_)
                | ToolchainError::TargetMissing(_)
                | ToolchainError::NotInstalled
        ),
        "{error}"
    );
}

#[test]
fn a_place_that_is_taken_by_something_else() {
    let bench = Bench::new();
    let project = bench.sample("hello", "hello");
    let taken = bench.project("taken", &[("thesis.txt", "years of work")]);
    let mut chosen = options(&project);
    chosen.output = Some(taken.clone());
    let error = failed(&chosen);
    assert!(
        matches!(error, BuildError::Layout(LayoutError::NotReplaced(_))),
        "{error}"
    );
    assert!(taken.join("thesis.txt").exists());
}
