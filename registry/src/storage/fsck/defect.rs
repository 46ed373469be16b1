//! What can be wrong with a store, what it means, and what is done about it.

use serde::Serialize;

/// How many defects are named; the others are counted.
const NAMED: usize = 1_000;

/// What a check found.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fsck {
    /// Whether it was to repair.
    pub repair: bool,
    /// Records that were read.
    pub records: u64,
    /// Manifests that were hashed.
    pub manifests: u64,
    /// Blobs that were hashed.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that no repository has. They are no defect: the collector takes them.
    pub garbage_blobs: u64,
    /// How many defects there were.
    pub found: u64,
    /// How many of them are repaired.
    pub repaired: u64,
    /// The first thousand.
    pub defects: Vec<Defect>,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Defect {
    /// What is wrong.
    pub kind: DefectKind,
    /// The record or the blob.
    pub name: String,
    /// What that means for who uses the registry.
    pub meaning: &'static str,
    /// What `--repair` does about it.
    pub repair: &'static str,
    /// It was done.
    pub repaired: bool,
}

/// The kinds of defects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefectKind {
    /// The store has the format of an older version.
    OldFormat,
    /// The bytes do not have the digest that they are stored under.
    BlobCorrupted,
    /// The file system cannot read the bytes.
    BlobUnreadable,
    /// A small blob has bytes and no measures, or measures that are wrong.
    BlobMeasures,
    /// A repository has a blob whose bytes are not there.
    BlobMissing,
    /// A manifest of a component names a blob that its repository does not have.
    ManifestIncomplete,
    /// A manifest's bytes do not have its digest, or are no manifest.
    ManifestCorrupted,
    /// A grant cannot be read, or says another size than the blob has.
    GrantWrong,
    /// A repository may read a blob and is not among its holders.
    HolderMissing,
    /// A repository is among the holders of a blob that it may not read.
    HolderDangling,
    /// A manifest is not among the users of a blob that it names.
    UserMissing,
    /// A manifest is among the users of a blob, and does not name it or is not there.
    UserDangling,
    /// A referrer is not listed with its subject, or wrongly.
    ReferrerWrong,
    /// A referrer is listed that is not there or is about something else.
    ReferrerDangling,
    /// A tag cannot be read.
    TagUnreadable,
    /// A tag points to a manifest that is not there.
    TagDangling,
    /// A held manifest that shall have a tag is not there, or the wish cannot be read.
    WishDangling,
}

impl DefectKind {
    pub(super) fn can_be_repaired(self) -> bool {
        !matches!(self, Self::BlobUnreadable | Self::ManifestIncomplete)
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::OldFormat => "an older version wrote the store",
            Self::BlobCorrupted => "who pulls the blob gets bytes that do not match its digest",
            Self::BlobUnreadable => "the disk cannot read the blob, and nobody can pull it",
            Self::BlobMeasures => "the blob is missed when blobs are listed",
            Self::BlobMissing => "the registry says that it has the blob, and cannot send it",
            Self::ManifestIncomplete => {
                "the artifact cannot be pulled until the blob is pushed again"
            }
            Self::ManifestCorrupted => "who pulls the manifest gets what does not match its digest",
            Self::GrantWrong => "pushes of manifests that name the blob are refused",
            Self::HolderMissing => "the collector would remove a blob that the repository has",
            Self::HolderDangling | Self::UserDangling => "the collector keeps the blob for nobody",
            Self::UserMissing => "the collector would take the blob away from the manifest",
            Self::ReferrerWrong => "signatures and other referrers are not found",
            Self::ReferrerDangling => "a listed referrer cannot be pulled",
            Self::TagUnreadable => "nothing can be pulled by the tag",
            Self::TagDangling => "the tag is listed, and nothing can be pulled by it",
            Self::WishDangling => "the tag would never move",
        }
    }

    fn repair(self) -> &'static str {
        match self {
            Self::OldFormat => "the records are brought into today's form",
            Self::BlobCorrupted => "the bytes are moved to `quarantine/`; push the blob again",
            Self::BlobUnreadable => "nothing: copy the store to a good disk, and check it there",
            Self::BlobMeasures => "they are written anew from the bytes",
            Self::BlobMissing => "the repository no longer has it, so that it can be pushed again",
            Self::ManifestIncomplete => "nothing: push the artifact again",
            Self::ManifestCorrupted => "the record is moved to `quarantine/`; push it again",
            Self::GrantWrong => "it is written anew from the blob",
            Self::HolderMissing | Self::UserMissing | Self::ReferrerWrong => {
                "the record is written anew from what it is derived from"
            }
            Self::HolderDangling | Self::UserDangling | Self::ReferrerDangling => {
                "the record is deleted"
            }
            Self::TagUnreadable | Self::TagDangling | Self::WishDangling => {
                "the record is moved to `quarantine/`; tag or push it again"
            }
        }
    }
}

impl Fsck {
    /// Defects that are still there.
    pub fn left(&self) -> u64 {
        self.found - self.repaired
    }

    pub(super) fn note(&mut self, kind: DefectKind, name: String, repaired: bool) {
        self.found += 1;
        self.repaired += u64::from(repaired);
        if self.defects.len() < NAMED {
            self.defects.push(Defect {
                kind,
                name,
                meaning: kind.meaning(),
                repair: kind.repair(),
                repaired,
            });
        }
    }
}
