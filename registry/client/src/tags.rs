//! The tags of a repository.

use std::collections::BTreeSet;

use oci_client::RegistryOperation;
use wasmport_artifact::Tag;

use crate::answer;
use crate::error::{ClientError, Failure};
use crate::registry::Registry;

/// How many tags are asked for at once.
const PAGE: usize = 1000;

/// How many tags are listed at most. Nobody reads more, and a registry that never stops
/// must not fill our memory.
const TAGS: usize = 100_000;

impl Registry {
    /// Lists the tags, sorted (distribution specification, "Listing Tags"). What is not a
    /// tag in the specification's grammar is left out.
    pub async fn tags(&self) -> Result<Vec<Tag>, ClientError> {
        let action = "list the tags of";
        let exchange = || self.list_tags();
        self.attempt(RegistryOperation::Pull, action, exchange)
            .await
    }

    async fn list_tags(&self) -> Result<Vec<Tag>, Failure> {
        let mut all = BTreeSet::new();
        let mut last: Option<String> = None;
        loop {
            let image = self.image();
            let page = self
                .client
                .list_tags(&image, &self.auth, Some(PAGE), last.as_deref());
            let page = self.in_time(page).await?.map_err(answer::from_oci)?.tags;
            let before = all.len();
            last = page.last().cloned();
            all.extend(page.iter().filter_map(|tag| tag.parse().ok()));
            // A registry that does not know pages gives everything again and again.
            if page.is_empty() || all.len() == before {
                return Ok(all.into_iter().collect());
            }
            if all.len() > TAGS {
                let text = format!("the list has more than {TAGS} tags");
                return Err(Failure::Protocol(text));
            }
        }
    }
}
