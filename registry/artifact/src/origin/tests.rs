use std::fmt::Write as _;

use super::Owner::{Dependency, Other, Program as Own, Standard};
use super::*;

fn origins_of(text: &str) -> Origins {
    let bytes = wat::parse_str(text).unwrap();
    crate::validate(&bytes).unwrap();
    origins(&bytes, &[]).unwrap()
}

/// `name: reach, entry > function > function`, one for each imported function. Before what is
/// reached through a pointer stands a `*`, through a table a `~`.
fn ways(text: &str) -> Vec<String> {
    let found = origins_of(text);
    found.functions.iter().map(way).collect()
}

fn way(origin: &Origin) -> String {
    let mut words = format!("{}: {:?}", origin.name(), origin.reach).to_lowercase();
    if let Some(entry) = &origin.entry {
        write!(words, ", {entry}").unwrap();
    }
    for frame in &origin.chain {
        let through = match frame.via {
            Via::Entry | Via::Call => "",
            Via::Pointer => "*",
            Via::Table => "~",
        };
        write!(words, " > {through}{}", frame.name).unwrap();
    }
    if origin.last == Some(Via::Table) {
        words.push_str(" > ~");
    }
    words
}

#[test]
fn calls_lead_from_an_export_to_the_lowered_import() {
    let found = ways(
        r#"(component
            (import "a:b/c" (instance $i
                (export "used" (func)) (export "dead" (func)) (export "unused" (func))))
            (core func $used (canon lower (func $i "used")))
            (core func $dead (canon lower (func $i "dead")))
            (core module $m
                (import "i" "used" (func $used))
                (import "i" "dead" (func $dead))
                (func $first (export "first") call $second)
                (func $second (return_call $used))
                (func $nobody call $dead))
            (core instance $m (instantiate $m (with "i" (instance
                (export "used" (func $used)) (export "dead" (func $dead))))))
            (func (export "run") (canon lift (core func $m "first"))))"#,
    );
    assert_eq!(
        found,
        [
            "a:b/c#dead: dead",
            "a:b/c#unused: unused",
            "a:b/c#used: direct, run > first > second",
        ]
    );
}

#[test]
fn the_shim_of_wit_component_is_looked_through_slot_by_slot() {
    let found = ways(
        r#"(component
            (import "a:b/c" (instance $i
                (export "read" (func (param "s" string)))
                (export "write" (func (param "s" string)))))
            (core module $main
                (import "a:b/c" "read" (func $read (param i32 i32)))
                (import "a:b/c" "write" (func $write (param i32 i32)))
                (memory (export "memory") 1)
                (func $start (export "start") i32.const 0 i32.const 0 call $read)
                (func $other i32.const 0 i32.const 0 call $write))
            (core module $shim
                (type $t (func (param i32 i32)))
                (table (export "$imports") 2 2 funcref)
                (func (export "0") (type $t)
                    local.get 0 local.get 1 i32.const 0 call_indirect (type $t))
                (func (export "1") (type $t)
                    local.get 0 local.get 1 i32.const 1 call_indirect (type $t)))
            (core module $fixup
                (type $t (func (param i32 i32)))
                (import "" "0" (func $0 (type $t)))
                (import "" "1" (func $1 (type $t)))
                (import "" "$imports" (table 2 2 funcref))
                (elem (i32.const 0) func $0 $1))
            (core instance $shim (instantiate $shim))
            (core instance $main (instantiate $main (with "a:b/c" (instance
                (export "read" (func $shim "0")) (export "write" (func $shim "1"))))))
            (core func $read (canon lower (func $i "read") (memory (core memory $main "memory"))))
            (core func $write (canon lower (func $i "write") (memory (core memory $main "memory"))))
            (core instance (instantiate $fixup (with "" (instance
                (export "0" (func $read)) (export "1" (func $write))
                (export "$imports" (table $shim "$imports"))))))
            (func (export "run") (canon lift (core func $main "start"))))"#,
    );
    assert_eq!(
        found,
        ["a:b/c#read: direct, run > start", "a:b/c#write: dead"]
    );
}

