//! How much memory inspection takes: a small multiple of the bytes, whatever they are.
//!
//! One test, as the allocator counts for all threads.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a test that panics is a test that fails, and its numbers are small"
)]

use std::num::NonZeroUsize;

use peak_alloc::PeakAlloc;
use wasmport_artifact::{examine, inspect};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Tables that grow in steps, and what is there for no bytes at all.
const SLACK: usize = 256 * 1024;

fn leb128(mut number: usize, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push((number % 0x80) as u8 | 0x80);
        number /= 0x80;
    }
    into.push(number as u8);
}

/// A section of so many items, all alike.
fn section(id: u8, count: usize, item: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    leb128(count, &mut content);
    content.extend(item.repeat(count));
    let mut bytes = vec![id];
    leb128(content.len(), &mut bytes);
    bytes.extend(content);
    bytes
}

fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".to_vec(), sections.concat()].concat()
}

fn module(sections: &[Vec<u8>]) -> Vec<u8> {
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

/// One instance type with so many functions, imported so often.
fn imported_type(functions: usize, imports: usize) -> Vec<u8> {
    let mut shape = vec![0x42];
    leb128(functions + 1, &mut shape);
    shape.extend(b"\x01\x40\0\x01\0");
    for number in 0..functions {
        shape.extend(b"\x04\0\x05");
        shape.extend(format!("f{number:04}").as_bytes());
        shape.extend(b"\x01\0");
    }
    component(&[
        section(7, 1, &shape),
        section(10, imports, b"\0\x01a\x05\0"),
    ])
}

fn peak(run: impl FnOnce()) -> usize {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    run();
    ALLOCATOR.peak_usage().saturating_sub(before)
}

/// What it is, the bytes, and how many bytes of memory inspection and examination may take for each.
type Case = (&'static str, Vec<u8>, usize, usize);

/// The worst that we know for each list that is kept.
fn cases() -> Vec<Case> {
    let types = section(1, 1, b"\x60\0\0");
    let imports = module(&[types.clone(), section(2, 50_000, b"\0\0\0\0")]);
    let functions = module(&[
        types,
        section(3, 50_000, b"\0"),
        section(10, 50_000, b"\x02\0\x0b"),
    ]);
    vec![
        // The validator keeps 200 bytes of a type, and `limits::SHAPES` how many there are.
        ("types", component(&[section(7, 200_000, b"\x7f")]), 20, 260),
        (
            "aliases",
            component(&[section(6, 40_000, b"\x03\x02\0\0")]),
            8,
            8,
        ),
        (
            "instances",
            component(&[section(5, 50_000, b"\x01\0")]),
            40,
            40,
        ),
        ("adapters", component(&[section(8, 50_000, b"\x05")]), 1, 16),
        ("functions of an instance", imported_type(9000, 1), 32, 70),
        // Written out they are many; `limits::ITEMS` and `limits::NAME_BYTES` say how many at most.
        (
            "a type that is imported often",
            imported_type(900, 100),
            400,
            100,
        ),
        ("core imports", imports, 1, 60),
        ("core functions", functions, 1, 40),
        (
            "custom sections",
            component(&vec![section(0, 1, b"a"); 20_000]),
            1,
            1,
        ),
        ("data", module(&[section(11, 50_000, b"\x01\0")]), 1, 1),
    ]
}

#[test]
fn memory_goes_with_the_bytes() {
    for (what, bytes, inspection_factor, examination_factor) in cases() {
        let inspected = peak(|| drop(inspect(&bytes)));
        let examined = peak(|| drop(examine(&bytes, NonZeroUsize::MIN)));
        let size = bytes.len();
        assert!(
            inspected <= size * inspection_factor + SLACK,
            "{what}: {size} bytes, and {inspected} to inspect them"
        );
        assert!(
            examined <= size * examination_factor + SLACK,
            "{what}: {size} bytes, and {examined} to examine them"
        );
    }
}
