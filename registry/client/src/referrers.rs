//! Referrers: what says something about a manifest, by the API or by the fallback tag.

use bytes::Bytes;
use oci_client::RegistryOperation;
use reqwest::header::{ACCEPT, LINK};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use wasmport_artifact::{Descriptor, Digest, Manifest, Selector, Tag, limits, media_type};

use crate::answer::{self, header};
use crate::error::{ClientError, Failure};
use crate::registry::Registry;

/// How many pages of referrers are read. Registries give at least a hundred on a page,
/// and we look at no more than [`limits::SIGNATURES`].
const PAGES: usize = 100;

/// One page of the referrers API.
enum Page {
    /// The registry does not have the API.
    NoApi,
    /// Descriptors, and where the list goes on.
    Descriptors(Vec<Descriptor>, Option<Box<reqwest::RequestBuilder>>),
}

impl Registry {
    /// Lists the manifests whose subject is `subject` (distribution specification, "Listing
    /// Referrers"). Where the registry does not have the API, the list that clients keep at
    /// the tag `sha256-<hex>` is taken.
    ///
    /// Believe the manifests and not the artifact types in this list: clients write what
    /// they like there.
    pub async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, ClientError> {
        let action = format!("list the referrers of `{subject}` in");
        let exchange = || self.list_by_api(subject);
        let by_api = self.attempt(RegistryOperation::Pull, &action, exchange);
        if let Some(descriptors) = by_api.await? {
            return Ok(descriptors);
        }
        let tag = Selector::Tag(Tag::referrers_fallback(subject));
        let index = self.find_manifest(&tag).await?;
        Ok(index.map_or_else(Vec::new, |index| descriptors(index.bytes())))
    }

    /// Adds a referrer to the list at the tag `sha256-<hex>`, for registries that do not
    /// keep one by themselves (the same document, "Referrers Tag Schema").
    ///
    /// Whatever else is in the list stays. Two clients that do this at the same moment may
    /// lose one of the entries; the specification has nothing against that.
    pub(crate) async fn add_to_fallback(
        &self,
        subject: &Digest,
        referrer: &Descriptor,
    ) -> Result<(), ClientError> {
        let tag = Selector::Tag(Tag::referrers_fallback(subject));
        let previous = self.find_manifest(&tag).await?;
        let refuse = |failure| self.error(&format!("add a referrer at `{tag}` in"), failure);
        let Some(index) = with_entry(previous.as_ref(), referrer).map_err(refuse)? else {
            return Ok(());
        };
        let media_type = previous
            .as_ref()
            .map_or(media_type::IMAGE_INDEX, Manifest::media_type);
        self.put_manifest(&tag, &index, media_type).await?;
        Ok(())
    }

    /// `None` when the registry does not have the API.
    async fn list_by_api(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Failure> {
        let path = format!("referrers/{subject}");
        let mut request = self.request(Method::GET, &path);
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let request_for_index = request.header(ACCEPT, media_type::IMAGE_INDEX);
            let response = self
                .send(RegistryOperation::Pull, request_for_index)
                .await?;
            match self.read_page(response).await? {
                Page::NoApi => return Ok(None),
                Page::Descriptors(page, next) => {
                    all.extend(page);
                    match next {
                        Some(next) if all.len() <= limits::SIGNATURES => request = *next,
                        _ => return Ok(Some(all)),
                    }
                }
            }
        }
        Ok(Some(all))
    }

    async fn read_page(&self, response: Response) -> Result<Page, Failure> {
        // The specification has 404 for a registry without the API; others are seen too.
        if matches!(response.status().as_u16(), 400 | 404 | 405 | 406 | 501) {
            return Ok(Page::NoApi);
        }
        let response = answer::successful(response).await?;
        let content_type = header(response.headers(), "content-type").unwrap_or_default();
        if !content_type.starts_with(media_type::IMAGE_INDEX) {
            return Ok(Page::NoApi);
        }
        let next = match response
            .headers()
            .get(LINK)
            .and_then(|link| next_page(link.to_str().ok()?))
        {
            Some(link) => Some(Box::new(self.follow(&response, link)?)),
            None => None,
        };
        let body = answer::read(response, "the list of referrers", limits::MANIFEST_BYTES).await?;
        Ok(Page::Descriptors(descriptors(&body), next))
    }
}