#[test]
fn a_call_through_a_table_may_have_any_target_of_its_type() {
    let found = ways(
        r#"(module
            (import "env" "same" (func $same (param i32)))
            (import "env" "other" (func $other))
            (type $t (func (param i32)))
            (table 2 2 funcref)
            (elem (i32.const 0) func $calls-same $calls-other)
            (func $calls-same (param i32) local.get 0 call $same)
            (func $calls-other call $other)
            (func (export "run") (param i32)
                local.get 0 local.get 0 call_indirect (type $t)))"#,
    );
    assert_eq!(
        found,
        [
            "env#other: dead",
            "env#same: indirect, run > run > ~calls-same",
        ]
    );
}

#[test]
fn a_way_of_calls_is_shown_before_a_shorter_one_through_a_table() {
    let found = ways(
        r#"(module
            (import "env" "f" (func $f))
            (type $t (func))
            (table 1 1 funcref)
            (elem (i32.const 0) func $near)
            (func $near call $f)
            (func (export "run") (param i32)
                call $a
                local.get 0 call_indirect (type $t))
            (func $a call $b)
            (func $b call $c)
            (func $c call $f))"#,
    );
    assert_eq!(found, ["env#f: direct, run > run > a > b > c"]);
}

#[test]
fn references_are_followed_through_tables_that_code_writes_to() {
    let found = ways(
        r#"(module
            (import "env" "set" (func $set))
            (import "env" "referenced" (func $referenced))
            (import "env" "copied" (func $copied))
            (import "env" "kept" (func $kept))
            (type $t (func))
            (type $r (func (param f32)))
            (type $c (func (param i64)))
            (table $written 1 1 funcref)
            (table $filled 1 1 funcref)
            (elem $segment funcref (ref.func $calls-copied))
            (elem declare func $calls-set $calls-referenced)
            (func $calls-set call $set)
            (func $calls-referenced (param f32) call $referenced)
            (func $calls-copied (param i64) call $copied)
            (func $calls-kept (param f64) call $kept)
            (func (export "writes") (param i32)
                i32.const 0 ref.func $calls-set table.set $written
                local.get 0 call_indirect $written (type $t))
            (func (export "copies") (param i32)
                i32.const 0 i32.const 0 i32.const 1 table.init $filled $segment
                i64.const 0 local.get 0 call_indirect $filled (type $c))
            (func (export "refers")
                f32.const 0 ref.func $calls-referenced call_ref $r))"#,
    );
    assert_eq!(
        found,
        [
            "env#copied: indirect, copies > copies > ~calls-copied",
            "env#kept: dead",
            "env#referenced: indirect, refers > refers > ~calls-referenced",
            "env#set: indirect, writes > writes > ~calls-set",
        ]
    );
}

#[test]
fn a_slot_that_code_may_write_to_is_not_taken_for_certain() {
    let found = ways(
        r#"(module
            (import "env" "f" (func $f))
            (type $t (func))
            (table $t 2 2 funcref)
            (elem declare func $calls)
            (func $calls call $f)
            (func (export "sets") (param i32) local.get 0 ref.func $calls table.set $t)
            (func (export "calls") nop i32.const 1 call_indirect $t (type $t)))"#,
    );
    assert_eq!(found, ["env#f: indirect, calls > calls > ~calls"]);
}

