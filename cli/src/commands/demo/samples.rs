//! The sample projects of `testdata/projects`, carried in the binary.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{Failure, Kind};

macro_rules! sample {
    ($name:literal) => {
        [
            (
                concat!($name, "/Cargo.toml"),
                include_str!(concat!(
                    "../../../../testdata/projects/",
                    $name,
                    "/Cargo.toml"
                )),
            ),
            (
                concat!($name, "/Cargo.lock"),
                include_str!(concat!(
                    "../../../../testdata/projects/",
                    $name,
                    "/Cargo.lock"
                )),
            ),
            (
                concat!($name, "/src/main.rs"),
                include_str!(concat!(
                    "../../../../testdata/projects/",
                    $name,
                    "/src/main.rs"
                )),
            ),
        ]
    };
}

const HELLO: [(&str, &str); 3] = sample!("hello");
const FILES_AND_SOCKETS: [(&str, &str); 3] = sample!("files-and-sockets");

/// Writes the samples that the demo builds into `directory`.
pub(super) fn write(directory: &Path) -> Result<(), Failure> {
    for (path, content) in HELLO.iter().chain(&FILES_AND_SOCKETS) {
        let path = directory.join(path);
        write_file(&path, content).map_err(|error| {
            Failure::caused(
                Kind::Io,
                &format!("failed to write `{}`", path.display()),
                &error,
            )
        })?;
    }
    Ok(())
}

fn write_file(path: &Path, content: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, content)
}
