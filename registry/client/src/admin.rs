//! The admin API of our own registry, `/_wasmport/v1/…`: the collector, quotas, the audit
//! log and robots.

use std::time::Duration;

use oci_client::secrets::RegistryAuth;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use wasmport_artifact::{Reference, RepositoryName};

use crate::access::{Access, Scheme};
use crate::answer;
use crate::error::{ClientError, Failure};
use crate::registry::Place;
use crate::retry::Backoff;

/// The largest answer, in bytes. A line of the audit log has about 2 KiB at most, and a
/// registry keeps some thousands.
const ANSWER_BYTES: usize = 64 << 20;

/// The code of our own registry for a robot that is not there.
const ROBOT_UNKNOWN: &str = "ROBOT_UNKNOWN";

/// For how long a run of the collector is waited for: longer than a registry gives a request.
const RUN: Duration = Duration::from_mins(20);

/// The administration of one registry.
///
/// User name and password go along with each request, since a token for repositories is
/// none for the registry. Only what reads is tried again: who makes a robot twice never
/// learns the secret of the first.
#[derive(Debug)]
pub struct Admin {
    host: String,
    scheme: Scheme,
    idle_timeout: Duration,
    backoff: Backoff,
    auth: RegistryAuth,
    http: reqwest::Client,
}

impl Admin {
    /// A client for the registry of `reference`; the repository does not matter.
    ///
    /// Looks up the credentials, which may run a credential helper. Nothing is sent yet.
    pub async fn connect(reference: &Reference, access: &Access) -> Result<Self, ClientError> {
        let place = Place::find(reference, access).await?;
        Ok(Self {
            host: reference.registry().to_owned(),
            scheme: place.scheme,
            idle_timeout: access.idle_timeout,
            backoff: access.backoff,
            auth: place.auth,
            http: place.http,
        })
    }

    /// The last runs of the collector: `runs`, the newest first.
    pub async fn collections(&self) -> Result<Value, ClientError> {
        self.read("ask for the runs of the collector of", "gc", json_of)
            .await
    }

    /// Runs the collector and waits for it: `collected`. The fields of `terms` are
    /// `dryRun`, `grace` and `untaggedAfter`, all optional.
    pub async fn collect(&self, terms: &Value) -> Result<Value, ClientError> {
        self.post("run the collector of", "gc", terms, RUN).await
    }

    /// Has the configuration read again: `reloaded`.
    pub async fn reload(&self) -> Result<Value, ClientError> {
        let (nothing, limit) = (Value::Null, self.idle_timeout);
        self.post("reload", "reload", &nothing, limit).await
    }

    /// What a repository holds and may hold: `used` and `quota`.
    pub async fn quota(&self, repository: &RepositoryName) -> Result<Value, ClientError> {
        let path = format!("quota/{repository}");
        self.read("ask for a quota of", &path, json_of).await
    }

    /// The last `count` lines of the audit log, the oldest first.
    pub async fn audit(&self, count: usize) -> Result<Vec<Value>, ClientError> {
        let path = format!("audit?n={count}");
        self.read("read the audit log of", &path, lines_of).await
    }

    /// All robots, without their secrets: `robots`.
    pub async fn robots(&self) -> Result<Value, ClientError> {
        self.read("list the robots of", "robots", json_of).await
    }

    /// Makes a robot; its secret is `token`. The fields of `wanted` are `name`, and
    /// optional `rules` and `expires`.
    pub async fn create_robot(&self, wanted: &Value) -> Result<Value, ClientError> {
        let limit = self.idle_timeout;
        self.post("make a robot on", "robots", wanted, limit).await
    }

    /// Revokes a robot. Its name must be one: it becomes a part of the URL.
    pub async fn revoke_robot(&self, name: &str) -> Result<(), ClientError> {
        let path = format!("robots/{name}");
        let request = self.request(Method::DELETE, &path);
        let done = within(self.idle_timeout, send(request)).await;
        self.explain("revoke a robot on", done.map(drop))
    }

    /// Gets something, again where that may help.
    async fn read<T, Reading>(
        &self,
        action: &str,
        path: &str,
        reading: impl Fn(Response) -> Reading,
    ) -> Result<T, ClientError>
    where
        Reading: Future<Output = Result<T, Failure>>,
    {
        let mut attempt = 1;
        loop {
            let request = self.request(Method::GET, path);
            let got = async { reading(send(request).await?).await };
            let failure = match within(self.idle_timeout, got).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let Some(wait) = self.backoff.wait(attempt, &failure) else {
                return self.explain(action, Err(failure));
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Posts something, once, and waits so long for all of the answer.
    async fn post(
        &self,
        action: &str,
        path: &str,
        body: &Value,
        limit: Duration,
    ) -> Result<Value, ClientError> {
        let request = self.request(Method::POST, path);
        let request = request.header(CONTENT_TYPE, "application/json");
        let request = request.body(body.to_string());
        let done = async { json_of(send(request).await?).await };
        self.explain(action, within(limit, done).await)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let (scheme, host) = (self.scheme.name(), &self.host);
        let url = format!("{scheme}://{host}/_wasmport/v1/{path}");
        let request = self.http.request(method, url);
        match &self.auth {
            RegistryAuth::Basic(username, password) => request.basic_auth(username, Some(password)),
            _ => request,
        }
    }

    fn explain<T>(&self, action: &str, result: Result<T, Failure>) -> Result<T, ClientError> {
        result.map_err(|failure| {
            let action = format!("{action} `{}`", self.host);
            ClientError::new(action, self.scheme == Scheme::Http, failure)
        })
    }
}

async fn within<T>(
    limit: Duration,
    exchange: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let done = tokio::time::timeout(limit, exchange).await;
    done.unwrap_or_else(|_elapsed| Err(Failure::stalled(limit)))
}

async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    let response = request.send().await.map_err(answer::from_transport)?;
    let status = response.status().as_u16();
    let done = answer::successful(response).await;
    done.map_err(|failure| match failure {
        // The only thing that may be missing where there is an admin API.
        Failure::NotFound { message, errors } if has_code(&errors, ROBOT_UNKNOWN) => {
            Failure::NotFound { message, errors }
        }
        Failure::NotFound { .. }
        | Failure::Rejected { status: 405, .. }
        | Failure::Busy { status: 501, .. } => no_admin_api(status),
        failure => failure,
    })
}

fn has_code(errors: &Value, code: &str) -> bool {
    errors.pointer("/0/code").and_then(Value::as_str) == Some(code)
}

async fn json_of(response: Response) -> Result<Value, Failure> {
    let status = response.status().as_u16();
    let body = answer::read(response, "the answer", ANSWER_BYTES).await?;
    serde_json::from_slice(&body).map_err(|_| no_admin_api(status))
}

/// JSON, one value a line.
async fn lines_of(response: Response) -> Result<Vec<Value>, Failure> {
    let status = response.status().as_u16();
    let body = answer::read(response, "the audit log", ANSWER_BYTES).await?;
    let lines = body.split(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    let lines: Result<_, _> = lines.map(serde_json::from_slice).collect();
    lines.map_err(|_| no_admin_api(status))
}

fn no_admin_api(status: u16) -> Failure {
    Failure::NoAdminApi { status }
}
