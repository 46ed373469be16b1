//! What a path under `/v2/` means. Repository names hold slashes, so that paths are read
//! from their end, once, here.

use axum::http::Method;
use thiserror::Error;
use wasmport_artifact::{
    Digest, DigestError, ReferenceError, RepositoryName, RepositoryNameError, Selector, Tag,
    TagError,
};

use crate::access::Action;

/// An endpoint of the distribution API (distribution specification, "Endpoints").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/v2/`
    Base,
    /// `/v2/<name>/blobs/<digest>`
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`, which we choose
    Upload(RepositoryName, String),
    /// `/v2/<name>/manifests/<reference>`
    Manifest(RepositoryName, Selector),
    /// `/v2/<name>/tags/list`
    Tags(RepositoryName),
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/_wasmport/decision/<reference>`
    Decision(RepositoryName, Selector),
    /// `/v2/<name>/_oci/tag-history/<tag>`
    TagHistory(RepositoryName, Tag),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(RepositoryName, Digest),
}

/// Why a path is no endpoint.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum EndpointError {
    #[error("there is no endpoint `{0}`")]
    Unknown(String),
    #[error(transparent)]
    Repository(#[from] RepositoryNameError),
    #[error(transparent)]
    Digest(#[from] DigestError),
    #[error(transparent)]
    Reference(ReferenceError),
    #[error(transparent)]
    Tag(#[from] TagError),
}

impl Endpoint {
    /// Reads the path of a request, without its query.
    pub(crate) fn parse(path: &str) -> Result<Self, EndpointError> {
        let unknown = || EndpointError::Unknown(path.to_owned());
        let rest = path.strip_prefix("/v2").ok_or_else(unknown)?;
        if matches!(rest, "" | "/") {
            return Ok(Self::Base);
        }
        // The colon of a digest is the only character in a valid path that clients escape.
        let unescaped;
        let rest = if rest.contains('%') {
            unescaped = rest.replace("%3A", ":").replace("%3a", ":");
            &unescaped
        } else {
            rest
        };
        let rest = rest.strip_prefix('/').ok_or_else(unknown)?;
        if rest == "_catalog" {
            return Ok(Self::Catalog);
        }
        if let Some(name) = rest.strip_suffix("/blobs/uploads/") {
            return Ok(Self::Uploads(name.parse()?));
        }
        let (rest, last) = rest.rsplit_once('/').ok_or_else(unknown)?;
        if let Some(name) = rest.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(name.parse()?, last.to_owned()));
        }
        if let Some(name) = rest.strip_suffix("/_oci/tag-history") {
            return Ok(Self::TagHistory(name.parse()?, last.parse()?));
        }
        if let Some(name) = rest.strip_suffix("/_wasmport/decision") {
            return Ok(Self::Decision(name.parse()?, selector(last)?));
        }
        let (name, noun) = rest.rsplit_once('/').ok_or_else(unknown)?;
        match (noun, last) {
            ("blobs", "uploads") => Ok(Self::Uploads(name.parse()?)),
            ("blobs", digest) => Ok(Self::Blob(name.parse()?, digest.parse()?)),
            ("manifests", reference) => Ok(Self::Manifest(name.parse()?, selector(reference)?)),
            ("tags", "list") => Ok(Self::Tags(name.parse()?)),
            ("referrers", digest) => Ok(Self::Referrers(name.parse()?, digest.parse()?)),
            _ => Err(unknown()),
        }
    }

    /// What the caller must be allowed to do, and where. `None` where who asks is answered.
    pub(crate) fn needs(&self, method: &Method) -> Option<(Action, &RepositoryName)> {
        let action = match (self, method) {
            (Self::Upload(..) | Self::Uploads(_), _) | (_, &Method::PUT) => Action::Push,
            (_, &Method::DELETE) => Action::Delete,
            _ => Action::Pull,
        };
        let repository = match self {
            Self::Base | Self::Catalog => return None,
            Self::Blob(repository, _)
            | Self::Uploads(repository)
            | Self::Upload(repository, _)
            | Self::Manifest(repository, _)
            | Self::Tags(repository)
            | Self::TagHistory(repository, _)
            | Self::Decision(repository, _)
            | Self::Referrers(repository, _) => repository,
        };
        Some((action, repository))
    }

    /// The repository, and what in it is meant, for logs.
    pub(crate) fn names(&self) -> (Option<String>, Option<String>) {
        let (repository, reference) = match self {
            Self::Base | Self::Catalog => return (None, None),
            Self::TagHistory(repository, tag) => (repository, Some(tag.to_string())),
            Self::Uploads(repository) | Self::Tags(repository) => (repository, None),
            Self::Blob(repository, digest) | Self::Referrers(repository, digest) => {
                (repository, Some(digest.to_string()))
            }
            Self::Upload(repository, id) => (repository, Some(id.clone())),
            Self::Manifest(repository, reference) | Self::Decision(repository, reference) => {
                (repository, Some(reference.to_string()))
            }
        };
        (Some(repository.to_string()), reference)
    }

    /// The methods that it has, as an `Allow` header lists them.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Uploads(_) => "POST",
            Self::Upload(..) => "GET, PATCH, PUT, DELETE",
            Self::Manifest(..) => "GET, HEAD, PUT, DELETE",
            Self::Blob(..) => "GET, HEAD, DELETE",
            Self::Base
            | Self::Catalog
            | Self::Tags(_)
            | Self::TagHistory(..)
            | Self::Decision(..)
            | Self::Referrers(..) => "GET, HEAD",
        }
    }
}

