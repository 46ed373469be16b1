//! Inspection and validation: of bytes as they are, and of what is made of them.
#![no_main]

#[path = "../../artifact/tests/judge/composed.rs"]
mod composed;
#[path = "../../artifact/tests/judge/mod.rs"]
mod judge;

use arbitrary::Unstructured;
use judge::judge;
use wasm_smith::{Component, Config, Module};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Wasm begins with a zero, and so what wasm-smith is given does not.
    let made = match bytes.split_first() {
        Some((1, seed)) => module(seed),
        Some((2, seed)) => component(seed),
        Some((3, seed)) => put_together(seed),
        _ => None,
    };
    if let Err(wrong) = judge(made.as_deref().unwrap_or(bytes)) {
        panic!("{wrong}");
    }
});

fn module(seed: &[u8]) -> Option<Vec<u8>> {
    let module = Module::new(Config::default(), &mut Unstructured::new(seed)).ok()?;
    Some(module.to_bytes())
}

fn component(seed: &[u8]) -> Option<Vec<u8>> {
    let component = Component::new(Config::default(), &mut Unstructured::new(seed)).ok()?;
    Some(component.to_bytes())
}

fn put_together(seed: &[u8]) -> Option<Vec<u8>> {
    let text = composed::composed(&mut Unstructured::new(seed)).ok()?;
    wat::parse_str(&text).ok()
}
