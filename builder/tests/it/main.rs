//! Builds of real cargo projects: the samples in `testdata/projects`, and broken ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

mod bad_input;
mod bench;
mod build;
mod revision;