fn selector(text: &str) -> Result<Selector, EndpointError> {
    text.parse().map_err(|error| match error {
        ReferenceError::Digest(error) => EndpointError::Digest(error),
        other => EndpointError::Reference(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    fn parse(path: &str) -> Endpoint {
        Endpoint::parse(path).unwrap()
    }

    #[test]
    fn every_endpoint_is_found_for_short_and_long_names() {
        let digest: Digest = DIGEST.parse().unwrap();
        for repository in ["app", "team/app", "a/b/c/d"] {
            let repo = || name(repository);
            for (path, endpoint) in [
                (
                    format!("blobs/{DIGEST}"),
                    Endpoint::Blob(repo(), digest.clone()),
                ),
                ("blobs/uploads/".to_owned(), Endpoint::Uploads(repo())),
                ("blobs/uploads".to_owned(), Endpoint::Uploads(repo())),
                (
                    "blobs/uploads/7f".to_owned(),
                    Endpoint::Upload(repo(), "7f".to_owned()),
                ),
                (
                    "manifests/1.0".to_owned(),
                    Endpoint::Manifest(repo(), "1.0".parse().unwrap()),
                ),
                (
                    format!("manifests/{DIGEST}"),
                    Endpoint::Manifest(repo(), Selector::Digest(digest.clone())),
                ),
                ("tags/list".to_owned(), Endpoint::Tags(repo())),
                (
                    format!("referrers/{DIGEST}"),
                    Endpoint::Referrers(repo(), digest.clone()),
                ),
            ] {
                assert_eq!(parse(&format!("/v2/{repository}/{path}")), endpoint);
            }
        }
        let history = Endpoint::TagHistory(name("a/b"), "1.0".parse().unwrap());
        assert_eq!(parse("/v2/a/b/_oci/tag-history/1.0"), history);
        let decision = Endpoint::Decision(name("a/b"), "1.0".parse().unwrap());
        assert_eq!(parse("/v2/a/b/_wasmport/decision/1.0"), decision);
        assert_eq!(parse("/v2/_catalog"), Endpoint::Catalog);
        assert_eq!(parse("/v2"), Endpoint::Base);
        assert_eq!(parse("/v2/"), Endpoint::Base);
    }

    #[test]
    fn a_repository_may_be_named_like_a_part_of_the_api() {
        let expected = Endpoint::Manifest(name("blobs/uploads"), "latest".parse().unwrap());
        assert_eq!(parse("/v2/blobs/uploads/manifests/latest"), expected);
        assert_eq!(parse("/v2/tags/tags/list"), Endpoint::Tags(name("tags")));
    }

    #[test]
    fn an_escaped_colon_is_a_colon() {
        let escaped = DIGEST.replace(':', "%3A");
        let digest = DIGEST.parse().unwrap();
        let expected = Endpoint::Blob(name("app"), digest);
        assert_eq!(parse(&format!("/v2/app/blobs/{escaped}")), expected);
    }

    #[test]
    fn what_is_malformed_is_named() {
        let error = |path: &str| Endpoint::parse(path).unwrap_err();
        assert!(matches!(
            error("/v2/App/tags/list"),
            EndpointError::Repository(_)
        ));
        assert!(matches!(
            error("/v2/a/../b/tags/list"),
            EndpointError::Repository(_)
        ));
        assert!(matches!(
            error("/v2//tags/list"),
            EndpointError::Repository(_)
        ));
        assert!(matches!(
            error("/v2/app/blobs/sha256:bad"),
            EndpointError::Digest(_)
        ));
        assert!(matches!(
            error("/v2/app/manifests/sha256:bad"),
            EndpointError::Digest(_)
        ));
        assert!(matches!(
            error("/v2/app/manifests/-x"),
            EndpointError::Reference(_)
        ));
        for path in [
            "/v3/",
            "/v2x",
            "/v2/app",
            "/v2/app/tags",
            "/v2/app/tags/all",
            "/v2/app/x/y",
        ] {
            assert_eq!(error(path), EndpointError::Unknown(path.to_owned()));
        }
    }
}
