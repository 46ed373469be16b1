//! How long inspection takes, alone and with validation, and how long it takes to find out who
//! calls what.
//!
//!     WASMPORT_BENCH_WASM=app.wasm cargo bench -p wasmport-artifact
//!
//! Without a file, a module of 10 MB is made. `.ci/corpus inspect` compares with `wasm-tools validate` on
//! wasm-tools itself.

#![allow(
    missing_docs,
    reason = "the macros of divan make items without documentation"
)]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::BytesCount;
use wasm_encoder::{CodeSection, Function, FunctionSection, Module, TypeSection};
use wasmport_artifact::{examine, inspect, origins, validate};

static WASM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = std::env::var_os("WASMPORT_BENCH_WASM");
    file.and_then(|path| std::fs::read(path).ok())
        .unwrap_or_else(large_module)
});

fn main() {
    divan::main();
}

/// 10,000 functions of a kilobyte.
fn large_module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for _ in 0..10_000 {
        functions.function(0);
        let mut body = Function::new([]);
        let mut operators = body.instructions();
        for _ in 0..170 {
            operators.i32_const(1).i32_const(2).i32_add().drop();
        }
        operators.end();
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module.finish()
}

#[divan::bench]
fn inspecting(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::of_slice(WASM.as_slice()))
        .bench(|| black_box(inspect(&WASM)));
}

#[divan::bench]
fn validating(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::of_slice(WASM.as_slice()))
        .bench(|| black_box(validate(&WASM)));
}

#[divan::bench(args = [1, 2, 4])]
fn examining(bencher: Bencher<'_, '_>, threads: usize) {
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    bencher
        .counter(BytesCount::of_slice(WASM.as_slice()))
        .bench(|| black_box(examine(&WASM, threads)));
}

/// Who calls what: all code is read, and the ways to all imports are found.
#[divan::bench]
fn tracing(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::of_slice(WASM.as_slice()))
        .bench(|| black_box(origins(&WASM, &[])));
}
