//! Where the registry keeps things: two small traits, their engines, and the schema over them.
//!
//! [`Records`] holds small named values, [`Blobs`] holds bytes by digest. [`Store`] is the
//! only user of both, and [`Key`] the only place that knows how records are named.

mod blob_writer;
mod blobs;
mod collect;
mod contents;
mod decisions;
mod digest_set;
mod disk;
mod error;
mod facts;
mod files;
mod filter;
mod format;
mod fsck;
mod generations;
mod grants;
mod history;
mod keys;
mod leases;
mod manifests;
mod memory;
mod memory_blobs;
mod pending;
mod quota;
mod records;
mod redb;
mod referrers;
mod removal;
mod repositories;
mod robots;
mod small_blobs;
mod stage_id;
mod store;
mod stored_blobs;
mod tags;
mod upload_records;
mod walk;

pub use blob_writer::{BlobWriter, VerifiedBlob, WriteBlobError};
pub use blobs::{Blobs, ListedBlob, ListedStage, OpenBlob, Pieces, Stage};
pub use collect::{CollectOptions, Collected, Removed};
pub use disk::{Disk, RealDisk};
pub use error::StorageError;
pub use files::FileBlobs;
pub use fsck::{Defect, DefectKind, Fsck};
pub use generations::{Generation, Generations};
pub use keys::{Key, Prefix};
pub use memory::MemoryRecords;
pub use memory_blobs::MemoryBlobs;
pub use quota::{Amount, QuotaExceeded, QuotaSettings, Usage};
pub use records::{Batch, Change, CommitError, CommitWatch, Expect, Record, Records, Version};
pub use redb::{CommitCounts, RedbRecords, RedbSettings};
pub use stage_id::{StageId, StageIdError};
pub use store::Store;

pub(crate) use decisions::{Compared, DecisionRecord, PROOFS};
pub(crate) use grants::DeleteBlob;
pub(crate) use history::{Event, MOVES};
pub(crate) use leases::unhindered;
pub(crate) use manifests::{PutManifestError, StoredManifest};
pub(crate) use pending::{Pending, Wishes};
pub(crate) use removal::RemoveError;
pub(crate) use robots::{Robot, RobotRule};
pub(crate) use store::now;
pub(crate) use tags::{Condition, TagError, TagTerms};
pub(crate) use upload_records::{KeepUploadError, UploadName, UploadRecord};
