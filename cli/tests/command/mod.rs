//! Runs the real binary in a directory of its own, and a registry beside it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A temporary directory in which commands run.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// A component made from text.
    pub(crate) fn write_wasm(&self, name: &str, text: &str) -> PathBuf {
        self.write(name, wat::parse_str(text).unwrap())
    }

    /// The names of everything in the sandbox, to see that nothing is left behind.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasmport"));
        command
            .args(words)
            .current_dir(self.path())
            .env("COSIGN_PASSWORD", "secret")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        Answer::of(&mut self.command(words))
    }

    /// Runs a command that must end well, and reads its JSON answer.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let answer = Answer::of(self.command(words).args(["--format", "json"]));
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
        answer.json()
    }
}

impl Answer {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `wasmport serve` on a free port, until it is dropped.
pub(crate) struct Registry {
    child: Child,
    pub(crate) address: String,
}

impl Registry {
    pub(crate) fn start(sandbox: &Sandbox, policy: &str) -> Self {
        let words = [
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--store",
            "store",
            "--policy",
            policy,
        ];
        Self::spawn(&mut sandbox.command(&words))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::spawn_logged(command, Stdio::null())
    }

    /// With a place for what it writes to its log.
    pub(crate) fn spawn_logged(command: &mut Command, log: Stdio) -> Self {
        let mut child = command
            .args(["--format", "json"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            address: answer["address"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn reference(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
