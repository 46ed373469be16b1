use std::collections::BTreeSet;

use super::*;

fn catalogue() -> Catalogue {
    Catalogue::read(include_str!("../catalogue.toml")).unwrap()
}

fn preview1(functions: &[&str]) -> Vec<String> {
    needs("wasi_snapshot_preview1", functions)
}

fn filesystem(functions: &[&str]) -> Vec<String> {
    needs("wasi:filesystem/types@0.2.6", functions)
}

fn needs(import: &str, functions: &[&str]) -> Vec<String> {
    let catalogue = catalogue();
    let functions: Vec<String> = functions.iter().map(ToString::to_string).collect();
    let split = match import.parse() {
        Ok(name) => catalogue.split_interface(&name),
        Err(_) => catalogue.split_module(import),
    };
    let split = split.unwrap();
    let needs = split.needs(&functions, true, split.opens(&functions));
    needs.into_keys().map(str::to_owned).collect()
}

#[test]
fn every_capability_that_is_mentioned_is_there_once() {
    let catalogue = catalogue();
    let names: BTreeSet<&str> = catalogue
        .capabilities
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names.len(), catalogue.capabilities.len());
    assert!(names.contains(CUSTOM));
    for capability in &catalogue.capabilities {
        for included in &capability.includes {
            let included = catalogue.capability(included).unwrap();
            assert!(included.includes.is_empty(), "includes are one level deep");
        }
    }
    for split in &catalogue.splits {
        let mentioned = split
            .functions
            .keys()
            .chain(split.opened.keys())
            .chain([&split.least]);
        for name in mentioned {
            assert!(names.contains(name.as_str()), "`{name}`");
        }
    }
}

#[test]
fn no_import_has_two_entries() {
    let catalogue = catalogue();
    let plain = catalogue
        .capabilities
        .iter()
        .flat_map(|it| it.interfaces.keys());
    let split = catalogue.splits.iter().flat_map(|it| &it.imports);
    let names: Vec<String> = plain
        .chain(split)
        .map(|known| format!("{known:?}"))
        .collect();
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    // Anything with a colon that is no interface name would never match.
    for known in catalogue.splits.iter().flat_map(|it| &it.imports) {
        assert!(
            !matches!(known, Known::Module(name) if name.contains(':')),
            "{known:?}"
        );
    }
    for known in catalogue
        .capabilities
        .iter()
        .flat_map(|it| it.interfaces.keys())
    {
        assert!(matches!(known, Known::Interface(_)), "{known:?}");
    }
}

#[test]
fn what_is_opened_has_a_meaning_before_it_is_opened() {
    for split in &catalogue().splits {
        let known: BTreeSet<&String> = split.functions.values().flatten().collect();
        let listed = split.functions.values().flatten().count();
        assert_eq!(known.len(), listed, "a function is listed twice");
        for function in split.opened.values().flatten().chain([&split.opener]) {
            assert!(known.contains(function), "`{function}`");
        }
    }
}

#[test]
fn preview1_has_all_its_46_functions() {
    let catalogue = catalogue();
    let split = catalogue.split_module("wasi_snapshot_preview1").unwrap();
    assert_eq!(split.functions.values().flatten().count(), 46);
}

#[test]
fn filesystem_that_cannot_open_is_inert() {
    // What a program with a `TcpStream` imports.
    let functions = [
        "[method]descriptor.append-via-stream",
        "[method]descriptor.get-flags",
        "[method]descriptor.read-via-stream",
        "[method]descriptor.stat",
    ];
    assert_eq!(filesystem(&functions), ["filesystem-inert"]);
    assert_eq!(filesystem(&[]), ["filesystem-inert"]);
}

