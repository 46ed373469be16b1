//! One repository on one registry, and how requests to it are made.

use std::collections::BTreeMap;
use std::time::Duration;

use oci_client::RegistryOperation;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use reqwest::{Method, RequestBuilder, Response};
use tokio::sync::Mutex;
use wasmport_artifact::{Reference, RepositoryName};

use crate::access::{Access, Scheme};
use crate::answer;
use crate::authorization::Authorization;
use crate::error::{ClientError, Failure, Kind};
use crate::retry::Backoff;

const USER_AGENT: &str = concat!("wasmport/", env!("CARGO_PKG_VERSION"));

/// A client for one repository on one registry.
///
/// Nothing is sent before the first request. What may pass by itself (no connection, `429`,
/// `5xx`) is tried again as [`Access::backoff`] says, and a token that is no longer good is
/// replaced once.
#[derive(Debug)]
pub struct Registry {
    host: String,
    repository: RepositoryName,
    scheme: Scheme,
    pub(crate) plain_http: bool,
    idle_timeout: Duration,
    backoff: Backoff,
    pub(crate) auth: RegistryAuth,
    pub(crate) tokens: Mutex<BTreeMap<RegistryOperation, Authorization>>,
    /// Does what it does well: tokens, and the bytes of blobs.
    pub(crate) client: OciClient,
    /// For the requests whose headers `oci_client` keeps to itself.
    http: reqwest::Client,
}

impl Registry {
    /// A client for the registry and repository of `reference`.
    ///
    /// Looks up the credentials, which may run a credential helper.
    pub async fn connect(reference: &Reference, access: &Access) -> Result<Self, ClientError> {
        let place = Place::find(reference, access).await?;
        let client = OciClient::new(place.scheme, access);
        let client = client.map_err(|failure| refused(reference, place.scheme, failure))?;
        Ok(Self {
            host: reference.registry().to_owned(),
            repository: reference.repository().clone(),
            scheme: place.scheme,
            plain_http: access.plain_http,
            idle_timeout: access.idle_timeout,
            backoff: access.backoff,
            auth: place.auth,
            tokens: Mutex::default(),
            client,
            http: place.http,
        })
    }

    /// The host, with the port where there is one.
    pub fn registry(&self) -> &str {
        &self.host
    }

    /// The repository inside the registry.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// How long nothing may move on a connection.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// The repository as `oci_client` names it. Its default tag is never asked for.
    pub(crate) fn image(&self) -> oci_client::Reference {
        let (registry, repository) = (self.host.clone(), self.repository.to_string());
        oci_client::Reference::with_tag(registry, repository, "latest".to_owned())
    }

    /// `GET /v2/`, where a registry says how it wants to be spoken to.
    pub(crate) fn ping(&self) -> RequestBuilder {
        self.http.get(format!("{}/v2/", self.origin()))
    }

    /// A request below `/v2/`.
    pub(crate) fn request_at_root(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v2/{path}", self.origin());
        self.http.request(method, url)
    }

