//! Facts about an artifact in, a decision with its reasons out.
//!
//! This crate is pure. It does no input or output and reads no clock and no environment;
//! that it builds for `wasm32-wasip1` is checked in CI.

mod capability;
mod catalogue;
mod decide;
mod decision;
mod explain;
mod facts;
mod finding;
mod likeness;
mod needs;
mod policy;
mod smallest;
mod template;
mod usage;

pub use capability::{CapabilityUse, Risk, capabilities};
pub use catalogue::{KNOWN_RELEASES, KnownCapability, KnownFunctions, known_capabilities};
pub use decide::decide;
pub use decision::{
    Decision, Judged, Verdict, annotation, annotation_at, case_sarif, clean, failed_sarif,
};
pub use explain::{ExplainedExport, ExplainedImport, Explanation, Outcome, explain};
pub use facts::{
    Attestation, Content, Facts, ImageSurvey, InnerWasm, LayerFacts, LayerLimits, Part, Previous,
    TagFacts, Unseen, Wasm,
};
pub use finding::{Code, Effect, Finding, Found, Place, Texts};
/// A day, without a time and a zone.
pub use jiff::civil::Date;
pub use policy::{
    FILE_BYTES as POLICY_FILE_BYTES, Lint, Policy, PolicyError, PolicyWarning, RepositoryPattern,
    Signer, Surrounding, Trust,
};
pub use smallest::SmallestError;
pub use usage::Usage;
