//! The cases of the distribution specification's own conformance program (its `conformance`
//! folder, version `dev`), with every API and every data set on, sparse manifests and
//! anonymous mounts too. What that program counts as skipped fails here.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

mod blobs;
mod client;
mod data;
mod errors;
mod sets;
mod uploads;
mod workflow;
