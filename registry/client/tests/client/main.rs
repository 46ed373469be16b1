//! The client against a stand-in for a registry that misbehaves as it is told.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "clippy sees tests only in functions that are marked so"
)]

mod authorization;
mod pull;
mod push;
mod retry;
mod signatures;
mod stand_in;
