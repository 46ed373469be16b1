//! The names of records. No other file knows them.
//!
//! | record | holds |
//! |---|---|
//! | `manifests/<repository>:<digest>` | media type and bytes of a manifest |
//! | `tags/<repository>:<tag>` | the digest that the tag points to |
//! | `history/<repository>:<tag>:<turn>` | one move of the tag; turns are inverted, so that the newest comes first |
//! | `pending/<repository>:<tag>` | the held manifest that the tag shall point to |
//! | `referrers/<repository>:<subject>:<digest>` | a descriptor of the referrer |
//! | `grants/<repository>:<blob>` | this repository may read that blob |
//! | `holders/<blob>:<repository>` | the same the other way round: who has that blob |
//! | `users/<repository>:<blob>:<manifest>` | this manifest names that blob |
//! | `format` | which form the records have |
//! | `facts/<digest>` | what the bytes behind a manifest are |
//! | `decisions/<repository>:<digest>` | what was decided on a manifest when it came in |
//! | `robots/<name>` | a robot, with the hash of its token |
//! | `blobs/<digest>` | size and age of a small blob |
//! | `bytes/<digest>` | the bytes of a small blob |
//! | `uploads/<repository>:<id>` | how far an upload has come |
//! | `chunks/<repository>:<id>` | the bytes of an upload that is small until now |
//! | `secrets/<name>` | a key of this store's own |
//!
//! No repository name, tag or hexadecimal number has a colon, so that no name is the
//! beginning of another by accident.

mod named;

use std::fmt;

pub(crate) use named::{Kind, Named};
use wasmport_artifact::{Digest, RepositoryName, Tag};

/// The name of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// What the names of related records begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

impl Key {
    /// A manifest.
    pub fn manifest(repository: &RepositoryName, digest: &Digest) -> Self {
        Prefix::manifests(repository).key(digest.as_str())
    }

    /// Before the manifests of every repository whose name is not less than `text`.
    pub(crate) fn manifests_from(text: &str) -> Self {
        Self(format!("manifests/{text}"))
    }

    /// A tag.
    pub fn tag(repository: &RepositoryName, tag: &Tag) -> Self {
        Prefix::tags(repository).key(tag.as_str())
    }

    /// A tag as it was named in a request, for listing from there; it need not be a valid one.
    pub fn tag_position(repository: &RepositoryName, position: &str) -> Self {
        Prefix::tags(repository).key(position)
    }

    /// What happened to a tag in its `turn`th move.
    pub fn history(repository: &RepositoryName, tag: &Tag, turn: u64) -> Self {
        Prefix::history(repository, tag).key(&format!("{:020}", u64::MAX - turn))
    }

    /// The wish of a held manifest for a tag.
    pub fn pending(repository: &RepositoryName, tag: &Tag) -> Self {
        Prefix::pending(repository).key(tag.as_str())
    }

    /// A referrer of a subject.
    pub fn referrer(repository: &RepositoryName, subject: &Digest, digest: &Digest) -> Self {
        Prefix::referrers(repository, subject).key(digest.as_str())
    }

    /// A repository's right to a blob.
    pub fn grant(repository: &RepositoryName, blob: &Digest) -> Self {
        Self(format!("grants/{repository}:{blob}"))
    }

    /// A blob's being in a repository.
    pub fn holder(blob: &Digest, repository: &RepositoryName) -> Self {
        Prefix::holders(blob).key(repository.as_str())
    }

    /// A manifest's use of a blob.
    pub fn user(repository: &RepositoryName, blob: &Digest, manifest: &Digest) -> Self {
        Prefix::users(repository, blob).key(manifest.as_str())
    }

    /// What the bytes behind a manifest are, in whatever repository.
    pub fn facts(manifest: &Digest) -> Self {
        Self(format!("facts/{manifest}"))
    }

    /// What was decided on a manifest when it came in.
    pub fn decision(repository: &RepositoryName, manifest: &Digest) -> Self {
        Self(format!("decisions/{repository}:{manifest}"))
    }

