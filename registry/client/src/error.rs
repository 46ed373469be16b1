//! What can go wrong between us and a registry, and what to do about it.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use wasmport_artifact::{Digest, DigestError, ManifestError};

use crate::credentials::CredentialsError;
use crate::pull::NotOneWasm;

/// What we wanted from which repository, and why it failed.
#[derive(Debug, Error)]
#[error("{action}")]
pub struct ClientError {
    action: String,
    plain_http: bool,
    #[source]
    failure: Box<Failure>,
}

/// Why something failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// `403`: the registry does not let it through.
    #[error("the registry denied it: {message}")]
    Denied {
        /// The registry's words.
        message: String,
        /// The `errors` of its answer as they came; `null` when there are none.
        errors: Value,
    },
    /// `404`: no such repository, tag, manifest or blob.
    #[error("the registry does not have it: {message}")]
    NotFound {
        /// The registry's words.
        message: String,
        /// The `errors` of its answer as they came; `null` when there are none.
        errors: Value,
    },
    /// `401`, with the credentials that we have.
    #[error("the registry wants other credentials: {message}")]
    Unauthorized {
        /// The registry's words.
        message: String,
    },
    /// Another `4xx`.
    #[error("the registry refused the request with status {status}: {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The registry's words.
        message: String,
        /// The `errors` of its answer as they came; `null` when there are none.
        errors: Value,
    },
    /// `429` or `5xx`, and trying again did not help.
    #[error("the registry cannot answer now, status {status}: {message}")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// The registry's words.
        message: String,
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke, and trying again did not help.
    #[error("the registry cannot be reached")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// A connection without trust.
    #[error("no secure connection to the registry")]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
    /// Credentials would have gone over the network for everybody to read.
    #[error("the registry sends us to `{realm}` with our credentials, and that is not encrypted")]
    CleartextRealm {
        /// The token server.
        realm: String,
    },
    /// An answer that the distribution specification does not have.
    #[error("the registry's answer makes no sense: {0}")]
    Protocol(String),
    /// `404`, or nothing that our admin API would say.
    #[error("it has no such admin API: the answer has status {status} and is not one of Wasmport")]
    NoAdminApi {
        /// The HTTP status.
        status: u16,
    },
    /// Bytes that are not what their digest says.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// Bytes that are not as many as their descriptor says.
    #[error("`{digest}` has {got} bytes, expected {expected}")]
    Size {
        /// The blob.
        digest: Digest,
        /// What the descriptor says.
        expected: u64,
        /// What came, or what had come when we stopped reading.
        got: u64,
    },
    /// The reference has a digest, and what is to be pushed there has another.
    #[error("the manifest is `{got}`, and the reference names `{expected}`")]
    OtherManifest {
        /// The digest in the reference.
        expected: Digest,
        /// The digest of the manifest.
        got: Digest,
    },
    /// A file of ours that is not what its descriptor says.
    #[error("`{path}` has {got} bytes, expected {expected}")]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// What the descriptor says.
        expected: u64,
        /// The size of the file.
        got: u64,
    },
    /// More than we are willing to read.
    #[error("{what} has {got} bytes, and at most {limit} are read")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
        /// The size in bytes, or what had come when we stopped reading.
        got: u64,
    },
    /// Not a manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A manifest, but not of one Wasm file.
    #[error(transparent)]
    NotOneWasm(#[from] NotOneWasm),
    /// Credentials that cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A file of ours.
    #[error("`{path}` cannot be {verb}")]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The registry said no; see [`ClientError::errors`].
    Denied,
    /// There is no such thing.
    NotFound,
    /// Credentials are missing or wrong.
    Unauthorized,
    /// The registry did not like the request.
    Rejected,
    /// `429` or `5xx` after all attempts.
    Busy,
    /// No connection after all attempts.
    Unreachable,
    /// No trustworthy connection.
    Tls,
    /// The registry does not keep to the specification.
    Protocol,
    /// What came is not what was asked for.
    DigestMismatch,
    /// What is there is larger than the limit.
    TooLarge,
    /// What is there is not one Wasm file.
    NotWasm,
    /// The credentials on this machine are unusable.
    Credentials,
    /// A file on this machine.
    Io,
}

