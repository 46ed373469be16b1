//! Why a manifest is refused.

use thiserror::Error;

use crate::limits;

/// Why bytes are not a manifest.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Larger than the limit.
    #[error("a manifest has at most {max} bytes, got {0}", max = limits::MANIFEST_BYTES)]
    TooLarge(usize),
    /// Not JSON, or not of a manifest's shape.
    #[error("the manifest is not valid JSON of its kind")]
    Json(#[source] serde_json::Error),
    /// Not `"schemaVersion": 2`.
    #[error("the manifest has schema version {0}, expected 2")]
    SchemaVersion(u32),
    /// The type in the body is another than the one it was sent with.
    #[error("the manifest says that it is `{body}`, but it was sent as `{header}`")]
    MediaType {
        /// `Content-Type`.
        header: String,
        /// `mediaType`.
        body: String,
    },
    /// What it was sent as has not the form of a media type.
    #[error("`{0}` is not a media type: expected `type/subtype`")]
    MediaTypeForm(String),
    /// A key that readers which ignore case, as Go's do, take for another.
    #[error(
        "the key `{got}` is spelled like `{expected}`: clients would disagree on what it means"
    )]
    Spelling {
        /// The key that is there.
        got: String,
        /// The key of the specification.
        expected: &'static str,
    },
    /// A descriptor with `data` that is not what its digest and size say.
    #[error("the `data` of the descriptor of `{0}` is not what its digest and size say")]
    Data(String),
    /// A descriptor with Wasm as `data`. A registry can hold back blobs, and not this.
    #[error("the descriptor of `{0}` carries WebAssembly as `data`, expected it in a blob")]
    EmbeddedWasm(String),
    /// An image manifest without config, or an index with layers.
    #[error("a `{media_type}` must have {must}")]
    Shape {
        /// The media type.
        media_type: String,
        /// What is missing or too much.
        must: &'static str,
    },
}