/// The URL of `<url>; rel="next"`.
pub(crate) fn next_page(link: &str) -> Option<&str> {
    let (url, parameters) = link.strip_prefix('<')?.split_once('>')?;
    let is_next = parameters.contains("rel=\"next\"") || parameters.contains("rel=next");
    is_next.then_some(url)
}

/// The entries of an index that we can read. One with a digest of an algorithm that we do
/// not know must not hide the others.
fn descriptors(index: &[u8]) -> Vec<Descriptor> {
    let index: Value = serde_json::from_slice(index).unwrap_or_default();
    let entries = index.get("manifests").and_then(Value::as_array);
    let entries = entries.map(Vec::as_slice).unwrap_or_default();
    let read = |entry: &Value| serde_json::from_value(entry.clone()).ok();
    entries.iter().filter_map(read).collect()
}

/// The index with one more entry; `None` when it has that entry already.
fn with_entry(previous: Option<&Manifest>, entry: &Descriptor) -> Result<Option<Bytes>, Failure> {
    let not_an_index = || Failure::Protocol("the tag points to something else".to_owned());
    let mut index = match previous {
        None => json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": []}),
        Some(previous) if previous.is_index() => {
            serde_json::from_slice(previous.bytes()).map_err(|_| not_an_index())?
        }
        Some(_) => return Err(not_an_index()),
    };
    let entries = index.get_mut("manifests").and_then(Value::as_array_mut);
    let entries = entries.ok_or_else(not_an_index)?;
    let digest = entry.digest.as_str();
    let is_same = |known: &Value| known.get("digest").and_then(Value::as_str) == Some(digest);
    if entries.iter().any(is_same) {
        return Ok(None);
    }
    entries.push(json!(entry));
    Ok(Some(index.to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_page_is_followed() {
        assert_eq!(next_page(r#"</v2/a?n=1>; rel="next""#), Some("/v2/a?n=1"));
        assert_eq!(next_page(r#"</v2/a>; rel="prev""#), None);
        assert_eq!(next_page("nonsense"), None);
    }

    #[test]
    fn an_entry_that_we_cannot_read_does_not_hide_the_others() {
        let good = Descriptor::of(media_type::IMAGE_MANIFEST, b"x");
        let index = json!({"manifests": [{"mediaType": "x", "digest": "md5:1", "size": 1}, good]});
        assert_eq!(descriptors(index.to_string().as_bytes()), [good]);
    }

    #[test]
    fn an_entry_is_added_once_and_nothing_else_changes() {
        let other = json!({"mediaType": "x", "digest": Digest::of(b"y"), "size": 1,
            "platform": {"os": "linux"}});
        let previous = json!({"schemaVersion": 2, "annotations": {"k": "v"}, "manifests": [other]});
        let previous = previous.to_string().into_bytes();
        let previous = Manifest::parse(previous, media_type::IMAGE_INDEX).unwrap();
        let entry = Descriptor::of(media_type::IMAGE_MANIFEST, b"x");
        let bytes = with_entry(Some(&previous), &entry).unwrap().unwrap();
        let index: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(index["annotations"]["k"], "v");
        assert_eq!(index["manifests"][0], other);
        assert_eq!(index["manifests"][1]["digest"], entry.digest.as_str());

        let again = Manifest::parse(bytes.to_vec(), media_type::IMAGE_INDEX).unwrap();
        assert_eq!(with_entry(Some(&again), &entry).unwrap(), None);
    }
}
