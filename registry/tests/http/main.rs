//! Black-box tests of the registry over HTTP, one file a workflow of the distribution
//! specification, and one for admission.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

mod access;
mod admission;
mod artifact;
mod attachments;
mod callers;
mod catalog;
mod coherence;
mod collection;
mod collection_beside;
mod decisions;
mod discovery;
mod evidence;
mod fsck;
mod heads;
mod held;
mod identities;
mod images;
mod limits;
mod linearizable;
mod management;
mod manifests;
mod metrics;
mod mount;
#[cfg(unix)]
mod process;
mod pull;
mod push;
mod quota;
#[path = "../crash/random.rs"]
#[allow(dead_code, reason = "the crash test needs more of it")]
mod random;
mod raw;
mod registry;
mod reload;
mod shutdown;
mod signatures;
mod slow_clients;
mod start;
mod tags;
mod tls;
mod uploads;
mod versions;
mod watched;
