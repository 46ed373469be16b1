//! The version before an artifact, which `new-capabilities` compares it with: the one that the
//! registry took for it, or would take.

use serde_json::Value;
use wasmport_artifact::{Digest, Reference, Selector, Tag};
use wasmport_client::Registry;
use wasmport_policies::{Content, Previous};
use wasmport_registry::{tags_by_precedence, version_of_tag};

use crate::artifact::Artifact;
use crate::error::Failure;
use crate::remote::{self, Connection};

/// What is known of the version before.
#[derive(Debug)]
pub(crate) enum Before {
    /// This one; or none, since it is the first.
    Known(Option<Previous>),
    /// It could not be looked at, and why not.
    Unknown(String),
}

/// Where versions are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) reference: &'a Reference,
    /// The tag that it has, or shall have.
    pub(crate) tag: Option<&'a Tag>,
    pub(crate) connection: &'a Connection,
    /// The artifact whose forerunner is wanted.
    pub(crate) digest: &'a Digest,
}

impl Versions<'_> {
    /// What the registry compared it with when it came in. Another registry than ours has not
    /// compared it; the newest version below its own then counts.
    pub(crate) async fn before_stored(&self) -> Result<Before, Failure> {
        if let Some(recorded) = self.recorded().await? {
            return self.compared_with(&recorded).await;
        }
        let Some(own) = self.tag.and_then(version_of_tag) else {
            let why =
                "the registry does not say what it compared it with, and its tag is no version";
            return Ok(Before::Unknown(why.to_owned()));
        };
        let mut below = self.tags().await?;
        below.retain(|tag| version_of_tag(tag).is_some_and(|version| version < own));
        self.newest(tags_by_precedence(below, Some(&own))).await
    }

    /// What the registry would compare it with if it were pushed now, under its tag: what
    /// that is on; else what it was compared with before; else the newest
    /// version below, the newest of all, `latest`, or whatever has a tag.
    pub(crate) async fn before_pushed(&self) -> Result<Before, Failure> {
        let own = self.tag;
        if let Some(tag) = own
            && let Some(found) = self.behind(tag).await?
        {
            return Ok(found);
        }
        if let Some(recorded) = self.recorded().await? {
            return self.compared_with(&recorded).await;
        }
        let own = own.and_then(version_of_tag);
        self.newest(tags_by_precedence(self.tags().await?, own.as_ref()))
            .await
    }

    /// What our registry wrote down when it took the artifact.
    async fn recorded(&self) -> Result<Option<Value>, Failure> {
        let selector = Selector::Digest(self.digest.clone());
        let decision = self.registry.decision(&selector).await;
        let decision = decision.map_err(remote::failed("ask what it was compared with"))?;
        Ok(decision.and_then(|mut decision| Some(decision.get_mut("recorded")?.take())))
    }

    async fn compared_with(&self, recorded: &Value) -> Result<Before, Failure> {
        let list = recorded.get("comparedWith").and_then(Value::as_array);
        let compared = match list.map(Vec::as_slice) {
            Some([only]) => only,
            Some([_, _, ..]) => {
                let why = "the registry compared it with several, one for each of its tags";
                return Ok(Before::Unknown(why.to_owned()));
            }
            _ => &Value::Null,
        };
        let field = |name: &str| compared.get(name).and_then(Value::as_str);
        let Some(digest) = field("digest").and_then(|text| text.parse::<Digest>().ok()) else {
            return Ok(Before::Known(None));
        };
        let tag = field("tag").and_then(|tag| tag.parse().ok());
        self.look_at(tag, digest).await
    }

    async fn tags(&self) -> Result<Vec<Tag>, Failure> {
        let tags = self.registry.tags().await;
        // A repository that is not there yet has none.
        let mut tags = match tags {
            Err(error) if error.kind() == wasmport_client::Kind::NotFound => Vec::new(),
            tags => tags.map_err(remote::failed("list the tags"))?,
        };
        tags.retain(|tag| !tag.is_derived());
        Ok(tags)
    }

    /// The first of `tags` that is on another artifact.
    async fn newest(&self, tags: Vec<Tag>) -> Result<Before, Failure> {
        for tag in tags {
            if let Some(found) = self.behind(&tag).await? {
                return Ok(found);
            }
        }
        Ok(Before::Known(None))
    }

    /// What a tag is on, if that is another artifact.
    async fn behind(&self, tag: &Tag) -> Result<Option<Before>, Failure> {
        let selector = Selector::Tag(tag.clone());
        let manifest = match self.registry.find_manifest(&selector).await {
            Err(error) if remote::decision(&error).is_some() => {
                let why = format!("the registry refuses to give out `{tag}`");
                return Ok(Some(Before::Unknown(why)));
            }
            manifest => manifest.map_err(remote::failed("look at the version before"))?,
        };
        match manifest.map(|manifest| manifest.digest()) {
            Some(digest) if digest != *self.digest => {
                self.look_at(Some(tag.clone()), digest).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn look_at(&self, tag: Option<Tag>, digest: Digest) -> Result<Before, Failure> {
        let reference = self.reference.at_digest(digest.clone());
        let artifact = match Artifact::pull(&reference, self.connection).await {
            Ok(artifact) => artifact,
            Err(failure) if failure.is_about_the_artifact() => {
                return Ok(Before::Unknown(failure.message()));
            }
            Err(failure) => return Err(failure),
        };
        let content = artifact.content();
        if matches!(content, Content::Image { .. } | Content::Other) {
            let why = format!("`{reference}` is not one Wasm in one layer");
            return Ok(Before::Unknown(why));
        }
        Ok(Before::Known(Some(Previous {
            tag,
            digest,
            imports: content.imports().cloned().collect(),
        })))
    }
}
