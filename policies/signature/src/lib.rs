//! Cosign-compatible keys, simple signing and Sigstore bundles: make and check.
//!
//! Pure but for the random numbers of the `sign` feature, without which the crate holds
//! nothing that reads or uses a private key, and for the clock of the `keyless` feature, by
//! which a log entry from the future is none.
//!
//! A signature by a key is checked with that key alone. Log entries and timestamps that its
//! bundle may also carry are not looked at: they say when, and a key that is trusted says who.
//! A signature by an identity is checked with all that a trusted root asks for, and without a
//! network.

mod attestation;
mod authority;
mod bundle;
mod bundle_manifest;
#[cfg(feature = "keyless")]
mod certified_identity;
mod identity_pattern;
mod key_error;
#[cfg(feature = "sign")]
mod key_file;
#[cfg(feature = "sign")]
mod private_key;
mod public_key;
#[cfg(feature = "sign")]
mod sign;
mod signature;
#[cfg(feature = "keyless")]
mod simple_bundle;
mod simple_manifest;
mod simple_proof;
mod simple_signing;
mod statement;
#[cfg(feature = "keyless")]
mod trusted_root;
mod verify;

pub use attestation::Attestation;
pub use authority::Authority;
pub use bundle_manifest::{bundle_manifest, claimed_predicate, is_bundle_manifest, is_bundle_type};
#[cfg(feature = "keyless")]
pub use certified_identity::CertifiedIdentity;
pub use identity_pattern::IdentityPattern;
pub use key_error::KeyError;
#[cfg(feature = "sign")]
pub use private_key::PrivateKey;
pub use public_key::PublicKey;
#[cfg(feature = "sign")]
pub use sign::{SignError, sign_bundle, sign_simple, sign_statement};
pub use signature::Signature;
pub use simple_manifest::{SimpleLayer, simple_layers, simple_manifest};
pub use simple_proof::SimpleProof;
#[cfg(feature = "keyless")]
pub use trusted_root::{TrustedRoot, TrustedRootError};
pub use verify::VerifyError;
