//! The audit log: one JSON line for every push, delete, refusal and change of tokens.
//!
//! Who asks is known where a request comes in, and what is decided deep below. So the sender
//! goes along with the task of a request, and the functions here find it there.

mod log;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use serde::{Deserialize, Serialize};
use tokio::task_local;
use tracing::info;
use wasmport_artifact::{Digest, RepositoryName, Selector, Tag};
use wasmport_policies::Decision;

use crate::access::{Action, Peer};
use crate::collector::CollectError;
use crate::reload::Reloaded;
use crate::storage::Collected;
use crate::traces;

pub use self::log::AuditError;
pub(crate) use self::log::{AuditLog, OpenAudit};

/// How much of a text from outside a line has at most, in characters.
const TEXT_CHARS: usize = 512;

/// `[audit]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuditSettings {
    /// A file that lines are appended to; it is opened anew at SIGHUP. Default: none.
    pub file: Option<PathBuf>,
    /// Write the lines to the log as well. Default `true`.
    pub log: bool,
    /// How many lines are kept in memory for the admin API. Default 1000.
    pub tail: usize,
}

impl AuditSettings {
    /// Makes the path relative to `directory` one that can be opened from here.
    pub(crate) fn resolve(&mut self, directory: &Path) {
        if let Some(file) = &mut self.file {
            crate::settings::resolve(file, directory);
        }
    }
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            file: None,
            log: true,
            tail: 1000,
        }
    }
}

/// Who sent the request of a task.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    log: Arc<AuditLog>,
    address: Option<SocketAddr>,
    /// Known once the credentials are checked.
    who: Arc<OnceLock<Arc<str>>>,
}

task_local! {
    static ACTOR: Actor;
}

/// What happened.
#[derive(Debug, Default, Serialize)]
struct Event {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    verdict: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    codes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// An event with what is known of its request.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<SocketAddr>,
    #[serde(flatten)]
    event: &'a Event,
}

impl Actor {
    /// The sender of `request`.
    pub(crate) fn of(log: &Arc<AuditLog>, request: &Request) -> Self {
        let peer = request.extensions().get::<Peer>();
        Self {
            log: Arc::clone(log),
            address: peer.map(|peer| peer.address),
            who: Arc::default(),
        }
    }

    /// Does `work` for them: what is logged meanwhile is theirs.
    pub(crate) fn does<T>(self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        ACTOR.scope(self, work)
    }
}

/// `work` for another task, which is still for the sender of this task's request.
pub(crate) fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let actor = ACTOR.try_with(Actor::clone).ok();
    let work = traces::carried(work);
    async {
        match actor {
            Some(actor) => actor.does(work).await,
            None => work.await,
        }
    }
}

/// The sender of this task's request is known now.
pub(crate) fn identified(who: &Arc<str>) {
    // Outside of a request nobody is asked.
    let _outside = ACTOR.try_with(|actor| actor.who.set(Arc::clone(who)));
}

/// Credentials were wrong.
pub(crate) fn login_refused(who: &str, why: &str) {
    record(Event {
        action: "login",
        who: Some(shorten(who)),
        verdict: "refused".to_owned(),
        why: Some(shorten(why)),
        ..Event::default()
    });
}

/// Somebody wanted what they may not.
pub(crate) fn permission_refused(who: &str, action: Action, repository: Option<&RepositoryName>) {
    record(Event {
        action: action.as_str(),
        who: Some(who.to_owned()),
        repository: repository.map(ToString::to_string),
        verdict: "refused".to_owned(),
        why: Some("no rule allows it".to_owned()),
        ..Event::default()
    });
}

/// Somebody changed a robot.
pub(crate) fn robot_changed(name: &str, verdict: &'static str) {
    record(Event {
        action: "robot",
        reference: Some(shorten(name)),
        verdict: verdict.to_owned(),
        ..Event::default()
    });
}

/// Somebody had the collector run, or was told why it does not.
pub(crate) fn collected(run: &Result<Collected, CollectError>) {
    let (verdict, why) = match run {
        Ok(run) => {
            let words = if run.dry_run { "would take" } else { "took" };
            let (manifests, blobs, bytes) = (run.manifests, run.blobs, run.bytes);
            let why = format!("{words} {manifests} manifests, {blobs} blobs, {bytes} bytes");
            (if run.dry_run { "dry-run" } else { "done" }, why)
        }
        Err(error) => ("refused", error.to_string()),
    };
    record(Event {
        action: "gc",
        verdict: verdict.to_owned(),
        why: Some(shorten(&why)),
        ..Event::default()
    });
}

/// Everything was read again: a line for each kind.
pub(crate) fn reloaded(kinds: &[Reloaded]) {
    for kind in kinds {
        record(Event {
            action: "reload",
            reference: Some(kind.what.clone()),
            verdict: kind.result.as_str().to_owned(),
            why: kind.error.as_deref().map(shorten),
            ..Event::default()
        });
    }
}

/// Somebody deleted a tag, a manifest or a blob.
pub(crate) fn deleted(repository: &RepositoryName, reference: &dyn std::fmt::Display) {
    record(Event {
        action: "delete",
        repository: Some(repository.to_string()),
        reference: Some(reference.to_string()),
        verdict: "done".to_owned(),
        ..Event::default()
    });
}

/// Somebody pushed a manifest, and this was decided.
pub(crate) fn push(
    repository: &RepositoryName,
    reference: &Selector,
    digest: &Digest,
    decision: &Decision,
) {
    record(decided("push", repository, reference, digest, decision));
}

/// A held manifest was admitted later, and its tag moved.
pub(crate) fn settled(
    repository: &RepositoryName,
    tag: &Tag,
    digest: &Digest,
    decision: &Decision,
) {
    record(decided("settle", repository, tag, digest, decision));
}

/// Somebody asked for what today's policy does not let out.
pub(crate) fn pull_refused(
    repository: &RepositoryName,
    reference: &dyn std::fmt::Display,
    digest: &Digest,
    decision: &Decision,
) {
    record(decided("pull", repository, reference, digest, decision));
}

fn decided(
    action: &'static str,
    repository: &RepositoryName,
    reference: &dyn std::fmt::Display,
    digest: &Digest,
    decision: &Decision,
) -> Event {
    let why = crate::error::summary(decision);
    Event {
        action,
        repository: Some(repository.to_string()),
        reference: Some(reference.to_string()),
        digest: Some(digest.to_string()),
        verdict: decision.verdict.to_string(),
        codes: codes(decision),
        why: (!why.is_empty()).then(|| shorten(&why)),
        ..Event::default()
    }
}

fn record(mut event: Event) {
    let actor = ACTOR.try_with(Actor::clone).ok();
    if event.who.is_none() {
        let who = actor.as_ref().and_then(|actor| actor.who.get());
        let unknown = if actor.is_some() {
            "anonymous"
        } else {
            "registry"
        };
        event.who = Some(who.map_or(unknown, |who| who).to_owned());
    }
    let line = Line {
        time: jiff::Timestamp::now().to_string(),
        address: actor.as_ref().and_then(|actor| actor.address),
        event: &event,
    };
    // Strings and lists of them always have a JSON form, in which a newline is `\n`.
    let line = serde_json::to_string(&line).unwrap_or_default();
    if let Some(actor) = actor {
        actor.log.write(line);
    } else {
        info!(target: "audit", "{line}");
    }
}

/// The codes of the findings, each once.
fn codes(decision: &Decision) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for finding in &decision.findings {
        if !codes.iter().any(|code| code == finding.code.as_str()) {
            codes.push(finding.code.as_str().to_owned());
        }
    }
    codes
}

fn shorten(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}