    /// Size and age of a small blob.
    pub fn small_blob(digest: &Digest) -> Self {
        Self(format!("blobs/{digest}"))
    }

    /// The bytes of a small blob.
    pub fn bytes(digest: &Digest) -> Self {
        Self(format!("bytes/{digest}"))
    }

    /// How far an upload has come.
    pub fn upload(repository: &RepositoryName, id: &str) -> Self {
        Self(format!("uploads/{repository}:{id}"))
    }

    /// The bytes of an upload that is small until now.
    pub fn chunk(repository: &RepositoryName, id: &str) -> Self {
        Self(format!("chunks/{repository}:{id}"))
    }

    /// A key that this store made for itself.
    pub fn secret(name: &str) -> Self {
        Self(format!("secrets/{name}"))
    }

    /// A robot.
    pub fn robot(name: &str) -> Self {
        Prefix::robots().key(name)
    }

    /// Which form of the store the records have.
    pub fn format() -> Self {
        Self("format".to_owned())
    }

    /// A key as an engine gives it back.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name as an engine stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The repository that a record belongs to. Facts and small blobs belong to their bytes
    /// and to none, and uploads are nothing that a repository has yet.
    pub(crate) fn repository(&self) -> Option<&str> {
        let (kind, rest) = self.0.split_once('/')?;
        match kind {
            "facts" | "blobs" | "bytes" | "uploads" | "chunks" | "secrets" => None,
            "holders" => rest.rsplit_once(':').map(|(_, repository)| repository),
            _ => rest.split_once(':').map(|(repository, _)| repository),
        }
    }

    /// The tag in the name of a tag or of a wish for one.
    pub(crate) fn as_tag(&self) -> Option<Tag> {
        self.last_part()?.parse().ok()
    }

    /// The repository in the name of a wish for a tag.
    pub(crate) fn pending_repository(&self) -> Option<RepositoryName> {
        let (repository, _) = self.0.strip_prefix("pending/")?.rsplit_once(':')?;
        repository.parse().ok()
    }

    /// The last digest in the name of a referrer, or of a blob's user.
    pub(crate) fn as_digest(&self) -> Option<Digest> {
        let (rest, hex) = self.0.rsplit_once(':')?;
        let (_, algorithm) = rest.rsplit_once(':')?;
        format!("{algorithm}:{hex}").parse().ok()
    }

    /// The repository in the name of a holder.
    pub(crate) fn as_holder(&self) -> Option<RepositoryName> {
        self.last_part()?.parse().ok()
    }

    /// The repository in the name of a manifest.
    pub(crate) fn manifest_repository(&self) -> Option<RepositoryName> {
        let (repository, _) = self.0.strip_prefix("manifests/")?.split_once(':')?;
        repository.parse().ok()
    }

    /// Repository and tag in the name of a tag's move.
    pub(crate) fn as_history(&self) -> Option<(RepositoryName, Tag)> {
        let (repository, rest) = self.0.strip_prefix("history/")?.split_once(':')?;
        let (tag, _) = rest.split_once(':')?;
        Some((repository.parse().ok()?, tag.parse().ok()?))
    }

    /// The turn in the name of a tag's move.
    pub(crate) fn as_turn(&self) -> Option<u64> {
        self.last_part()?
            .parse()
            .ok()
            .map(|turn: u64| u64::MAX - turn)
    }

    /// The digest in the name of a small blob.
    pub(crate) fn as_small_blob(&self) -> Option<Digest> {
        self.0.strip_prefix("blobs/")?.parse().ok()
    }

    /// Repository and identifier in the name of an upload.
    pub(crate) fn as_upload(&self) -> Option<(RepositoryName, &str)> {
        let (repository, id) = self.0.strip_prefix("uploads/")?.split_once(':')?;
        Some((repository.parse().ok()?, id))
    }

