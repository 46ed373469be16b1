//! What a registry of ours decided on an artifact, and decides today.

use oci_client::RegistryOperation;
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::Value;
use wasmport_artifact::{Selector, limits};

use crate::answer;
use crate::error::{ClientError, Failure};
use crate::registry::Registry;

impl Registry {
    /// The answer to `/v2/<name>/_wasmport/decision/<reference>`. `None` from other registries,
    /// and where the artifact is not there for who asks.
    pub async fn decision(&self, selector: &Selector) -> Result<Option<Value>, ClientError> {
        let action = format!("read the decision on `{selector}` in");
        let exchange = || self.read_decision(selector);
        self.attempt(RegistryOperation::Pull, &action, exchange)
            .await
    }

    async fn read_decision(&self, selector: &Selector) -> Result<Option<Value>, Failure> {
        let path = format!("_wasmport/decision/{selector}");
        let request = self.request(Method::GET, &path);
        let request = request.header(ACCEPT, "application/json");
        let response = self.send(RegistryOperation::Pull, request).await?;
        // What other registries answer to a path that they do not have.
        if matches!(
            response.status().as_u16(),
            400 | 403 | 404 | 405 | 406 | 501
        ) {
            return Ok(None);
        }
        let response = answer::successful(response).await?;
        let body = answer::read(response, "the decision", limits::MANIFEST_BYTES).await?;
        Ok(serde_json::from_slice(&body).ok())
    }
}
