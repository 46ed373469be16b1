//! Reading `registry.toml`: what is wrong is said with its line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Settings;

/// Largest file of settings, in bytes. A rule is a hundred bytes.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why a file of settings could not be read.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file could not be read.
    #[error("failed to read the configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is absurdly large.
    #[error("the configuration `{}` has {size} bytes, expected at most {FILE_BYTES}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// Not TOML, or something in it is not known. With place and known names.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

impl Settings {
    /// Reads a file. Paths in it are relative to its directory.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let cannot = |source| SettingsError::Read {
            path: path.to_owned(),
            source,
        };
        let size = fs::metadata(path).map_err(cannot)?.len();
        if size > FILE_BYTES {
            let path = path.to_owned();
            return Err(SettingsError::TooLarge { path, size });
        }
        Self::parse(path, &fs::read_to_string(path).map_err(cannot)?)
    }

    /// Reads the text of a file that is at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let mut settings: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let (line, column) = place(text, start);
            SettingsError::Shape {
                path: path.to_owned(),
                line,
                column,
                message: error.message().to_owned(),
            }
        })?;
        settings.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(settings)
    }
}

/// Line and column, counted from 1.
fn place(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default();
    (line, column.chars().count() + 1)
}

#[cfg(test)]
mod tests;