impl ClientError {
    /// `action` fits after "failed to".
    pub(crate) fn new(action: String, plain_http: bool, failure: Failure) -> Self {
        Self {
            action,
            plain_http,
            failure: Box::new(failure),
        }
    }

    /// Why it failed.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Which kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.failure.kind()
    }

    /// The `errors` of the registry's answer as they came (distribution specification,
    /// "Error Codes"): objects with `code`, `message` and `detail`.
    pub fn errors(&self) -> Option<&Value> {
        match &*self.failure {
            Failure::Denied { errors, .. } | Failure::Rejected { errors, .. } => {
                Some(errors).filter(|errors| !errors.is_null())
            }
            _ => None,
        }
    }

    /// What a person may do about it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match &*self.failure {
            Failure::Unauthorized { .. } => "log in to the registry, as with `docker login`",
            Failure::NotFound { .. } => {
                "check the name and the tag; an artifact that policy holds is not there for \
                 everyone"
            }
            Failure::Unreachable(_) if self.plain_http => {
                "is the registry running, and on this port?"
            }
            Failure::Unreachable(_) => "check the name of the registry and the network",
            Failure::Tls(_) => {
                "a registry without TLS needs `--plain-http`; a private certificate must be \
                 trusted by this system"
            }
            Failure::Busy { .. } => "try again later",
            Failure::Credentials(_) => {
                "correct Docker's config.json, or log in again with a user name and an access token"
            }
            Failure::Digest(_) | Failure::Size { .. } => {
                "the registry or something on the way altered the content; nothing was kept"
            }
            Failure::NoAdminApi { .. } => {
                "is it a registry of `wasmport serve`, and one as new as this command? check the \
                 name and the port"
            }
            Failure::OtherManifest { .. } => "name a tag, or the digest of what is pushed",
            Failure::OtherFile { .. } => "the file was changed since it was packed; build it again",
            _ => return None,
        })
    }
}

impl Failure {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Denied { .. } => Kind::Denied,
            Self::NotFound { .. } => Kind::NotFound,
            Self::Unauthorized { .. } => Kind::Unauthorized,
            Self::Rejected { .. } => Kind::Rejected,
            Self::Busy { .. } => Kind::Busy,
            Self::Unreachable(_) => Kind::Unreachable,
            Self::Tls(_) | Self::CleartextRealm { .. } => Kind::Tls,
            Self::Protocol(_) | Self::Manifest(_) | Self::NoAdminApi { .. } => Kind::Protocol,
            Self::Digest(_) | Self::Size { .. } | Self::OtherManifest { .. } => {
                Kind::DigestMismatch
            }
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::NotOneWasm(_) => Kind::NotWasm,
            Self::Credentials(_) => Kind::Credentials,
            Self::Io { .. } | Self::OtherFile { .. } => Kind::Io,
        }
    }

    /// True when the same request may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            // 501 and 505 say what the registry is, and it stays so.
            Self::Busy { status, .. } => !matches!(status, 501 | 505),
            _ => false,
        }
    }

    /// How long the registry asked us to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// True when the content is at fault and not the way to it.
    pub(crate) fn is_about_content(&self) -> bool {
        match self.kind() {
            Kind::NotFound
            | Kind::Denied
            | Kind::Protocol
            | Kind::DigestMismatch
            | Kind::TooLarge
            | Kind::Rejected => true,
            Kind::Unauthorized
            | Kind::Busy
            | Kind::Unreachable
            | Kind::Tls
            | Kind::NotWasm
            | Kind::Credentials
            | Kind::Io => false,
        }
    }

    /// Nothing moved for too long.
    pub(crate) fn stalled(limit: Duration) -> Self {
        let text = format!("nothing moved for {} s", limit.as_secs_f32());
        Self::Unreachable(text.into())
    }
}
