//! What a command is about: a file, a layout, or an artifact on a registry.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use wasmport_artifact::Reference;

/// SOURCE: something on this machine.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A `.wasm` file.
    Wasm(PathBuf),
    /// An OCI image layout.
    Layout(PathBuf),
}

/// SOURCE or REF.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Local(Source),
    Remote(Reference),
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    /// A directory is a layout, anything else a Wasm file; what it really is shows when it
    /// is read.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = Path::new(text);
        Ok(if path.is_dir() {
            Self::Layout(path.to_owned())
        } else {
            Self::Wasm(path.to_owned())
        })
    }
}

impl FromStr for Subject {
    type Err = String;

    /// What exists as a file or directory is local; the rest must be a reference.
    fn from_str(text: &str) -> Result<Self, String> {
        let local = || {
            text.parse()
                .map(Self::Local)
                .map_err(|never: std::convert::Infallible| never.to_string())
        };
        if Path::new(text).exists()
            || Path::new(text)
                .extension()
                .is_some_and(|extension| extension == "wasm")
        {
            return local();
        }
        text.parse().map(Self::Remote).map_err(|error| {
            format!(
                "there is no file or layout of this name, and it is no reference either: {error}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_layouts_and_references_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let parse = |text: &str| text.parse::<Subject>();
        assert!(matches!(
            parse(directory.path().to_str().unwrap()),
            Ok(Subject::Local(Source::Layout(_)))
        ));
        assert!(matches!(
            parse("missing.wasm"),
            Ok(Subject::Local(Source::Wasm(_)))
        ));
        assert!(matches!(
            parse("localhost:5000/app:1"),
            Ok(Subject::Remote(_))
        ));
        assert!(parse("missing").unwrap_err().contains("names no registry"));
    }
}
