#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wasmport_registry::fuzzing::evidence(bytes));
