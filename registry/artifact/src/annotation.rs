//! Annotation keys that we write (image specification, `annotations.md`).

/// When the artifact was made, RFC 3339.
pub const CREATED: &str = "org.opencontainers.image.created";
/// A title for people. On a layer it is the file name that `oras pull` writes.
pub const TITLE: &str = "org.opencontainers.image.title";
/// The packaged version.
pub const VERSION: &str = "org.opencontainers.image.version";
/// What the software is, for people.
pub const DESCRIPTION: &str = "org.opencontainers.image.description";
/// People or organisations behind it.
pub const AUTHORS: &str = "org.opencontainers.image.authors";
/// An SPDX licence expression.
pub const LICENSES: &str = "org.opencontainers.image.licenses";
/// A URL to find more.
pub const URL: &str = "org.opencontainers.image.url";
/// A URL to read more.
pub const DOCUMENTATION: &str = "org.opencontainers.image.documentation";
/// A URL to get the source.
pub const SOURCE: &str = "org.opencontainers.image.source";
/// The revision in source control.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// The tag of a manifest in an image layout's `index.json`.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
