//! Manifests: put and get, by tag or by digest.

use bytes::Bytes;
use oci_client::RegistryOperation;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use wasmport_artifact::{Digest, Manifest, Reference, Selector, limits, media_type};

use crate::answer::{self, header};
use crate::error::{ClientError, Failure, Kind};
use crate::registry::Registry;
use crate::warning::warnings;

/// What a registry said when it took a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutManifest {
    /// The digest of the manifest.
    pub digest: Digest,
    /// True when the registry lists it among the referrers of its subject by itself
    /// (distribution specification, "Pushing Manifests with Subject").
    pub subject_is_known: bool,
    /// What the registry warns of: that it holds the artifact, for example.
    pub warnings: Vec<String>,
}

/// What manifests we can read.
const ACCEPTED: [&str; 4] = [
    media_type::IMAGE_MANIFEST,
    media_type::IMAGE_INDEX,
    media_type::DOCKER_MANIFEST,
    media_type::DOCKER_MANIFEST_LIST,
];

impl Registry {
    /// Stores a manifest, and lets the tag point to it if the selector is one.
    pub async fn put_manifest(
        &self,
        selector: &Selector,
        manifest: &Bytes,
        media_type: &str,
    ) -> Result<PutManifest, ClientError> {
        let action = format!("push manifest `{selector}` to");
        let exchange = || self.put(selector, manifest, media_type);
        self.attempt(RegistryOperation::Push, &action, exchange)
            .await
    }

    /// Fetches a manifest. Its bytes have the digest that was asked for and the one that
    /// the registry claims.
    pub async fn get_manifest(&self, selector: &Selector) -> Result<Manifest, ClientError> {
        let action = format!("pull manifest `{selector}` from");
        let exchange = || self.get(selector);
        self.attempt(RegistryOperation::Pull, &action, exchange)
            .await
    }

    /// Fetches a manifest that may not be there.
    pub async fn find_manifest(
        &self,
        selector: &Selector,
    ) -> Result<Option<Manifest>, ClientError> {
        match self.get_manifest(selector).await {
            Ok(manifest) => Ok(Some(manifest)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Fetches the manifest that `reference` names, by its digest where it has one.
    pub async fn resolve(&self, reference: &Reference) -> Result<Manifest, ClientError> {
        let by_digest = reference.digest().cloned().map(Selector::Digest);
        let by_tag = || reference.tag().cloned().map(Selector::Tag);
        let nothing = || Failure::Protocol(format!("`{reference}` names no manifest"));
        match by_digest.or_else(by_tag) {
            Some(selector) => self.get_manifest(&selector).await,
            None => Err(self.error("pull a manifest from", nothing())),
        }
    }

    async fn put(
        &self,
        selector: &Selector,
        manifest: &Bytes,
        media_type: &str,
    ) -> Result<PutManifest, Failure> {
        let request = self
            .request(Method::PUT, &format!("manifests/{selector}"))
            .header(CONTENT_TYPE, media_type)
            .body(manifest.clone());
        let response = self.send(RegistryOperation::Push, request).await?;
        let response = answer::successful(response).await?;
        let headers = response.headers();
        check_claim(headers, manifest)?;
        Ok(PutManifest {
            digest: Digest::of(manifest),
            subject_is_known: headers.contains_key("oci-subject"),
            warnings: warnings(headers),
        })
    }

    async fn get(&self, selector: &Selector) -> Result<Manifest, Failure> {
        let request = self
            .request(Method::GET, &format!("manifests/{selector}"))
            .header(ACCEPT, ACCEPTED.join(", "));
        let response = self.send(RegistryOperation::Pull, request).await?;
        let response = answer::successful(response).await?;
        let headers = response.headers().clone();
        let bytes = answer::read(response, "the manifest", limits::MANIFEST_BYTES).await?;
        if let Selector::Digest(digest) = selector {
            digest.check(&bytes)?;
        }
        check_claim(&headers, &bytes)?;
        let media_type = media_type_of(&headers, &bytes);
        Ok(Manifest::parse(bytes, &media_type)?)
    }
}

/// Checks `Docker-Content-Digest`, if it is there and in an algorithm that we have.
fn check_claim(headers: &HeaderMap, bytes: &[u8]) -> Result<(), Failure> {
    let claim = header(headers, "docker-content-digest");
    match claim.and_then(|claim| claim.parse::<Digest>().ok()) {
        Some(claim) => Ok(claim.check(bytes)?),
        None => Ok(()),
    }
}

/// `Content-Type`, unless it is one that says nothing: then what the manifest says.
fn media_type_of(headers: &HeaderMap, bytes: &[u8]) -> String {
    let sent = header(headers, "content-type").unwrap_or_default();
    let sent = sent.split(';').next().unwrap_or_default().trim();
    let says_nothing = [
        "",
        "application/json",
        "application/octet-stream",
        "text/plain",
    ];
    if !says_nothing.contains(&sent) {
        return sent.to_owned();
    }
    let body: Option<Value> = serde_json::from_slice(bytes).ok();
    let body = body.as_ref().and_then(|body| body.get("mediaType"));
    body.and_then(Value::as_str)
        .unwrap_or(media_type::IMAGE_MANIFEST)
        .to_owned()
}