#[test]
fn filesystem_that_opens_reads_and_with_a_writing_function_writes() {
    let open = "[method]descriptor.open-at";
    assert_eq!(filesystem(&[open]), ["filesystem-read"]);
    let functions = [open, "[method]descriptor.write-via-stream"];
    let expected = ["filesystem-inert", "filesystem-read", "filesystem-write"];
    assert_eq!(filesystem(&functions), expected);
    // A path below a granted directory needs no file that was opened.
    assert_eq!(
        filesystem(&["[method]descriptor.unlink-file-at"]),
        ["filesystem-write"]
    );
}

#[test]
fn a_function_that_is_not_listed_asks_for_nothing_that_is_known() {
    let catalogue = catalogue();
    let name = "wasi:filesystem/types@0.2.6".parse().unwrap();
    let split = catalogue.split_interface(&name).unwrap();
    assert!(split.has("[method]descriptor.stat"));
    assert!(split.has("[resource-drop]descriptor"));
    assert!(!split.has("[method]descriptor.teleport-at"));
    assert_eq!(
        filesystem(&["[method]descriptor.teleport-at"]),
        ["filesystem-inert"]
    );
    let preview1 = catalogue.split_module("wasi_snapshot_preview1").unwrap();
    // There brackets are a part of the name.
    assert!(preview1.has("fd_write") && !preview1.has("[method]fd_write"));
    assert!(!preview1.has("[resource-drop]fd"));
}

#[test]
fn interfaces_are_known_down_to_the_function() {
    let catalogue = catalogue();
    for (interface, function, expected) in [
        ("wasi:io/poll@0.2.6", "[method]pollable.block", Some(true)),
        ("wasi:io/poll@0.2.6", "[resource-drop]pollable", Some(true)),
        ("wasi:io/poll@0.2.6", "[method]pollable.exec", Some(false)),
        ("wasi:http/types@0.3.0", "[constructor]fields", Some(true)),
        (
            "wasi:http/types@0.3.0",
            "[method]fields.entries",
            Some(false),
        ),
        ("wasi:io/poll@0.3.0", "poll", None),
    ] {
        let name = interface.parse().unwrap();
        let whole = catalogue.of_interface(&name);
        assert_eq!(
            whole.map(|it| it.has(function)),
            expected,
            "{interface} {function}"
        );
    }
    let any = "wasi:http/types".parse().unwrap();
    assert_eq!(catalogue.has_function(&any, "fields.entries"), Some(true));
    assert_eq!(catalogue.has_function(&any, "fields.exec"), Some(false));
    let unknown = "wasi:http/tapes".parse().unwrap();
    assert_eq!(catalogue.has_function(&unknown, "x"), None);
}

#[test]
fn functions_that_are_not_known_to_be_complete_are_everything() {
    let catalogue = catalogue();
    let name = "wasi:filesystem/types@0.3.0".parse().unwrap();
    let needs = catalogue
        .split_interface(&name)
        .unwrap()
        .needs(&[], false, true);
    assert_eq!(needs.len(), 3);
}

#[test]
fn preview1_is_judged_by_function() {
    assert_eq!(preview1(&["fd_write", "proc_exit"]), ["exit", "stdio"]);
    assert_eq!(preview1(&["sock_accept"]), ["sockets"]);
    let expected = ["filesystem-read", "filesystem-write", "stdio"];
    assert_eq!(preview1(&["path_open", "fd_write"]), expected);
}

#[test]
fn a_version_is_known_by_its_track() {
    let catalogue = catalogue();
    for (name, known) in [
        ("wasi:io/poll@0.2.0", true),
        ("wasi:io/poll@0.2.99", true),
        ("wasi:io/poll@0.3.0", false),
        ("wasi:io/poll@0.2.0-rc-2023-11-10", false),
        ("wasi:io/poll", false),
        ("wasi:clocks/system-clock@0.3.1", true),
        ("wasi:keyvalue/store@0.2.0-draft", true),
        ("wasi:keyvalue/store@0.2.0", false),
        ("evil:io/poll@0.2.0", false),
    ] {
        let interface = name.parse().unwrap();
        assert_eq!(
            catalogue.of_interface(&interface).is_some(),
            known,
            "{name}"
        );
    }
}
