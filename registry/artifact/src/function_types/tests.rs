use super::*;
use crate::inspect::inspect;

fn types(text: &str) -> Result<FunctionTypes, InspectError> {
    let bytes = wat::parse_str(text).unwrap();
    FunctionTypes::of(&bytes, &inspect(&bytes).unwrap())
}

fn imported(text: &str, item: &str, function: &str) -> String {
    types(text).unwrap().import(item)[function].clone()
}

#[test]
fn types_stand_for_their_structure() {
    let text = r#"(component
        (import "acme:db/query@1.0.0" (instance
            (type $row' (record (field "id" u64) (field "name" (option string))))
            (export "row" (type $row (eq $row')))
            (type $error' (variant (case "gone") (case "busy" u32)))
            (export "error" (type $error (eq $error')))
            (export "connection" (type $connection (sub resource)))
            (export "[method]connection.run" (func
                (param "self" (borrow $connection)) (param "texts" (list string))
                (result (result (list $row) (error $error))))))))"#;
    assert_eq!(
        imported(text, "acme:db/query@1.0.0", "[method]connection.run"),
        "func(self: borrow<acme:db/query.connection>, texts: list<string>) -> \
         result<list<record { id: u64, name: option<string> }>, variant { gone, busy: u32 }>"
    );
}

#[test]
fn a_resource_has_the_name_of_the_interface_that_it_comes_from() {
    let text = |version: &str| {
        format!(
            r#"(component
            (import "wasi:io/streams@0.2.{version}" (instance $io
                (export "input-stream" (type (sub resource)))))
            (alias export $io "input-stream" (type $stream))
            (import "acme:app/files" (instance
                (alias outer 1 $stream (type $outer))
                (export "stream" (type $own (eq $outer)))
                (export "open" (func (result (own $own)))))))"#
        )
    };
    let of = |version| imported(&text(version), "acme:app/files", "open");
    assert_eq!(of("6"), "func() -> own<wasi:io/streams.input-stream>");
    assert_eq!(of("6"), of("3"));
}

#[test]
fn functions_of_worlds_and_of_core_modules_have_types_too() {
    let text = r#"(component (import "log" (func (param "text" string))))"#;
    assert_eq!(imported(text, "log", "log"), "func(text: string)");
    let module = r#"(module
        (import "env" "log" (func (param i32 i64) (result f32)))
        (func (export "run") (param f64)))"#;
    assert_eq!(imported(module, "env", "log"), "func(i32, i64) -> f32");
    assert_eq!(types(module).unwrap().export("run")["run"], "func(f64)");
}

#[test]
fn types_that_unfold_without_end_are_counted() {
    use std::fmt::Write as _;
    // 1024 numbers, in a file of a few hundred bytes.
    let mut types_of_numbers = String::from("(component (type $t0 (tuple u32 u32))");
    for number in 1..10 {
        let last = number - 1;
        write!(
            types_of_numbers,
            "(type $t{number} (tuple $t{last} $t{last}))"
        )
        .unwrap();
    }
    let text = |functions: usize| {
        let mut text = types_of_numbers.clone();
        for number in 0..functions {
            write!(text, "(import \"f{number}\" (func (param \"a\" $t9)))").unwrap();
        }
        text + ")"
    };
    types(&text(10)).unwrap();
    // Either we stop, or the validator has stopped before.
    let error = types(&text(3_000)).unwrap_err();
    let is_limit = matches!(
        error,
        InspectError::TooManyItems | InspectError::Malformed(_)
    );
    assert!(is_limit, "{error:?}");
}
