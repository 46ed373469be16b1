//! What the distribution API leaves to the registry.

use serde::{Deserialize, Serialize};
use wasmport_artifact::limits;

use crate::settings::ByteSize;

/// The settings of the distribution API.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiSettings {
    /// The largest manifest, in bytes; larger ones get 413. Clients take 4 MiB and seldom
    /// more. Default: `4 MiB`.
    pub manifest_bytes: ByteSize,
    /// The smallest chunk of an upload that clients are asked to send, in bytes
    /// (`OCI-Chunk-Min-Length`). It is asked for, and smaller chunks are taken all the same.
    /// Default: clients are not asked.
    pub chunk_min_bytes: Option<ByteSize>,
    /// Take image manifests of which blobs are not there, as mirrors of some platforms push
    /// them. Wasm must be there as a whole in any case, since it is inspected. Default: true.
    pub sparse_manifests: bool,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            manifest_bytes: ByteSize(limits::MANIFEST_BYTES as u64),
            chunk_min_bytes: None,
            sparse_manifests: true,
        }
    }
}
