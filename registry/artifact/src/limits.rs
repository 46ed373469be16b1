//! Limits on what is read from outside, each with its reason.

/// Largest manifest, in bytes. The distribution specification asks registries for
/// at least 4 MB (`spec.md`, "Pushing Manifests"), and clients should refuse more.
pub const MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// Largest `application/vnd.wasm.config.v0+json` blob, in bytes. It holds names only;
/// ten thousand imports fit into a tenth of this.
pub const CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// Largest Wasm layer that is inspected, in bytes. The largest published component that
/// we know is under 100 MB; inspection reads the whole layer into memory.
pub const WASM_BYTES: u64 = 512 * 1024 * 1024;

/// How deep components may nest. Real toolchains nest two or three deep.
pub const NESTING: usize = 100;

/// How many imports and exports an artifact may have. `wasmparser` allows 100,000 for
/// each section; a program with more than this is not made by a toolchain.
pub const ITEMS: usize = 100_000;

/// How many types, instances, components and names of nested ones are followed. `wasm-tools` has
/// 300. The validator keeps 200 bytes of a type, so that this many take 50 MB there.
pub const SHAPES: usize = 250_000;

/// Largest `.dep-v0` section after it is unpacked, in bytes. A crate takes about 100 bytes of it.
pub const DEPENDENCY_BYTES: usize = 4 * 1024 * 1024;

/// Longest text of a metadata section that is kept, in bytes. It is written by hand.
pub const METADATA_BYTES: usize = 64 * 1024;

/// How many bytes the names of imports, exports and their functions may have together. A
/// small file can import one large type many times; `wasm-tools` itself needs 30 kB.
pub const NAME_BYTES: usize = 16 * 1024 * 1024;

/// Longest host and repository name together, in bytes (distribution specification,
/// "Pulling manifests": many clients limit them to 255).
pub const REPOSITORY_NAME_BYTES: usize = 255;

/// Longest tag, in bytes (distribution specification, "Pulling manifests").
pub const TAG_BYTES: usize = 128;

/// Largest signature bundle or signature payload that is read, in bytes.
pub const SIGNATURE_BYTES: usize = 1024 * 1024;

/// How many signatures of one artifact are looked at. Reading them costs a request or a
/// file each; cosign stops at 1,000 layers in a `.sig` manifest.
pub const SIGNATURES: usize = 1000;

/// How much work putting a component together may take when its functions are traced: one
/// for each definition, instantiated function and element. A small file can instantiate a
/// module a million times; `wasm-tools`, with 15 MB, needs 100,000.
pub const LINKING_WORK: usize = 20_000_000;

/// How much of [`LINKING_WORK`] an instance costs by itself.
pub const INSTANTIATION_WORK: usize = 1000;

/// Longest name of a function that is shown, in bytes. Names of generic code repeat their
/// types, and a mangled one can unfold to a megabyte.
pub const FUNCTION_NAME_BYTES: usize = 2000;

/// How many functions of the way from an export to an import are shown. The longest that we
/// know has sixty.
pub const CHAIN_FUNCTIONS: usize = 1000;

/// How many slots of a module's table are looked for among the numbers in its code.
/// `wasm-tools` fills five thousand.
pub const SLOTS: u32 = 1_000_000;

/// How much is written out of the types of functions when two artifacts are compared. Those of all
/// of WASI take less than a hundredth; types that refer to each other can unfold without end.
pub const TYPE_BYTES: usize = 16 << 20;