#[test]
fn references_that_a_host_can_get_lead_to_what_they_refer_to() {
    let danger = r#"(import "env" "danger" (func $d))"#;
    let refers = "(func $f (call $d)) (elem declare func $f)";
    for (imports, rest) in [
        (
            "",
            "(table (export \"t\") 1 funcref)
             (func (export \"run\") (table.set 0 (i32.const 0) (ref.func $f)))",
        ),
        ("", "(func (export \"get\") (result funcref) (ref.func $f))"),
        (
            r#"(import "env" "register" (func $r (param funcref)))"#,
            "(func (export \"run\") (call $r (ref.func $f)))",
        ),
        (
            r#"(import "env" "t" (table 1 funcref))"#,
            "(elem (i32.const 0) func $f)",
        ),
        (
            "",
            "(global (export \"g\") (mut funcref) (ref.null func))
             (func (export \"run\") (global.set 0 (ref.func $f)))",
        ),
        (
            "",
            "(tag $t (export \"t\") (param funcref))
             (func (export \"run\") (throw $t (ref.func $f)))",
        ),
    ] {
        let found = ways(&format!("(module {danger} {imports} {refers} {rest})"));
        assert!(
            found[0].starts_with("env#danger: indirect, "),
            "{rest}: {found:?}"
        );
    }
    // Nobody outside gets at a reference that stays inside.
    let inside = "(func (export \"run\") (drop (ref.func $f)))";
    let found = ways(&format!("(module {danger} {refers} {inside})"));
    assert_eq!(found, ["env#danger: dead"]);
}

#[test]
fn tables_and_globals_of_a_host_may_hold_any_function() {
    let found = ways(
        r#"(module
            (import "env" "t" (table 1 funcref))
            (import "env" "g" (global funcref))
            (import "env" "n" (global i32))
            (func (export "run") (call_indirect (i32.const 0))))"#,
    );
    assert_eq!(
        found,
        [
            "env#g: indirect, a reference that a host can get",
            "env#t: indirect, run > ~"
        ]
    );
    let found = ways(
        r#"(module
            (import "env" "danger" (global $g funcref))
            (table 1 funcref) (elem (i32.const 0) funcref (global.get $g))
            (func (export "run") (call_indirect (i32.const 0))))"#,
    );
    assert!(found[0].starts_with("env#danger: "), "{found:?}");
    assert!(
        !found[0].contains("unused") && !found[0].contains("dead"),
        "{found:?}"
    );
}

#[test]
fn what_code_copies_into_tables_counts_as_work() {
    // A thousand elements that are copied into each of many tables.
    let tables = "(table 1000 funcref)".repeat(90);
    let elements = "$f ".repeat(250_000);
    let mut copies = String::new();
    for table in 0..90 {
        write!(
            copies,
            "(table.init {table} $s (i32.const 0) (i32.const 0) (i32.const 0))"
        )
        .unwrap();
    }
    let text = format!("(module {tables} (func $f) (elem $s func {elements}) (func {copies}))");
    let refused = origins(&wat::parse_str(text).unwrap(), &[]);
    assert!(matches!(refused, Err(OriginError::TooMuchToLink)));
}

#[test]
fn start_functions_and_functions_that_the_runtime_calls_are_entries() {
    let found = ways(
        r#"(component
            (import "start" (func $start))
            (import "post" (func $post))
            (import "dtor" (func $dtor))
            (core func $start (canon lower (func $start)))
            (core func $post (canon lower (func $post)))
            (core func $dtor (canon lower (func $dtor)))
            (core module $m
                (import "" "start" (func $start))
                (import "" "post" (func $post))
                (import "" "dtor" (func $dtor))
                (start $begin)
                (func $begin call $start)
                (func (export "run"))
                (func $cleanup (export "cleanup") call $post)
                (func $drop (export "drop") (param i32) call $dtor))
            (core instance $m (instantiate $m (with "" (instance
                (export "start" (func $start)) (export "post" (func $post))
                (export "dtor" (func $dtor))))))
            (type (resource (rep i32) (dtor (core func $m "drop"))))
            (func (export "run") (canon lift (core func $m "run")
                (post-return (core func $m "cleanup")))))"#,
    );
    assert_eq!(
        found,
        [
            "start: direct, start of the core module `m` > begin",
            "post: direct, run > cleanup",
            "dtor: direct, destructor of a resource > drop",
        ]
    );
}

#[test]
fn nested_components_and_outer_aliases_are_connected() {
    let found = ways(
        r#"(component
            (import "a:b/c" (instance $i (export "f" (func)) (export "g" (func))))
            (core module $shared
                (import "" "f" (func $f))
                (func $work (export "work") call $f))
            (component $inner
                (import "given" (func $given))
                (core func $lowered (canon lower (func $given)))
                (alias outer 1 $shared (core module $again))
                (core instance $m (instantiate $again (with "" (instance
                    (export "f" (func $lowered))))))
                (func $lifted (canon lift (core func $m "work")))
                (instance (export "api") (export "do" (func $lifted))))
            (alias export $i "f" (func $f))
            (alias export $i "g" (func $g))
            (instance $one (instantiate $inner (with "given" (func $f))))
            (instance $two (instantiate $inner (with "given" (func $g))))
            (alias export $one "api" (instance $api))
            (alias export $api "do" (func $do))
            (core func $do (canon lower (func $do)))
            (core module $outer
                (import "" "do" (func $do))
                (func $run (export "run") call $do))
            (core instance $outer (instantiate $outer (with "" (instance
                (export "do" (func $do))))))
            (func (export "run") (canon lift (core func $outer "run"))))"#,
    );
    assert_eq!(
        found,
        ["a:b/c#f: direct, run > run > work", "a:b/c#g: dead"]
    );
}

#[test]
fn drops_of_imported_resources_and_reexported_imports_count() {
    let found = ways(
        r#"(component
            (import "a:b/c" (instance $i (export "r" (type (sub resource)))))
            (import "d:e/f" (instance $passed (export "g" (func))))
            (alias export $i "r" (type $r))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "drop" (func $drop (param i32)))
                (func $run (export "run") i32.const 0 call $drop))
            (core instance $m (instantiate $m (with "" (instance (export "drop" (func $drop))))))
            (func (export "run") (canon lift (core func $m "run")))
            (export "again" (instance $passed)))"#,
    );
    assert_eq!(
        found,
        [
            "a:b/c#[resource-drop]r: direct, run > run",
            "d:e/f#g: direct, again",
        ]
    );
}

