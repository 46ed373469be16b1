//! Cosign-compatible keys, simple signing and Sigstore bundles: make and check.
//!
//! Pure but for the random numbers of the `sign` feature. Without that feature the crate
//! holds nothing that reads or uses a private key.
//!
//! Signatures are checked with keys alone. Log entries and timestamps that a bundle may
//! also carry are not looked at: they say when, and a key that is trusted says who.

mod attestation;
mod bundle;
mod bundle_manifest;
mod key_error;
#[cfg(feature = "sign")]
mod key_file;
#[cfg(feature = "sign")]
mod private_key;
mod public_key;
#[cfg(feature = "sign")]
mod sign;
mod signature;
mod simple_manifest;
mod simple_signing;
mod statement;
mod verify;

pub use attestation::Attestation;
pub use bundle_manifest::{bundle_manifest, claimed_predicate, is_bundle_manifest, is_bundle_type};
pub use key_error::KeyError;
#[cfg(feature = "sign")]
pub use private_key::PrivateKey;
pub use public_key::PublicKey;
#[cfg(feature = "sign")]
pub use sign::{SignError, sign_bundle, sign_simple, sign_statement};
pub use signature::Signature;
pub use simple_manifest::{simple_layers, simple_manifest};
pub use verify::VerifyError;
