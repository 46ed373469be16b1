//! `[uploads]`: how large a blob may be, and how long an upload may lie idle.

use serde::{Deserialize, Serialize};

use crate::settings::{ByteSize, Timespan};

/// `[uploads]`: how blobs come in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct UploadSettings {
    /// Largest blob. Wasm artifacts are a thousandth of the default; container images, which
    /// may be kept beside them, have layers of a few gigabytes. Default: `8 GiB`.
    pub blob_bytes: ByteSize,
    /// How long an upload may lie idle before it is given up with its bytes. A build that
    /// failed at night can go on in the morning. Default: `24h`.
    pub idle: Timespan,
    /// Uploads that have acknowledged bytes and are not complete, at one time: they hold disk
    /// space until they are idle for too long. An upload of which nothing was acknowledged yet
    /// costs nothing and does not count. Default: 10000.
    pub open: usize,
    /// The same for each sender: a user, a robot, a workload, and where nobody is logged in an
    /// address (for IPv6, a /64), so that none can take the places of all. Default: 1000.
    pub open_per_sender: usize,
    /// Largest blob that is kept in the records and not in a file, at most `256 KiB`. Pushes of
    /// small blobs are many times as fast so, but the records are read in whole when the
    /// registry starts after a crash under load: about a second for each 300 MB. `0` keeps
    /// every blob in a file but the empty one. Default: `32 KiB`.
    pub small_bytes: ByteSize,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self {
            blob_bytes: ByteSize::gib(8),
            idle: Timespan::hours(24),
            open: 10_000,
            open_per_sender: 1000,
            small_bytes: ByteSize::kib(32),
        }
    }
}
