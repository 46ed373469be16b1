//! Where artifacts are: in files, in a store, on a registry.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use wasmport_artifact::Reference;

/// Where artifacts are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Files of facts, or directories of such.
    Facts(PathBuf),
    /// A store of a registry that is not running.
    Store(PathBuf),
    /// Everything on a registry; the repository does not matter.
    Registry(Reference),
    /// Every tag of a repository; the tag does not matter.
    Repository(Reference),
    /// One artifact.
    Artifact(Reference),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        if path.join("records.redb").is_file() {
            return Ok(Self::Store(path.to_owned()));
        }
        if path.exists()
            || path
                .extension()
                .is_some_and(|extension| extension == "json")
        {
            return Ok(Self::Facts(path.to_owned()));
        }
        if let Ok(reference) = text.parse::<Reference>() {
            return Ok(Self::Artifact(reference));
        }
        let (host, repository) = match text.split_once('/') {
            Some((host, rest)) if !rest.is_empty() => (host, Some(rest)),
            _ => (text.trim_end_matches('/'), None),
        };
        // The tag is never asked for, and without a repository that is not either.
        let any = format!("{host}/{}:latest", repository.unwrap_or("any"));
        let reference = any.parse().map_err(|error| {
            format!("there is no file or store of this name, and it is no registry either: {error}")
        })?;
        Ok(match repository {
            Some(_) => Self::Repository(reference),
            None => Self::Registry(reference),
        })
    }
}
