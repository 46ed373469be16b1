use proptest::prelude::*;

use super::*;
use crate::inspect::inspect;

fn compare(before: &str, after: &str) -> Comparison {
    let read = |text: &str| {
        let text = if text.starts_with("(module") {
            text.to_owned()
        } else {
            format!("(component {text})")
        };
        inspect(&wat::parse_str(text).unwrap()).unwrap()
    };
    Comparison::between(&read(before), &read(after))
}

fn obstacles(before: &str, after: &str) -> Vec<String> {
    let comparison = compare(before, after);
    assert_eq!(
        comparison.can_replace(),
        comparison.obstacles.is_empty(),
        "{comparison:?}"
    );
    comparison
        .obstacles
        .iter()
        .map(ToString::to_string)
        .collect()
}

const TCP: &str = r#"(import "wasi:sockets/tcp@0.2.6" (instance (export "a" (func))))"#;
const TCP_MORE: &str =
    r#"(import "wasi:sockets/tcp@0.2.6" (instance (export "a" (func)) (export "b" (func))))"#;
const TCP_LATER: &str = r#"(import "wasi:sockets/tcp@0.2.9" (instance (export "a" (func))))"#;
const TCP_LATER_MORE: &str =
    r#"(import "wasi:sockets/tcp@0.2.9" (instance (export "a" (func)) (export "b" (func))))"#;
const TCP_NEXT: &str = r#"(import "wasi:sockets/tcp@0.3.0" (instance (export "a" (func))))"#;

#[test]
fn an_artifact_can_replace_itself_in_a_patch() {
    let comparison = compare(TCP, TCP);
    assert!(comparison.can_replace());
    assert_eq!(comparison.step, Step::Patch);
    assert!(comparison.imports.is_empty() && comparison.exports.is_empty());
}

#[test]
fn another_version_of_the_same_track_is_no_obstacle() {
    assert_eq!(obstacles(TCP, TCP_LATER), [""; 0]);
    assert_eq!(obstacles(TCP_LATER, TCP), [""; 0]);
    let changed = compare(TCP, TCP_LATER).imports.changed;
    assert_eq!(changed[0].was.as_deref(), Some("wasi:sockets/tcp@0.2.6"));
    assert_eq!(
        obstacles(TCP, TCP_NEXT),
        ["it imports `wasi:sockets/tcp@0.3.0`, which a host of the first need not have"]
    );
}

