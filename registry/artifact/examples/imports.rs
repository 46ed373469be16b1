//! Prints the inspection of a file as JSON; `.ci/inspection` compares it with what wasm-tools finds.
//!
//!     cargo run --release -p wasmport-artifact --example imports -- FILE

#![allow(clippy::print_stdout, reason = "it is for terminals")]

use std::error::Error;

use wasmport_artifact::inspect;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("expected a file")?;
    let inspection = inspect(&std::fs::read(path)?)?;
    println!("{}", serde_json::to_string_pretty(&inspection)?);
    Ok(())
}
