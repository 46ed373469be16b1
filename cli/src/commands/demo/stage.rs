//! Runs `wasmport` itself as a user would, and shows what was typed and what came back.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::error::{Failure, Kind};
use crate::output;

/// A temporary directory in which the commands of the demo run.
pub(super) struct Stage {
    directory: PathBuf,
    /// Removes the directory when the demo is over.
    _temporary: Option<tempfile::TempDir>,
    program: PathBuf,
    begun: Instant,
}

/// How a command should end for the demo to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    Done = 0,
    No = 1,
    Undecided = 3,
}

impl Stage {
    pub(super) fn set_up(keep: bool) -> Result<Self, Failure> {
        let temporary = tempfile::Builder::new()
            .prefix("wasmport-demo-")
            .tempdir()
            .map_err(|error| io(&error))?;
        let program = std::env::current_exe().map_err(|error| io(&error))?;
        let (directory, temporary) = if keep {
            (temporary.keep(), None)
        } else {
            (temporary.path().to_owned(), Some(temporary))
        };
        let stage = Self {
            directory,
            _temporary: temporary,
            program,
            begun: Instant::now(),
        };
        output::note(&format!("The demo works in {}", stage.directory.display()));
        Ok(stage)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn write(&self, name: &str, content: &str) -> Result<(), Failure> {
        fs::write(self.directory.join(name), content).map_err(|error| io(&error))
    }

    /// Builds a sample into `NAME.oci`. Cargo's progress goes straight to the terminal.
    pub(super) fn build(&self, name: &str) -> Result<(), Failure> {
        self.wasmport(Expect::Done, &["build", name, "-o", &format!("{name}.oci")])
    }

    /// Runs a command and shows its answer.
    pub(super) fn wasmport(&self, expect: Expect, words: &[&str]) -> Result<(), Failure> {
        show_command(words);
        let status = self.command(words).status().map_err(|error| io(&error))?;
        check(status, expect, words)
    }

    /// Runs a command, shows its words and reads its JSON answer.
    pub(super) fn wasmport_json(&self, words: &[&str]) -> Result<Value, Failure> {
        show_command(words);
        let mut command = self.command(words);
        command
            .args(["--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let answer = command.output().map_err(|error| io(&error))?;
        check(answer.status, Expect::Done, words)?;
        serde_json::from_slice(&answer.stdout)
            .map_err(|error| unexpected(words, &error.to_string()))
    }

    pub(super) fn finish(&self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        output::note(&format!(
            "\nAll of it happened as it should, in {seconds:.1} s."
        ));
    }

    fn command(&self, words: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .current_dir(&self.directory)
            .env("COSIGN_PASSWORD", "demo")
            // What the samples compile to is nobody else's.
            .env("CARGO_TARGET_DIR", self.directory.join("target"))
            .stdin(Stdio::null());
        command
    }
}

fn show_command(words: &[&str]) {
    output::note(&format!("  $ wasmport {}", words.join(" ")));
}

/// Says what the next commands are for.
pub(super) fn scene(words: &str) {
    output::note(&format!("\n● {words}"));
}

/// A registry that runs while the demo does.
pub(super) struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts `wasmport serve` and waits until it says where it listens.
    pub(super) fn start(stage: &Stage, words: &[&str]) -> Result<Self, Failure> {
        show_command(words);
        let mut command = stage.command(words);
        // What the registry decides is shown by the commands; its log would say it twice.
        command
            .args(["--format", "json"])
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| io(&error))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| io(&error))?;
        }
        let mut server = Self {
            child,
            address: String::new(),
        };
        let answer: Value =
            serde_json::from_str(&line).map_err(|error| unexpected(words, &error.to_string()))?;
        match answer.get("address").and_then(Value::as_str) {
            Some(address) => address.clone_into(&mut server.address),
            None => return Err(unexpected(words, "it did not say where it listens")),
        }
        Ok(server)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn stop(mut self) -> Result<(), Failure> {
        self.child.kill().map_err(|error| io(&error))?;
        self.child
            .wait()
            .map_err(|error| io(&error))
            .map(|_status| ())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already stopped, or stopping after a failure: either way nothing is left to say.
        let _stopped = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn check(status: ExitStatus, expect: Expect, words: &[&str]) -> Result<(), Failure> {
    if status.code() == Some(expect as i32) {
        return Ok(());
    }
    Err(unexpected(
        words,
        &format!(
            "it ended with {status}, expected exit code {}",
            expect as i32
        ),
    ))
}

fn unexpected(words: &[&str], what: &str) -> Failure {
    Failure::new(
        Kind::Run,
        format!(
            "`wasmport {}` did not do what the demo shows: {what}",
            words.join(" ")
        ),
    )
}

fn io(error: &std::io::Error) -> Failure {
    Failure::caused(Kind::Io, "failed to set the demo up", error)
}