#[test]
fn a_function_of_an_interface_that_hosts_provide_whole_is_no_obstacle() {
    assert_eq!(obstacles(TCP, TCP_MORE), [""; 0]);
    assert_eq!(obstacles(TCP_LATER, TCP_MORE), [""; 0]);
    let preview1 = |function: &str| {
        format!(r#"(module (import "wasi_snapshot_preview1" "{function}" (func)))"#)
    };
    assert_eq!(
        obstacles(&preview1("fd_write"), &preview1("fd_read")),
        [""; 0]
    );
}

#[test]
fn a_function_that_a_host_need_not_have_is_one() {
    let expected =
        "it calls `b` of `wasi:sockets/tcp@0.2.9`, which a host of the first need not have";
    assert_eq!(obstacles(TCP, TCP_LATER_MORE), [expected]);
    let unversioned =
        |function: &str| format!(r#"(import "a:b/c" (instance (export "{function}" (func))))"#);
    let expected = "it calls `g` of `a:b/c`, which a host of the first need not have";
    assert_eq!(obstacles(&unversioned("f"), &unversioned("g")), [expected]);
    let env = |function: &str| format!(r#"(module (import "env" "{function}" (func)))"#);
    let expected = "it calls `g` of `env`, which a host of the first need not have";
    assert_eq!(obstacles(&env("f"), &env("g")), [expected]);
}

#[test]
fn what_is_needed_no_more_is_no_obstacle() {
    let comparison = compare(TCP_MORE, "");
    assert!(comparison.can_replace());
    assert_eq!(comparison.imports.removed[0].name, "wasi:sockets/tcp@0.2.6");
    assert_eq!(comparison.step, Step::Patch);
    let fewer = compare(TCP_MORE, TCP).imports.changed;
    assert!(fewer[0].functions_removed.contains("b"), "{fewer:?}");
}

fn export(name: &str) -> String {
    format!(r#"(instance $i) (export "{name}" (instance $i))"#)
}

#[test]
fn an_export_must_stay_and_not_become_older() {
    let (old, new) = (export("a:b/c@1.2.0"), export("a:b/c@1.3.0"));
    assert_eq!(obstacles(&old, ""), ["it does not export `a:b/c@1.2.0`"]);
    assert_eq!(
        obstacles(&new, &old),
        ["it exports `a:b/c@1.2.0`, which is older than `a:b/c@1.3.0`"]
    );
    assert_eq!(
        obstacles(&old, &export("a:b/c@2.0.0")),
        ["it does not export `a:b/c@1.2.0`"]
    );
    assert_eq!(obstacles(&old, &new), [""; 0]);
    assert_eq!(compare(&old, &new).step, Step::Minor);
    assert_eq!(compare("", &old).step, Step::Minor);
    assert_eq!(compare(&old, "").step, Step::Major);
}

#[test]
fn a_module_cannot_replace_a_component() {
    assert_eq!(
        obstacles("", "(module)"),
        ["it is a core module, and the first is a component"]
    );
}

#[test]
fn several_versions_of_a_track_are_held_against_the_newest() {
    let both = format!("{TCP}{TCP_LATER}");
    assert_eq!(obstacles(&both, TCP_LATER_MORE), [""; 0]);
    assert_eq!(obstacles(TCP_LATER, &both), [""; 0]);
}

#[test]
fn the_json_names_what_is_in_the_way() {
    let json = serde_json::to_value(compare("", TCP)).unwrap();
    assert_eq!(json["obstacles"][0]["code"], "import-added");
    assert_eq!(json["step"], "major");
    assert_eq!(json["imports"]["added"][0]["functions"][0], "a");
}

#[test]
fn steps_between_versions_are_cargos() {
    for (before, after, step) in [
        ("1.2.3", "1.2.4", Some(Step::Patch)),
        ("1.2.3", "1.3.0", Some(Step::Minor)),
        ("1.2.3", "2.0.0", Some(Step::Major)),
        ("0.2.3", "0.3.0", Some(Step::Major)),
        ("0.2.3", "0.2.4", Some(Step::Minor)),
        ("0.0.3", "0.0.4", Some(Step::Major)),
        ("0.9.0", "1.0.0", Some(Step::Major)),
        ("1.0.0-rc.1", "1.0.0", Some(Step::Patch)),
        ("1.2.3", "1.2.3", None),
        ("1.2.3", "1.2.2", None),
    ] {
        let (old, new) = (before.parse().unwrap(), after.parse().unwrap());
        assert_eq!(Step::between(&old, &new), step, "{before} {after}");
    }
}

fn any_component() -> impl Strategy<Value = String> {
    let imports = vec!["a:b/c@1.0.0", "a:b/c@1.1.0", "a:b/d", "x", "w:x/y@0.2.1"];
    let exports = vec!["e:f/g@1.0.0", "e:f/g@1.2.0", "e:f/h", "i:j/k@0.1.2"];
    let import = |name| format!(r#"(import "{name}" (instance (export "f" (func))))"#);
    let export = |name| format!(r#"(export "{name}" (instance 0))"#);
    let some = |names: Vec<&'static str>| {
        let length = names.len();
        prop::sample::subsequence(names, 0..=length)
    };
    (some(imports), some(exports)).prop_map(move |(imports, exports)| {
        let imports = imports.into_iter().map(import);
        let exports = exports.into_iter().map(export);

        let first = "(import \"first\" (instance))".to_owned();
        let all = std::iter::once(first).chain(imports);
        all.chain(exports).collect()
    })
}

proptest! {
    #[test]
    fn replacing_is_reflexive_and_transitive(
        one in any_component(),
        two in any_component(),
        three in any_component(),
    ) {
        prop_assert!(compare(&one, &one).can_replace());
        if compare(&one, &two).can_replace() && compare(&two, &three).can_replace() {
            prop_assert!(compare(&one, &three).can_replace(), "{one}\n{two}\n{three}");
        }
    }
}
