//! The exit codes, which pipelines build on.

/// Done: built, pushed, admitted, verified.
pub(crate) const DONE: u8 = 0;
/// The answer is no: denied, held, not verified, does not compile.
pub(crate) const NO: u8 = 1;
/// The question is wrong: usage, configuration, or input that is not what it should be.
pub(crate) const USAGE: u8 = 2;
/// No answer could be had: network, registry, disk, a tool that is missing.
pub(crate) const UNDECIDED: u8 = 3;
