//! Push, pull, signatures and referrers for Wasm artifacts on any OCI registry.
//!
//! [`Registry`] speaks to one repository. Tokens and the bytes of blobs go through
//! `oci_client`; the requests whose headers it keeps to itself (manifests, referrers) are
//! made here, with the same authorization.

mod access;
mod admin;
mod answer;
mod attestations;
mod authorization;
mod blobs;
mod catalog;
mod credentials;
mod decision;
mod error;
mod file;
mod manifests;
mod pull;
mod push;
mod push_signatures;
mod referrers;
mod registry;
mod retry;
mod signatures;
mod tags;
mod warning;
mod watch;

pub use access::Access;
pub use admin::Admin;
pub use attestations::{Attestations, attestations};
pub use blobs::Upload;
pub use credentials::{Credentials, CredentialsError};
pub use error::{ClientError, Failure, Kind};
pub use manifests::PutManifest;
pub use pull::{NotOneWasm, pull_wasm, pull_wasm_bytes, wasm_layer};
pub use push::{BlobSource, Push, Pushed, push};
pub use push_signatures::{PushedSignature, push_signatures};
pub use registry::Registry;
pub use retry::Backoff;
pub use signatures::{FoundSignature, Signatures, Unreadable, signatures};
