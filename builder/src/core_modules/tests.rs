use wasmparser::Validator;

use super::*;

const NESTED: &str = r#"(component
    (component
        (core module (func (export "a")))
        (@custom "component-name" "\00\01x"))
    (core module (func (export "b")) (@custom ".debug_info" "dwarf"))
    (core module)
    (@custom "producers" "\00")
    (@custom ".dep-v0" "packages"))"#;

fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn section_names(bytes: &[u8]) -> Vec<String> {
    let payloads = Parser::new(0).parse_all(bytes);
    payloads
        .filter_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) => Some(section.name().to_owned()),
            _ => None,
        })
        .collect()
}

#[test]
fn every_core_module_is_found_wherever_it_nests() {
    let mut seen = 0;
    rewrite(&parse(NESTED), Names::Dropped, |module| {
        assert!(Validator::new().validate_all(&module).is_ok());
        seen += 1;
        module
    })
    .unwrap();
    assert_eq!(seen, 3);
}

#[test]
fn a_module_of_another_length_goes_into_its_place() {
    let large = parse(&format!(
        r#"(module (func (export "b")) (memory 1) (data (i32.const 0) "{}"))"#,
        "x".repeat(300)
    ));
    let rewritten = rewrite(&parse(NESTED), Names::Dropped, |_| large.clone()).unwrap();
    Validator::new().validate_all(&rewritten).unwrap();
    let mut seen = Vec::new();
    rewrite(&rewritten, Names::Dropped, |module| {
        seen.push(module.clone());
        module
    })
    .unwrap();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|module| *module == large));
}

#[test]
fn what_debuggers_read_goes_and_what_others_read_stays() {
    let rewritten = rewrite(&parse(NESTED), Names::Dropped, |module| module).unwrap();
    assert_eq!(section_names(&rewritten), ["producers", ".dep-v0"]);
}

#[test]
fn without_debug_sections_and_changes_the_bytes_are_the_same() {
    let bytes = parse(
        r#"(component
            (import "f" (func $f))
            (core func $lowered (canon lower (func $f)))
            (core module $m (import "" "f" (func)) (func (export "g") call 0))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $lowered))))))
            (func (export "g") (canon lift (core func $i "g"))))"#,
    );
    // The text parser writes names; they go in the first round.
    let once = rewrite(&bytes, Names::Dropped, |module| module).unwrap();
    assert_eq!(
        rewrite(&once, Names::Dropped, |module| module).unwrap(),
        once
    );
    Validator::new().validate_all(&once).unwrap();
}

#[test]
fn padded_lengths_are_read_and_written_short() {
    // One core module of eight bytes, whose length is written in five.
    let header = b"\0asm\x0d\0\x01\0";
    let module = b"\0asm\x01\0\0\0";
    let padded = [&header[..], &[1, 0x88, 0x80, 0x80, 0x80, 0x00], module].concat();
    let short = [&header[..], &[1, 8], module].concat();
    assert_eq!(
        rewrite(&padded, Names::Dropped, |module| module).unwrap(),
        short
    );
}

#[test]
fn a_core_module_is_one_itself() {
    let rewritten = rewrite(&parse("(module (func $named))"), Names::Dropped, |module| {
        assert_eq!(section_names(&module), Vec::<String>::new());
        b"replaced".to_vec()
    });
    assert_eq!(rewritten.unwrap(), b"replaced");
}

#[test]
fn bytes_that_break_off_are_an_error() {
    let bytes = parse(NESTED);
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() - 3);
    assert!(rewrite(&cut, Names::Dropped, |module| module).is_err());
}

#[test]
fn names_stay_when_they_are_asked_for() {
    let text = r#"(component
        (core module (func $named) (@custom ".debug_info" "dwarf"))
        (@custom "component-name" "\00\01x"))"#;
    let rewritten = rewrite(&parse(text), Names::Kept, |module| module).unwrap();
    assert_eq!(section_names(&rewritten), ["name", "component-name"]);
}
