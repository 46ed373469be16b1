//! The workbench: a temporary directory with projects in it, and how they are built.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use wasmport_builder::{BuildError, BuildOptions, Built, Environment, Event, build};

/// A temporary directory that projects are built in.
pub(crate) struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Copies a sample to `name`.
    pub(crate) fn sample(&self, sample: &str, name: &str) -> PathBuf {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/projects");
        let to = self.path(name);
        copy(&samples.join(sample), &to);
        to
    }

    /// Writes a project of one's own from its files.
    pub(crate) fn project(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let project = self.path(name);
        for (file, content) in files {
            let path = project.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        project
    }
}

/// Options for a project, with its own target directory.
pub(crate) fn options(project: &Path) -> BuildOptions {
    options_with(project, &[])
}

/// The same with variables of one's own.
pub(crate) fn options_with(project: &Path, variables: &[(&str, &str)]) -> BuildOptions {
    let environment = Environment::read(|name| {
        if let Some((_, value)) = variables.iter().find(|(known, _)| *known == name) {
            return Some(OsString::from(value));
        }
        match name {
            "CARGO_HOME" | "HOME" | "USERPROFILE" | "CARGO" | "RUSTC" => std::env::var_os(name),
            _ => None,
        }
    });
    BuildOptions::new(project, environment)
}

pub(crate) fn run(options: &BuildOptions) -> (Result<Built, BuildError>, Vec<Event>) {
    let mut events = Vec::new();
    let result = build(options, &mut |event| events.push(event));
    (result, events)
}

pub(crate) fn built(options: &BuildOptions) -> Built {
    run(options).0.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_name() == "target" {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
