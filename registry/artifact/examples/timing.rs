//! Measures inspection beside `wasm-tools validate` on the same file, in turns.
//!
//!     cargo run --release -p wasmport-artifact --example timing -- WASM-TOOLS FILE…

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "it is for terminals, and there are four measurements"
)]

use std::error::Error;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use wasmport_artifact::{examine, inspect};

/// Each is run so often in turns, and the quickest counts: what else runs only makes it slower.
const ROUNDS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let wasm_tools = arguments.next().ok_or("expected the path of wasm-tools")?;
    let threads = thread::available_parallelism()?;
    println!(
        "{:>10}  {:>12}  {:>12}  {:>12}  {:>12}  {:>7}  file",
        "bytes", "inspect", "examine", "on threads", "wasm-tools", "imports"
    );
    for path in arguments {
        measure(&wasm_tools, &path, threads)?;
    }
    Ok(())
}

fn measure(
    wasm_tools: &OsString,
    path: &OsString,
    threads: NonZeroUsize,
) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let mut best = [Duration::MAX; 4];
    for _ in 0..ROUNDS {
        best[0] = best[0].min(time(|| inspect(&bytes).map(drop))?);
        best[1] = best[1].min(time(|| examine(&bytes, NonZeroUsize::MIN).map(drop))?);
        best[2] = best[2].min(time(|| examine(&bytes, threads).map(drop))?);
        best[3] = best[3].min(time(|| validate_with(wasm_tools, path))?);
    }
    println!(
        "{:>10}  {:>12.1?}  {:>12.1?}  {:>12.1?}  {:>12.1?}  {:>7}  {}",
        bytes.len(),
        best[0],
        best[1],
        best[2],
        best[3],
        inspect(&bytes)?.imports.len(),
        path.display()
    );
    Ok(())
}

fn validate_with(wasm_tools: &OsString, path: &OsString) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(wasm_tools);
    let status = command
        .arg("validate")
        .arg(path)
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err("wasm-tools refuses it".into())
    }
}

fn time<E>(run: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let begun = Instant::now();
    run()?;
    Ok(begun.elapsed())
}
