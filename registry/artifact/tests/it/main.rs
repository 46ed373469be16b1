//! Inspection from outside: what is found in which bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a test that panics is a test that fails, and its numbers and texts are small"
)]

#[path = "../judge/composed.rs"]
mod composed;
mod contents;
mod evasions;
mod generated;
#[path = "../judge/mod.rs"]
mod judge;
