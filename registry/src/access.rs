//! Who may do what: who sends a request, and what the rules let them do.

mod action;
mod attempts;
mod caller;
mod certificates;
mod credentials;
mod identity;
mod issue;
mod issuers;
mod jwks;
mod load;
mod login;
pub(crate) mod robots;
mod rules;
mod scope;
mod settings;
mod subject;
mod tokens;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{Method, header};
use thiserror::Error;
use wasmport_artifact::RepositoryName;

pub use self::action::Action;
use self::attempts::Attempts;
pub(crate) use self::caller::Caller;
use self::credentials::Credentials;
pub(crate) use self::issue::TokenRequest;
pub use self::load::LoadAccessError;
pub(crate) use self::load::Loaded;
pub use self::settings::{
    AccessSettings, CertificateSettings, IssuerSettings, RuleSettings, TokenSettings,
};
pub use self::subject::{Subject, SubjectError};
use self::tokens::TokenKey;
use self::users::Passwords;
use crate::error::ApiError;
use crate::query::Query;
use crate::storage::{StorageError, Store};

/// The other end of a connection. The server puts it into every request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The address is what a proxy says that we trust, and the connection is with the proxy.
    pub(crate) is_behind_proxy: bool,
    /// The client's certificate (DER), verified, if it showed one.
    pub(crate) certificate: Option<Arc<[u8]>>,
}

/// What a request says about who sends it. It is taken from the request, which cannot be
/// lent to what waits.
#[derive(Debug)]
pub(crate) struct Asker {
    credentials: Credentials,
    peer: Option<Peer>,
    /// What it calls the registry.
    host: Option<String>,
    /// Where it wants a blob mounted from.
    source: Option<RepositoryName>,
}

/// The access rules, and what is remembered of those who came.
#[derive(Debug)]
pub(crate) struct Access {
    loaded: ArcSwap<Loaded>,
    store: Store,
    passwords: Passwords,
    attempts: Attempts,
}

/// Why access rules cannot be put into force.
#[derive(Debug, Error)]
pub enum OpenAccessError {
    /// The key for tokens could not be read or stored.
    #[error("failed to get the key for tokens from the store")]
    Storage(#[from] StorageError),
    /// The system has no random numbers.
    #[error("failed to get random numbers")]
    Random(#[from] getrandom::Error),
}

impl Access {
    /// Puts rules into force, over the store that has the robots.
    pub(crate) async fn open(store: Store, loaded: Loaded) -> Result<Self, OpenAccessError> {
        let access = Self {
            loaded: ArcSwap::default(),
            store,
            passwords: Passwords::new()?,
            attempts: Attempts::new(),
        };
        access.replace(loaded).await?;
        Ok(access)
    }

    /// Puts other rules into force, for all requests from now on.
    pub(crate) async fn replace(&self, mut loaded: Loaded) -> Result<(), OpenAccessError> {
        if !loaded.is_open() && loaded.token_key.is_none() {
            let secret = self.store.secret("token-key").await?;
            loaded.token_key = TokenKey::new(&secret);
        }
        self.loaded.store(Arc::new(loaded));
        Ok(())
    }

    /// Who sent `request`. An error is the answer.
    pub(crate) fn authenticate(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<Caller, ApiError>> + Send + use<'_> {
        let (loaded, asker) = self.ask(request);
        async move { self.identify(loaded, asker, "").await }
    }

    /// Who sent `request`, if they may do this here. An error is the answer.
    pub(crate) fn authorize<'a>(
        &'a self,
        request: &Request,
        needs: Option<(Action, &'a RepositoryName)>,
    ) -> impl Future<Output = Result<Caller, ApiError>> + Send + use<'a> {
        let (loaded, asker) = self.ask(request);
        async move {
            let scope = match needs {
                Some((action, repository)) if asker.is_some() => scope::needed(action, repository),
                _ => String::new(),
            };
            let caller = match asker {
                None => Caller::open(loaded),
                // Checking credentials is a large future, which an open registry does not need.
                asker => Box::pin(self.identify(loaded, asker, &scope)).await?,
            };
            match needs {
                Some((action, repository)) => caller.require(action, repository)?,
                None => caller.require_login()?,
            }
            Ok(caller)
        }
    }

    /// Whether everyone may do everything.
    pub(crate) fn is_open(&self) -> bool {
        self.loaded.load().is_open()
    }

    /// The rules of now, and who asks if that matters.
    fn ask(&self, request: &Request) -> (Arc<Loaded>, Option<Asker>) {
        let loaded = self.loaded.load_full();
        let asker = (!loaded.is_open()).then(|| Asker::of(request));
        (loaded, asker)
    }

    async fn identify(
        &self,
        loaded: Arc<Loaded>,
        asker: Option<Asker>,
        scope: &str,
    ) -> Result<Caller, ApiError> {
        let Some(asker) = asker else {
            return Ok(Caller::open(loaded));
        };
        let challenge = loaded.challenge(&asker);
        let login = match &asker.credentials {
            Credentials::Bearer(token) => self.bearer(&loaded, token).await,
            other => self.login(&loaded, other, asker.peer.as_ref()).await,
        };
        match login {
            Ok(login) => Ok(Caller::new(loaded, login, challenge)),
            Err(refused) => Err(refused.answer(&challenge, scope)),
        }
    }
}

impl Asker {
    pub(crate) fn of(request: &Request) -> Self {
        let named = request.headers().get(header::HOST);
        let named = named.and_then(|host| host.to_str().ok());
        // HTTP/2 has the host in the address instead.
        let host = named.or(request.uri().authority().map(Authority::as_str));
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        Self {
            credentials: Credentials::of(request.headers()),
            peer: request.extensions().get().cloned(),
            host: host
                .filter(|host| host.bytes().all(known))
                .map(str::to_owned),
            source: source_of_mount(request),
        }
    }

    /// With these credentials instead of the header's.
    pub(crate) fn with_password(self, name: String, password: String) -> Self {
        Self {
            credentials: Credentials::Basic { name, password },
            ..self
        }
    }
}

/// The repository that a `POST …/blobs/uploads/?mount=…&from=…` wants to read from.
fn source_of_mount(request: &Request) -> Option<RepositoryName> {
    if request.method() != Method::POST {
        return None;
    }
    Query::of(request.uri()).get("from")?.parse().ok()
}
