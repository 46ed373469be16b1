//! How much of an image is looked through, each limit with its reason. What is beyond one is
//! reported as not seen, and so a rule can refuse it.

/// How many bytes one layer may expand to unless somebody says otherwise. Layers that carry
/// Wasm have megabytes; to look through a gigabyte takes a second or two.
pub(super) const LAYER_BYTES: u64 = 1 << 30;

/// How many times the limits of one layer an image may need together.
pub(super) const LAYERS: u64 = 8;

/// What a layer may expand to whatever its size: small layers of zeros are honest.
pub(super) const FREE_BYTES: u64 = 256 << 20;

/// How many times its size a layer may expand to beyond that. Deflate reaches 1,032 on zeros
/// and 20 on text; Zstandard packs gigabytes of zeros into kilobytes.
pub(super) const RATIO: u64 = 200;

/// How many entries the archives of a layer may have together. A tree of Node.js has a
/// hundred thousand.
pub(super) const ENTRIES: u64 = 1 << 20;

/// How deep compressed data and archives may be in each other. A layer is two deep, and an
/// archive in it four.
pub(super) const NESTING: usize = 8;

/// How many bytes of what it expanded a Zstandard frame may refer back to; they are in memory.
/// Its own tool takes no more either, unless it is told to.
pub(super) const WINDOW_BYTES: u64 = 128 << 20;

/// The same for a frame inside compressed data: with what RFC 8878 recommends for all
/// decoders, a layer of frames in frames takes little more memory than one frame.
pub(super) const INNER_WINDOW_BYTES: u64 = 8 << 20;

/// Longest path in an archive, in bytes: that of Linux.
pub(super) const PATH_BYTES: usize = 4096;

/// Largest header of an extended kind in an archive, in bytes: that of Go's reader, which
/// container runtimes use.
pub(super) const SPECIAL_BYTES: u64 = 1 << 20;

/// How many Wasm files one image may carry. Spin's applications have a dozen.
pub(super) const WASM_FILES: usize = 1000;

/// How many bytes the inspections of one image may have together, as JSON. They are stored,
/// and read again at each decision; that of a large component has 50 kB.
pub(super) const FACTS_BYTES: usize = 16 << 20;

/// How many things that could not be looked into are named.
pub(super) const UNSEEN: usize = 1000;
