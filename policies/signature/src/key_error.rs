//! Why a key cannot be read or written.

use thiserror::Error;

/// Why a public key or a private key file cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Larger than any key.
    #[error("a key file has at most {max} bytes, got {got}")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
        /// The size in bytes.
        got: usize,
    },
    /// Not PEM.
    #[error("the key is not PEM text")]
    Pem(#[source] pem::PemError),
    /// PEM of another thing.
    #[error("the PEM block is `{got}`, expected `{expected}`")]
    Label {
        /// The label that we read.
        expected: &'static str,
        /// The label that is there.
        got: String,
    },
    /// A private key that anybody can read who can read the file.
    #[error(
        "the private key `{label}` is not encrypted: \
         encrypt it first, with `cosign import-key-pair --key FILE`"
    )]
    NotEncrypted {
        /// The PEM label.
        label: String,
    },
    /// Another kind of key.
    #[error("the key is {got}, expected ECDSA P-256")]
    Algorithm {
        /// The kind, or its object identifier.
        got: String,
    },
    /// A public key that is damaged.
    #[error("the public key is not a valid ECDSA P-256 key: {reason}")]
    PublicKey {
        /// What is wrong with it.
        reason: String,
    },
    /// The body of the key file is not what cosign writes.
    #[error("the key file does not hold the JSON that cosign writes")]
    Body(#[source] serde_json::Error),
    /// Encrypted in a way that cosign does not use.
    #[error("the key file's {what} is `{got}`, expected {expected}")]
    Encryption {
        /// Which part of the encryption.
        what: &'static str,
        /// What the file says.
        got: String,
        /// What we read.
        expected: &'static str,
    },
    /// The key file does not open. A damaged file cannot be told from a wrong password.
    #[error("the password is wrong, or the key file is damaged")]
    WrongPassword,
    /// What the password opened is not a private key.
    #[error("the key file does not hold a valid PKCS#8 private key: {reason}")]
    PrivateKey {
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system gave no random bytes, or the key could not be made of them.
    #[error("could not {0}")]
    Generate(&'static str),
}
