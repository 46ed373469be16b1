//! What the name of a record says, read back from it.

use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::{Key, Prefix};

/// The records that hang together by digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Manifests,
    Tags,
    Pending,
    Referrers,
    Grants,
    Holders,
    Users,
    Facts,
    /// The bytes of small blobs.
    Bytes,
}

/// A record's name in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Manifest(RepositoryName, Digest),
    Tag(RepositoryName, Tag),
    Pending(RepositoryName, Tag),
    Referrer(RepositoryName, Subject, Digest),
    Grant(RepositoryName, Digest),
    Holder(Digest, RepositoryName),
    User(RepositoryName, Digest, Digest),
    Facts(Digest),
}

/// What a referrer is about.
pub(crate) type Subject = Digest;

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Manifests => "manifests",
            Self::Tags => "tags",
            Self::Pending => "pending",
            Self::Referrers => "referrers",
            Self::Grants => "grants",
            Self::Holders => "holders",
            Self::Users => "users",
            Self::Facts => "facts",
            Self::Bytes => "bytes",
        }
    }
}

impl Prefix {
    /// All records of a kind.
    pub(crate) fn all(kind: Kind) -> Self {
        Self(format!("{}/", kind.name()))
    }

    /// The records of a kind in a repository.
    pub(crate) fn within(kind: Kind, repository: &RepositoryName) -> Self {
        Self(format!("{}/{repository}:", kind.name()))
    }

    /// The manifest that a tag of cosign's or the referrers fallback is about. Such a tag has
    /// room for the first half of a sha512 digest only.
    pub(crate) fn subject_of(repository: &RepositoryName, tag: &Tag) -> Option<Self> {
        let stem = tag
            .as_str()
            .split('.')
            .next()
            .filter(|_| tag.is_derived())?;
        let (algorithm, hex) = stem.split_once('-')?;
        Some(Self(format!("manifests/{repository}:{algorithm}:{hex}")))
    }

    /// A position after every record that this prefix, which ends with a colon, begins.
    pub(crate) fn end(&self) -> Key {
        let stem = self.0.strip_suffix(':').unwrap_or(&self.0);
        // The next character after the colon.
        Key(format!("{stem};"))
    }
}

impl Key {
    /// The name without its kind: what records of two kinds can have in common.
    pub(crate) fn rest(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, rest)| rest)
    }

    /// The parts of the name, if it is one of those that hang together.
    pub(crate) fn named(&self) -> Option<Named> {
        let (kind, rest) = self.0.split_once('/')?;
        if kind == "holders" {
            let (digest, repository) = rest.rsplit_once(':')?;
            return Some(Named::Holder(
                digest.parse().ok()?,
                repository.parse().ok()?,
            ));
        }
        if kind == "facts" {
            return Some(Named::Facts(rest.parse().ok()?));
        }
        let (repository, rest) = rest.split_once(':')?;
        let repository = repository.parse().ok()?;
        match kind {
            "manifests" => Some(Named::Manifest(repository, rest.parse().ok()?)),
            "tags" => Some(Named::Tag(repository, rest.parse().ok()?)),
            "pending" => Some(Named::Pending(repository, rest.parse().ok()?)),
            "grants" => Some(Named::Grant(repository, rest.parse().ok()?)),
            "referrers" => two_digests(rest)
                .map(|(subject, digest)| Named::Referrer(repository, subject, digest)),
            "users" => {
                two_digests(rest).map(|(blob, digest)| Named::User(repository, blob, digest))
            }
            _ => None,
        }
    }
}

fn two_digests(text: &str) -> Option<(Digest, Digest)> {
    let (second_colon, _) = text.match_indices(':').nth(1)?;
    let (first, second) = text.split_at_checked(second_colon)?;
    let second = second.strip_prefix(':')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        let app: RepositoryName = "team/app".parse().unwrap();
        let tag: Tag = "1.0".parse().unwrap();
        let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
        for (key, named) in [
            (
                Key::manifest(&app, &one),
                Named::Manifest(app.clone(), one.clone()),
            ),
            (Key::tag(&app, &tag), Named::Tag(app.clone(), tag.clone())),
            (Key::pending(&app, &tag), Named::Pending(app.clone(), tag)),
            (
                Key::referrer(&app, &one, &two),
                Named::Referrer(app.clone(), one.clone(), two.clone()),
            ),
            (
                Key::grant(&app, &one),
                Named::Grant(app.clone(), one.clone()),
            ),
            (
                Key::holder(&one, &app),
                Named::Holder(one.clone(), app.clone()),
            ),
            (
                Key::user(&app, &one, &two),
                Named::User(app.clone(), one.clone(), two),
            ),
            (Key::facts(&one), Named::Facts(one)),
        ] {
            assert_eq!(key.named(), Some(named));
        }
        assert_eq!(Key::from_stored("format".to_owned()).named(), None);
    }

    #[test]
    fn the_end_of_a_repository_comes_after_it_and_before_the_next() {
        let end = |name: &str| {
            let name: RepositoryName = name.parse().unwrap();
            Prefix::within(Kind::Manifests, &name).end()
        };
        let key = |name: &str| {
            let name: RepositoryName = name.parse().unwrap();
            Key::manifest(&name, &Digest::of(b"x"))
        };
        assert!(key("app") < end("app"));
        assert!(end("app") < key("appx"));
        assert!(end("app-x") < key("app"));
    }
}
