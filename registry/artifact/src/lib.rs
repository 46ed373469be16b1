//! What a Wasm OCI artifact *is*: names, digests, manifests, and what the bytes import.
//!
//! This crate is pure. It does no input or output and reads no clock and no environment;
//! that it builds for `wasm32-wasip1` is checked in CI.
//!
//! ```
//! use wasmport_artifact::{Digest, Descriptor, ImageManifest, Manifest, WasmConfig, inspect, media_type};
//!
//! let wasm = b"\0asm\x0d\0\x01\0"; // the empty component
//! let inspection = inspect(wasm)?;
//! let config = WasmConfig::describe(&inspection, Digest::of(wasm), None, None).to_bytes();
//! let manifest = ImageManifest::new(
//!     Descriptor::of(media_type::WASM_CONFIG, &config),
//!     vec![Descriptor::of(media_type::WASM, wasm)],
//! );
//! let manifest = Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST)?;
//! assert!(manifest.is_wasm());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod annotation;
mod causes;
mod comparison;
mod config;
mod descriptor;
mod digest;
mod function_types;
mod inspect;
mod inspection;
mod interface_name;
pub mod limits;
mod manifest;
pub mod media_type;
mod origin;
mod reference;
mod repository_name;
mod tag;

pub use causes::with_causes;
pub use comparison::{ChangedItem, Changes, Comparison, Item, Obstacle, Retyped, Sizes, Step};
pub use config::{ComponentClaim, Disagreement, WasmConfig, WasmConfigError};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use function_types::FunctionTypes;
pub use inspect::{InspectError, Inspector, NotWasm, examine, inspect, validate};
pub use inspection::{
    Dependencies, Dependency, Export, Feature, Import, Inspection, ItemKind, Kind, Memory, Section,
    SectionKind, Start, Target, UnknownFeature, WitInterface, WitPackage, WitWorld,
};
pub use interface_name::{InterfaceName, InterfaceNameError};
pub use manifest::{ImageManifest, Manifest, ManifestError};
pub use origin::{Frame, Origin, OriginError, Origins, Owner, Reach, Via, origins};
pub use reference::{Reference, ReferenceError, Selector};
pub use repository_name::{RepositoryName, RepositoryNameError};
pub use tag::{Tag, TagError};
