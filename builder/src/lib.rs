//! From a cargo project to an optimised component in an OCI image layout.
//!
//! [`build`] runs the whole line; [`pack`] and [`Layout`] are its last two steps, for bytes
//! that were made elsewhere. Nothing here reads arguments or the environment: what the
//! caller's process knows comes in as an [`Environment`].

mod build;
mod compile;
mod core_modules;
mod engine;
mod environment;
mod error;
mod event;
mod features;
mod layout;
mod optimize;
mod options;
mod pack;
mod project;
mod revision;
mod rustflags;
mod timestamp;
mod toolchain;

pub use build::{Built, Sizes, build};
pub use compile::CompileError;
pub use engine::Optimizer;
pub use environment::Environment;
pub use error::{BuildError, ErrorKind};
pub use event::Event;
pub use layout::{Layout, LayoutError, write};
pub use options::{BuildOptions, Features, Names};
pub use pack::{Artifact, Metadata, pack};
pub use project::ProjectError;
pub use timestamp::TimestampError;
pub use toolchain::ToolchainError;