    fn last_part(&self) -> Option<&str> {
        self.0.rsplit_once(':').map(|(_, part)| part)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Prefix {
    /// All manifests of a repository.
    pub fn manifests(repository: &RepositoryName) -> Self {
        Self(format!("manifests/{repository}:"))
    }

    /// All manifests.
    pub fn all_manifests() -> Self {
        Self("manifests/".to_owned())
    }

    /// All tags of a repository.
    pub fn tags(repository: &RepositoryName) -> Self {
        Self(format!("tags/{repository}:"))
    }

    /// All moves of a tag.
    pub fn history(repository: &RepositoryName, tag: &Tag) -> Self {
        Self(format!("history/{repository}:{tag}:"))
    }

    /// All moves of all tags.
    pub fn all_history() -> Self {
        Self("history/".to_owned())
    }

    /// All wishes for tags in a repository.
    pub fn pending(repository: &RepositoryName) -> Self {
        Self(format!("pending/{repository}:"))
    }

    /// All wishes for tags.
    pub fn all_pending() -> Self {
        Self("pending/".to_owned())
    }

    /// All referrers of a subject.
    pub fn referrers(repository: &RepositoryName, subject: &Digest) -> Self {
        Self(format!("referrers/{repository}:{subject}:"))
    }

    /// All blobs that a repository may read.
    pub fn grants(repository: &RepositoryName) -> Self {
        Self(format!("grants/{repository}:"))
    }

    /// All repositories that have a blob.
    pub fn holders(blob: &Digest) -> Self {
        Self(format!("holders/{blob}:"))
    }

    /// All manifests of a repository that name a blob.
    pub fn users(repository: &RepositoryName, blob: &Digest) -> Self {
        Self(format!("users/{repository}:{blob}:"))
    }

    /// All small blobs.
    pub fn small_blobs() -> Self {
        Self("blobs/".to_owned())
    }

    /// All uploads.
    pub fn uploads() -> Self {
        Self("uploads/".to_owned())
    }

    /// All robots.
    pub fn robots() -> Self {
        Self("robots/".to_owned())
    }

    /// The text that the names begin with.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(self, last: &str) -> Key {
        Key(self.0 + last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str) -> RepositoryName {
        name.parse().unwrap()
    }

    #[test]
    fn what_was_put_into_a_name_can_be_read_from_it() {
        let app = repository("team/app");
        let (subject, digest) = (Digest::of(b"subject"), Digest::of(b"referrer"));
        let tag: Tag = "1.0".parse().unwrap();
        assert_eq!(Key::tag(&app, &tag).as_tag(), Some(tag.clone()));
        let history = Key::history(&app, &tag, 7);
        assert_eq!(history.as_history(), Some((app.clone(), tag.clone())));
        assert_eq!(history.as_turn(), Some(7));
        assert_eq!(
            Key::pending(&app, &tag).pending_repository(),
            Some(app.clone())
        );
        assert_eq!(
            Key::referrer(&app, &subject, &digest).as_digest(),
            Some(digest.clone())
        );
        assert_eq!(Key::user(&app, &subject, &digest).as_digest(), Some(digest));
    }

    #[test]
    fn a_record_tells_its_repository() {
        let app = repository("team/app");
        let (blob, manifest) = (Digest::of(b"blob"), Digest::of(b"manifest"));
        let tag: Tag = "1.0".parse().unwrap();
        for key in [
            Key::manifest(&app, &manifest),
            Key::tag(&app, &tag),
            Key::pending(&app, &tag),
            Key::referrer(&app, &blob, &manifest),
            Key::grant(&app, &blob),
            Key::user(&app, &blob, &manifest),
            Key::decision(&app, &manifest),
        ] {
            assert_eq!(key.repository(), Some("team/app"), "{key}");
        }
        assert_eq!(Key::facts(&manifest).repository(), None);
    }

    #[test]
    fn a_repository_does_not_see_the_names_of_one_below_it() {
        let tag: Tag = "1.0".parse().unwrap();
        let below = Key::tag(&repository("team/app"), &tag);
        for name in ["team", "team/ap", "team/app/x"] {
            let prefix = Prefix::tags(&repository(name));
            assert!(!below.as_str().starts_with(prefix.as_str()), "{name}");
        }
    }
}