#[test]
fn what_an_imported_component_is_given_it_may_call() {
    let found = ways(
        r#"(component
            (import "plugin" (component $plugin (import "cb" (func))))
            (import "f" (func $f))
            (core func $f (canon lower (func $f)))
            (core module $m
                (import "" "f" (func $f))
                (func $callback (export "callback") call $f))
            (core instance $m (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func $callback (canon lift (core func $m "callback")))
            (instance (instantiate $plugin (with "cb" (func $callback)))))"#,
    );
    assert_eq!(
        found,
        [
            "plugin: unused",
            "f: direct, `cb`, given to an imported component > callback",
        ]
    );
}

#[test]
fn the_function_to_look_at_is_the_last_one_of_the_own_crate() {
    let found = origins_of(
        r#"(module $app-0123456789abcdef.wasm
            (import "env" "f" (func $f))
            (func $_ZN3app4mainE (export "main") call $_ZN3dep4openE)
            (func $_ZN3dep4openE call $_ZN3app6helperE)
            (func $_ZN3app6helperE call $_ZN3std2fs4openE)
            (func $_ZN3std2fs4openE call $c)
            (func $c call $f))"#,
    );
    assert!(found.own.contains("app") && found.named);
    let origin = &found.functions[0];
    assert_eq!(origin.responsible().unwrap().name, "app::helper");
    let owners: Vec<_> = origin.chain.iter().map(|frame| frame.owner).collect();
    assert_eq!(owners, [Own, Dependency, Own, Standard, Other]);
}

#[test]
fn without_names_functions_have_numbers_or_are_called_as_they_are_exported() {
    let mut module = wat::parse_str(
        r#"(module
            (import "env" "f" (func))
            (func (export "main") call 2)
            (func call 0))"#,
    )
    .unwrap();
    let found = origins(&module, &[]).unwrap();
    assert!(!found.named);
    assert_eq!(
        way(&found.functions[0]),
        "env#f: direct, main > main > function 2"
    );
    module.truncate(module.len() - 1);
    assert!(origins(&module, &[]).is_err());
}