    /// A request below `/v2/<name>/`.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v2/{}/{path}", self.origin(), self.repository);
        self.http.request(method, url)
    }

    /// A request to the URL of a `Link` header, if it stays on this registry: another host
    /// must not get our credentials (CVE-2020-15157).
    pub(crate) fn follow(&self, from: &Response, link: &str) -> Result<RequestBuilder, Failure> {
        let next = from.url().join(link).ok();
        let next = next.filter(|next| next.origin() == from.url().origin());
        let strays = || Failure::Protocol(format!("a list goes on at `{link}`"));
        Ok(self.http.get(next.ok_or_else(strays)?))
    }

    /// Sends a request with what we know of authorization, within the time limit.
    pub(crate) async fn send(
        &self,
        operation: RegistryOperation,
        request: RequestBuilder,
    ) -> Result<Response, Failure> {
        let request = self.authorize(operation, request).await;
        let response = self.in_time(request.send()).await?;
        response.map_err(answer::from_transport)
    }

    /// Runs one exchange, and stops when it takes longer than nothing may move.
    pub(crate) async fn in_time<T>(&self, exchange: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout(self.idle_timeout, exchange)
            .await
            .map_err(|_elapsed| Failure::stalled(self.idle_timeout))
    }

    /// Signs in and does `exchange`, again where that may help. `action` fits after
    /// "failed to", and the place is added to it.
    pub(crate) async fn attempt<T, Exchange>(
        &self,
        operation: RegistryOperation,
        action: &str,
        exchange: impl Fn() -> Exchange,
    ) -> Result<T, ClientError>
    where
        Exchange: Future<Output = Result<T, Failure>>,
    {
        let mut attempt = 1;
        let mut may_sign_in_again = true;
        loop {
            let result = match self.sign_in(operation).await {
                Ok(true) => {
                    may_sign_in_again = false;
                    exchange().await
                }
                Ok(false) => exchange().await,
                Err(failure) => {
                    may_sign_in_again = false;
                    Err(failure)
                }
            };
            let failure = match result {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            if failure.kind() == Kind::Unauthorized && may_sign_in_again {
                may_sign_in_again = false;
                self.sign_out(operation).await;
                continue;
            }
            let Some(wait) = self.backoff.wait(attempt, &failure) else {
                return Err(self.error(action, failure));
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Puts the place to what failed.
    pub(crate) fn error(&self, action: &str, failure: Failure) -> ClientError {
        let action = format!("{action} `{}/{}`", self.host, self.repository);
        ClientError::new(action, self.scheme == Scheme::Http, failure)
    }

    fn origin(&self) -> String {
        // Docker Hub's API is on another host than its name; `oci_client` knows which.
        let image = self.image();
        format!("{}://{}", self.scheme.name(), image.resolve_registry())
    }
}

/// How a host is spoken to.
pub(crate) struct Place {
    pub(crate) scheme: Scheme,
    pub(crate) auth: RegistryAuth,
    pub(crate) http: reqwest::Client,
}

impl Place {
    /// Scheme, credentials and a client for the host of `reference`.
    pub(crate) async fn find(reference: &Reference, access: &Access) -> Result<Self, ClientError> {
        let scheme = access.scheme(reference);
        let refuse = |failure| refused(reference, scheme, failure);
        let auth = look_up(reference, access).await.map_err(refuse)?;
        let http = http_client(scheme, access).map_err(refuse)?;
        Ok(Self { scheme, auth, http })
    }
}

fn refused(reference: &Reference, scheme: Scheme, failure: Failure) -> ClientError {
    let action = format!("connect to `{}`", reference.registry());
    ClientError::new(action, scheme == Scheme::Http, failure)
}

/// `oci_client`'s client, which has no debug form.
pub(crate) struct OciClient(oci_client::Client);

impl OciClient {
    fn new(scheme: Scheme, access: &Access) -> Result<Self, Failure> {
        let config = ClientConfig {
            protocol: match scheme {
                Scheme::Http => ClientProtocol::Http,
                Scheme::Https => ClientProtocol::Https,
            },
            // Not every registry takes chunks, and all take a blob as a whole.
            use_monolithic_push: true,
            connect_timeout: Some(access.connect_timeout),
            // Its read timeout is a limit for a whole upload; `in_time` and the watch over
            // uploads stand in for it.
            read_timeout: None,
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        };
        // `Client::new` would fall back to the defaults without an error.
        oci_client::Client::try_from(config)
            .map(Self)
            .map_err(answer::from_oci)
    }
}

impl std::ops::Deref for OciClient {
    type Target = oci_client::Client;

    fn deref(&self) -> &oci_client::Client {
        &self.0
    }
}

impl std::fmt::Debug for OciClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OciClient")
    }
}

async fn look_up(reference: &Reference, access: &Access) -> Result<RegistryAuth, Failure> {
    let credentials = access.credentials.clone();
    let registry = reference.registry().to_owned();
    // A credential helper is a process that may ask its user something.
    let found = tokio::task::spawn_blocking(move || credentials.look_up(&registry)).await;
    let stopped = |_| Failure::Protocol("the credential helper was stopped".to_owned());
    Ok(found.map_err(stopped)??)
}

fn http_client(scheme: Scheme, access: &Access) -> Result<reqwest::Client, Failure> {
    reqwest::Client::builder()
        .connect_timeout(access.connect_timeout)
        // A redirect must not take us from TLS to plain text.
        .https_only(scheme == Scheme::Https)
        .user_agent(USER_AGENT)
        .build()
        .map_err(answer::from_transport)
}
