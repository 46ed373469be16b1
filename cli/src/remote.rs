//! Talking to registries: the options for it, and what its errors mean for a user.

use clap::Args;
use serde_json::Value;
use wasmport_artifact::Reference;
use wasmport_client::{Access, Admin, ClientError, Registry};
use wasmport_policies::Decision;

use crate::environment;
use crate::error::{Failure, Kind};
use crate::policy;

/// How registries are reached.
#[derive(Args, Debug)]
pub(crate) struct Connection {
    /// Use HTTP without TLS (loopback hosts need no saying)
    #[arg(long)]
    plain_http: bool,
}

impl Connection {
    /// A client for the registry of `reference`. Nothing is sent yet.
    pub(crate) async fn open(&self, reference: &Reference) -> Result<Registry, Failure> {
        let client = Registry::connect(reference, &self.access()).await;
        client.map_err(failed("open the connection"))
    }

    /// A client for the administration of the registry of `reference`. Nothing is sent yet.
    pub(crate) async fn administer(&self, reference: &Reference) -> Result<Admin, Failure> {
        let client = Admin::connect(reference, &self.access()).await;
        client.map_err(failed("open the connection"))
    }

    fn access(&self) -> Access {
        Access {
            plain_http: self.plain_http,
            credentials: environment::credentials(),
            ..Access::default()
        }
    }
}

/// Turns a client's error into a failure. What the registry said stays as it came: a
/// decision of ours is written out, and all of it is in `error.detail`.
pub(crate) fn failed(what: &'static str) -> impl Fn(ClientError) -> Failure {
    move |error| {
        let kind = kind(error.kind());
        let mut failure = Failure::caused(kind, &format!("failed to {what}"), &error);
        if let Some(errors) = error.errors() {
            failure = failure.detail(errors.clone());
        }
        match (decision(&error), error.hint()) {
            (Some(decision), _) => failure.explained(policy::explained(&decision, None)),
            (None, Some(hint)) => failure.hint(hint),
            (None, None) => failure,
        }
    }
}

fn kind(kind: wasmport_client::Kind) -> Kind {
    use wasmport_client::Kind as Client;
    match kind {
        Client::Denied => Kind::Denied,
        Client::NotFound => Kind::NotFound,
        Client::Unauthorized => Kind::Unauthorized,
        Client::NotWasm | Client::TooLarge => Kind::Input,
        Client::Credentials => Kind::Usage,
        Client::Io => Kind::Io,
        Client::Rejected
        | Client::Busy
        | Client::Unreachable
        | Client::Tls
        | Client::Protocol
        | Client::DigestMismatch => Kind::Registry,
    }
}

/// The decision in the detail of a 403, when the registry is one of ours.
pub(crate) fn decision(error: &ClientError) -> Option<Decision> {
    decision_in(error.errors()?)
}

/// True when the policy of a registry of ours refuses what was asked for.
pub(crate) fn is_refused(failure: &Failure) -> bool {
    failure.errors().and_then(decision_in).is_some()
}

fn decision_in(errors: &Value) -> Option<Decision> {
    let detail = errors.get(0)?.get("detail")?;
    serde_json::from_value(detail.clone()).ok()
}

/// Parses `NAME=VALUE`.
pub(crate) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
