//! The repositories of a registry.

use oci_client::RegistryOperation;
use reqwest::header::LINK;
use reqwest::{Method, Response};
use serde_json::Value;
use wasmport_artifact::RepositoryName;

use crate::answer;
use crate::error::{ClientError, Failure};
use crate::referrers::next_page;
use crate::registry::Registry;

/// How many names are asked for at once.
const PAGE: usize = 1000;
/// How many pages are read at most; a registry that never stops must not fill our memory.
const PAGES: usize = 1000;
/// The largest page, in bytes: a thousand of the longest names fit many times.
const PAGE_BYTES: usize = 4 << 20;

impl Registry {
    /// Lists the repositories that the caller may see, on the registry of this one. Not in
    /// the specification, and not every registry has it. Names that are none in its grammar
    /// are left out.
    pub async fn catalog(&self) -> Result<Vec<RepositoryName>, ClientError> {
        let action = "list the repositories beside";
        let exchange = || self.list_repositories();
        self.attempt(RegistryOperation::Pull, action, exchange)
            .await
    }

    async fn list_repositories(&self) -> Result<Vec<RepositoryName>, Failure> {
        let mut request = self.request_at_root(Method::GET, &format!("_catalog?n={PAGE}"));
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let response = self.send(RegistryOperation::Pull, request).await?;
            let response = answer::successful(response).await?;
            let next = next(&response).map(str::to_owned);
            let next = next.map(|link| self.follow(&response, &link)).transpose()?;
            let body = answer::read(response, "the list of repositories", PAGE_BYTES).await?;
            let names: Value = serde_json::from_slice(&body)
                .map_err(|_| Failure::Protocol("the list of repositories is none".to_owned()))?;
            let names = names.get("repositories").and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            all.extend(names.filter_map(|name| name.parse::<RepositoryName>().ok()));
            match next {
                Some(next) => request = next,
                None => return Ok(all),
            }
        }
        let text = format!("the list of repositories has more than {PAGES} pages");
        Err(Failure::Protocol(text))
    }
}

fn next(response: &Response) -> Option<&str> {
    next_page(response.headers().get(LINK)?.to_str().ok()?)
}