#[test]
fn a_component_that_instantiates_without_measure_is_refused() {
    // Each component instantiates the one before it twice.
    let mut text = String::from("(component $c0 (core module (func)))");
    for level in 1..40 {
        let before = level - 1;
        write!(
            text,
            "(component $c{level}
                (alias outer 1 $c{before} (component $b))
                (instance (instantiate $b)) (instance (instantiate $b)))"
        )
        .unwrap();
    }
    let bytes = wat::parse_str(format!("(component {text} (instance (instantiate $c39)))"));
    let refused = origins(&bytes.unwrap(), &[]);
    assert!(matches!(refused, Err(OriginError::TooMuchToLink)));
}

#[test]
fn deep_chains_of_calls_and_of_components_take_no_stack() {
    let mut text = String::from("(import \"env\" \"f\" (func $f)) (func (export \"run\") call 2)");
    for next in 3..50_000 {
        write!(text, "(func call {next})").unwrap();
    }
    let found = origins_of(&format!("(module {text} (func call $f))"));
    assert_eq!(found.functions[0].chain.len(), limits::CHAIN_FUNCTIONS);
    let mut text = String::from("(component $c0)");
    for level in 1..900 {
        write!(
            text,
            "(component $c{level} (alias outer 1 $c{} (component $b)) (instance (instantiate $b)))",
            level - 1
        )
        .unwrap();
    }
    origins_of(&format!(
        "(component {text} (instance (instantiate $c899)))"
    ));
}

/// Code as Rust's compiler makes it: the place of the table is added to each address.
const POINTERS: &str = r#"(module
    (import "env" "f" (func $f))
    (import "env" "g" (func $g))
    (type $t (func (param i32)))
    (memory 1)
    (global $table_base i32 (i32.const 1))
    (global $memory_base i32 (i32.const 0))
    (table 5 5 funcref)
    (elem (i32.const 1) func $other $callback $drop $method)
    ;; A location in a source file, then the methods of a trait: drop, size, align, method.
    (data (i32.const 2048) "\00\09\00\00\02\00\00\00\04\00\00\00\02\00\00\00")
    (data (i32.const 2064) "\03\00\00\00\02\00\00\00\02\00\00\00\04\00\00\00")
    (data (i32.const 2304) "a.rs")
    (func $other (param i32) call $f call $g)
    (func $callback (param i32) call $f)
    (func $drop (param i32))
    (func $method (param i32) call $g)
    (func $runs (param i32) i32.const 0 local.get 0 call_indirect (type $t))
    (func (export "start")
        call $panics
        call $hands-out
        call $makes-object)
    (func $panics
        global.get $memory_base i32.const 2048 i32.add call $runs)
    (func $hands-out
        global.get $table_base i32.const 1 i32.add call $runs)
    (func $makes-object
        global.get $memory_base i32.const 2064 i32.add call $runs))"#;

#[test]
fn pointers_in_code_and_in_tables_of_methods_are_preferred_to_any_target() {
    let expected = [
        "env#f: indirect, start > start > hands-out > *callback",
        "env#g: indirect, start > start > makes-object > *method",
    ];
    assert_eq!(ways(POINTERS), expected);
    // As an optimizer leaves it.
    let folded = POINTERS
        .replace(
            "global.get $memory_base i32.const 2048 i32.add",
            "i32.const 2048",
        )
        .replace("global.get $table_base i32.const 1 i32.add", "i32.const 2")
        .replace(
            "global.get $memory_base i32.const 2064 i32.add",
            "i32.const 2064",
        );
    assert_eq!(ways(&folded), expected);
}

#[test]
fn a_pointer_that_nobody_calls_leads_nowhere() {
    let without = POINTERS.replace("local.get 0 call_indirect (type $t)", "drop");
    assert_eq!(ways(&without), ["env#f: dead", "env#g: dead"]);
}
