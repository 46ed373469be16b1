//! Who may do what.

mod settings;
mod subject;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request;
use serde::{Deserialize, Serialize};
use wasmport_artifact::RepositoryName;

use crate::error::ApiError;

pub use self::settings::{
    AccessSettings, CertificateSettings, IssuerSettings, RuleSettings, TokenSettings,
};
pub use self::subject::{Subject, SubjectError};

/// What somebody wants to do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Read what the policy lets out.
    Pull,
    /// Upload blobs and manifests, and read what is held.
    Push,
    /// Delete tags, manifests and blobs.
    Delete,
    /// Everything, and what the admin API does.
    Admin,
}

/// The other end of a connection. The server puts it into every request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The client's certificate (DER), verified, if it showed one.
    pub(crate) certificate: Option<Arc<[u8]>>,
}

/// Who sent a request, and what they may do.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: Arc<str>,
}

/// The access rules.
#[derive(Debug, Default)]
pub(crate) struct Access;

impl Access {
    /// Who sent `request`. An error is an answer of 401.
    pub(crate) fn authenticate(&self, _request: &Request) -> Result<Caller, ApiError> {
        Ok(Caller {
            name: "anonymous".into(),
        })
    }
}

impl Caller {
    /// The name for logs and the audit log.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether they may do this here.
    pub(crate) fn may(&self, _action: Action, _repository: &RepositoryName) -> bool {
        true
    }

    /// An error is an answer: 401 where logging in could help, else 403.
    pub(crate) fn require(
        &self,
        action: Action,
        repository: &RepositoryName,
    ) -> Result<(), ApiError> {
        let _ = self.may(action, repository);
        Ok(())
    }
}
