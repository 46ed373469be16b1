//! Black-box tests of the registry over HTTP, one file a workflow of the distribution
//! specification, and one for admission.

mod admission;
mod artifact;
mod discovery;
mod pull;
mod push;
mod registry;
mod signatures;
mod start;
