use super::*;

/// A component around one core module that is worth optimising.
fn component() -> Vec<u8> {
    let waste = "(drop (i32.const 7))".repeat(1000);
    let text = format!(
        r#"(component
            (import "log" (func $log))
            (core func $lowered (canon lower (func $log)))
            (core module $m (import "" "log" (func)) (func (export "run") {waste} call 0))
            (core instance $i (instantiate $m (with "" (instance (export "log" (func $lowered))))))
            (func (export "run") (canon lift (core func $i "run"))))"#
    );
    wat::parse_str(text).unwrap()
}

fn run(component: &[u8], optimizer: &Optimizer) -> (Vec<u8>, Vec<Event>) {
    let mut events = Vec::new();
    let result = optimize(
        component.to_vec(),
        optimizer,
        Names::Dropped,
        &mut |event| {
            events.push(event);
        },
    );
    (result, events)
}

#[cfg(feature = "embedded-wasm-opt")]
#[test]
fn a_component_becomes_smaller_and_keeps_its_world() {
    let before = component();
    let (after, events) = run(&before, &Optimizer::Embedded);
    assert!(after.len() < before.len() / 2, "{events:?}");
    assert!(matches!(events.last(), Some(Event::Optimized { .. })));
    let (before, after) = (inspect(&before).unwrap(), inspect(&after).unwrap());
    assert_eq!(
        (before.imports, before.exports),
        (after.imports, after.exports)
    );
}

#[cfg(feature = "embedded-wasm-opt")]
#[test]
fn a_core_module_by_itself_becomes_smaller_too() {
    let waste = "(drop (i32.const 7))".repeat(1000);
    let text = format!(r#"(module (import "a" "unused" (func)) (func (export "f") {waste}))"#);
    let before = wat::parse_str(text).unwrap();
    let (after, events) = run(&before, &Optimizer::Embedded);
    assert!(after.len() < before.len() / 2, "{events:?}");
}

#[test]
fn a_component_without_large_modules_loses_its_names_only() {
    let before = wat::parse_str(
        r#"(component
            (core module (func $internal) (func (export "f") call $internal))
            (@custom "component-name" "\00\01x"))"#,
    );
    let before = before.unwrap();
    let (after, events) = run(&before, &Optimizer::default());
    assert!(after.len() < before.len());
    assert_eq!(events, []);
}

#[test]
fn without_an_optimizer_nothing_changes() {
    let before = component();
    assert_eq!(run(&before, &Optimizer::None), (before, vec![]));
}

#[test]
fn a_missing_program_keeps_the_component_and_says_so() {
    let before = component();
    let (after, events) = run(&before, &Optimizer::Program("/no/wasm-opt".into()));
    assert_eq!(after, before);
    let [Event::ComponentKept { reason }] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert!(reason.contains("/no/wasm-opt"), "{reason}");
}

#[cfg(unix)]
mod with_a_program {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A `wasm-opt` whose body is `script`; `$in` and `$out` are the files.
    fn program(directory: &tempfile::TempDir, script: &str) -> Optimizer {
        let path = directory.path().join("wasm-opt");
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo 'wasm-opt version 0' && exit\n\
             while [ \"$2\" != -o ]; do shift; done; in=$1 out=$3\n{script}\n"
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Optimizer::Program(path)
    }

    fn reason(script: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let before = component();
        let (after, events) = run(&before, &program(&directory, script));
        assert_eq!(inspect(&after).unwrap().core_modules, 1);
        validate(&after).unwrap();
        match events.last() {
            Some(Event::ModuleKept { reason, .. }) => reason.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_that_fails_keeps_the_module() {
        let reason = reason("echo 'Fatal: no' >&2; exit 1");
        assert!(reason.contains("Fatal: no"), "{reason}");
    }

    #[test]
    fn one_that_gains_nothing_keeps_the_module() {
        assert_eq!(reason("cp \"$in\" \"$out\""), "it became no smaller");
    }

    #[test]
    fn one_that_writes_what_is_not_valid_keeps_the_module() {
        let reason = reason("head -c 40 \"$in\" >\"$out\"");
        assert!(reason.contains("not valid"), "{reason}");
    }

    #[test]
    fn one_that_drops_an_export_keeps_the_module() {
        let reason = reason(r"printf '\000asm\001\000\000\000' >$out");
        assert_eq!(reason, "what came back has other exports");
    }

    #[test]
    fn one_that_makes_another_module_keeps_the_component() {
        // Exports `run`, but as a memory: `(module (memory 1) (export "run" (memory 0)))`.
        let directory = tempfile::tempdir().unwrap();
        let script = r"printf '\000asm\001\000\000\000\005\003\001\000\001\007\007\001\003run\002\000' >$out";
        let before = component();
        let (after, events) = run(&before, &program(&directory, script));
        assert_eq!(after, before);
        assert!(matches!(events.last(), Some(Event::ComponentKept { .. })));
    }
}

#[cfg(feature = "embedded-wasm-opt")]
#[test]
fn names_stay_through_the_optimizer_when_they_are_asked_for() {
    let waste = "(drop (i32.const 7))".repeat(1000);
    let text = format!(
        r#"(module $app (import "a" "log" (func $log))
            (func $speaks (export "f") {waste} call $log))"#
    );
    let before = wat::parse_str(text).unwrap();
    let after = optimize(
        before.clone(),
        &Optimizer::Embedded,
        Names::Kept,
        &mut |_| {},
    );
    assert!(after.len() < before.len() / 2);
    let has = |text: &str| {
        after
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(has("speaks") && has("app"));
}
