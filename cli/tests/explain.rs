//! `wasmport explain`: where an import comes from, down to the function to look at.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;
use std::path::Path;

use command::{Registry, Sandbox};

/// A program whose own function asks for a socket, as a compiler would name it.
const APP: &str = r#"(component
    (import "wasi:sockets/tcp@0.2.6" (instance $tcp
        (export "connect" (func)) (export "listen" (func))))
    (import "wasi:cli/exit@0.2.6" (instance $exit (export "exit" (func))))
    (core func $connect (canon lower (func $tcp "connect")))
    (core func $listen (canon lower (func $tcp "listen")))
    (core module $main
        (import "tcp" "connect" (func $connect))
        (import "tcp" "listen" (func $listen))
        (func $_ZN3app4mainE (export "main") call $_ZN3app8exchangeE)
        (func $_ZN3app8exchangeE call $_ZN3std3net7connectE)
        (func $_ZN3std3net7connectE call $socket)
        (func $socket call $connect)
        (func $dead call $listen))
    (core instance $main (instantiate $main (with "tcp" (instance
        (export "connect" (func $connect)) (export "listen" (func $listen))))))
    (func (export "run") (canon lift (core func $main "main"))))"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("app.wasm", APP);
    sandbox
}

#[test]
fn every_import_has_a_block_with_the_shortest_way() {
    let answer = sandbox().run(&["explain", "app.wasm", "--crate", "app"]);
    let expected = "\
wasi:sockets/tcp@0.2.6: of 2 functions 1 reached, 1 dead
  run
    app::main
    app::exchange  ← yours
    std::net::connect
    socket  (module main)
    wasi:sockets/tcp@0.2.6#connect

wasi:cli/exit@0.2.6: unused: no code is given it
";
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (0, expected),
        "{answer:?}"
    );
}

#[test]
fn one_import_or_function_is_found_without_its_version() {
    let sandbox = sandbox();
    let import = sandbox.run(&["explain", "app.wasm", "wasi:sockets/tcp"]);
    assert!(
        import.stdout.contains("nothing leads to\n  listen"),
        "{import:?}"
    );
    assert!(!import.stdout.contains("wasi:cli/exit"), "{import:?}");
    let function = sandbox.json(&["explain", "app.wasm", "wasi:sockets/tcp@0.2.1#listen"]);
    assert_eq!(function["functions"].as_array().unwrap().len(), 1);
    assert_eq!(function["functions"][0]["reach"], "dead");
}

#[test]
fn what_is_not_imported_is_answered_with_what_is() {
    let sandbox = sandbox();
    let import = sandbox.run(&["explain", "app.wasm", "wasi:http/types"]);
    assert_eq!(import.code, 1);
    assert!(import.stderr.contains("wasi:cli/exit@0.2.6"), "{import:?}");
    let function = sandbox.run(&["explain", "app.wasm", "wasi:sockets/tcp#accept"]);
    assert_eq!(function.code, 1);
    assert!(
        function
            .stderr
            .contains("it imports\n    connect\n    listen"),
        "{function:?}"
    );
}

#[test]
fn who_is_refused_for_an_import_is_told_how_to_see_where_it_comes_from() {
    let sandbox = sandbox();
    let registry = Registry::start(&sandbox, "preset:standard");
    let hint = "`wasmport explain app.wasm wasi:sockets/tcp` says which functions lead to it";
    let checked = sandbox.run(&["check", "app.wasm"]);
    let pushed = sandbox.run(&["push", "app.wasm", &registry.reference("team/app:1")]);
    for answer in [checked, pushed] {
        assert_eq!(answer.code, 1);
        assert!(answer.stderr.contains(hint), "{answer:?}");
    }
}

#[test]
fn the_function_of_a_real_program_that_opens_a_connection_is_found() {
    let sandbox = Sandbox::new();
    let project =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/projects/files-and-sockets");
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
        sandbox.write(
            &format!("app/{file}"),
            fs::read(project.join(file)).unwrap(),
        );
    }
    sandbox.json(&["build", "app", "--no-optimize", "--names", "-o", "app.oci"]);
    let wanted = "wasi:sockets/tcp#[method]tcp-socket.start-connect";
    let found = sandbox.json(&["explain", "app.oci", wanted]);
    assert_eq!(
        (&found["named"], &found["own"][0]),
        (&true.into(), &"files_and_sockets".into())
    );
    let origin = &found["functions"][0];
    let chain = origin["chain"].as_array().unwrap();
    let responsible = usize::try_from(origin["responsible"].as_u64().unwrap()).unwrap();
    assert_eq!(
        chain[responsible]["crate"], "files_and_sockets",
        "{origin:#}"
    );
    // From there it goes on through the standard library, and nothing else of the program's.
    assert_eq!(chain[responsible + 1]["crate"], "std", "{origin:#}");
    let listed = sandbox.run(&["explain", "app.oci"]);
    assert!(
        listed.stdout.contains("files_and_sockets::main"),
        "{listed:?}"
    );
}
