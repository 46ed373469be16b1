//! The client against a stand-in for a registry that misbehaves as it is told.

mod authorization;
mod pull;
mod push;
mod retry;
mod signatures;
mod stand_in;
