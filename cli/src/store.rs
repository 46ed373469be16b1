//! Stores of registries that are not running.

use std::path::Path;

use wasmport_registry::storage::{StorageError, Store};

use crate::error::{Failure, Kind};

/// Opens a store that is there. None is made by mistake.
pub(crate) async fn open(directory: &Path) -> Result<Store, Failure> {
    if !directory.join("records.redb").is_file() {
        let words = format!("there is no store in `{}`", directory.display());
        return Err(Failure::new(Kind::Usage, words)
            .hint("give the directory that `wasmport serve --store` was given"));
    }
    let path = directory.to_owned();
    let opened = tokio::task::spawn_blocking(move || Store::open(&path)).await;
    opened
        .map_err(|error| Failure::caused(Kind::Io, "failed to open the store", &error))?
        .map_err(|error| store_failed("open the store", &error))
}

pub(crate) fn store_failed(what: &str, error: &StorageError) -> Failure {
    let failure = Failure::caused(Kind::Io, &format!("failed to {what}"), error);
    match error {
        StorageError::InUse(_) => failure.hint(
            "stop the registry first; a running one collects by itself, and with `wasmport admin gc`",
        ),
        _ => failure,
    }
}
