//! Binaryen's `wasm-opt` as a program.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::EngineError;
use crate::options::Names;

/// What `--version` says, which is also the proof that the program runs.
pub(super) fn version(program: &Path) -> Result<String, EngineError> {
    let output =
        output(Command::new(program).arg("--version")).map_err(|source| start(program, source))?;
    let text = String::from_utf8_lossy(&output.stdout);
    succeeded(&output)?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// `wasm-opt -Oz`.
pub(super) fn run(
    program: &Path,
    module: &[u8],
    features: &BTreeSet<&'static str>,
    names: Names,
) -> Result<Vec<u8>, EngineError> {
    let directory = tempfile::tempdir()?;
    let (from, to) = (
        directory.path().join("in.wasm"),
        directory.path().join("out.wasm"),
    );
    fs::write(&from, module)?;
    let mut command = Command::new(program);
    let names = match names {
        Names::Dropped => "--strip-debug",
        Names::Kept => "--debuginfo",
    };
    command.args(["-Oz", names, "--mvp-features"]);
    command.args(features.iter().map(|name| format!("--enable-{name}")));
    command.arg(&from).arg("-o").arg(&to);
    let output = output(&mut command).map_err(|source| start(program, source))?;
    succeeded(&output)?;
    Ok(fs::read(&to)?)
}

fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

fn start(program: &Path, source: io::Error) -> EngineError {
    EngineError::Start {
        program: program.to_owned(),
        source,
    }
}

fn succeeded(output: &Output) -> Result<(), EngineError> {
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(EngineError::Failed {
        status: output.status,
        words: words.lines().next().unwrap_or_default().to_owned(),
    })
}
