//! How artifacts go in and come out, request by request as `zb` sends them.

use anyhow::{Context, bail};
use bytes::Bytes;
use hyper::header::LOCATION;
use hyper::{Method, StatusCode};
use wasmport_artifact::media_type::IMAGE_MANIFEST;

use crate::artifact::{Artifact, Blob};
use crate::client::{Answer, Client};

const BYTES: &str = "application/octet-stream";

/// How a blob is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// POST, and PUT with all of it.
    Monolith,
    /// POST, one PATCH with all of it, and PUT.
    Streamed,
}

impl Client<'_> {
    /// Pushes layer, config and manifest.
    pub(crate) async fn push(
        &mut self,
        repository: &str,
        tag: &str,
        artifact: &Artifact,
        how: How,
    ) -> anyhow::Result<()> {
        self.push_blob(repository, &artifact.layer, how).await?;
        self.push_blob(repository, &artifact.config, how).await?;
        self.put_manifest(repository, tag, artifact).await
    }

    /// Pushes a manifest whose blobs are there.
    pub(crate) async fn put_manifest(
        &mut self,
        repository: &str,
        tag: &str,
        artifact: &Artifact,
    ) -> anyhow::Result<()> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let body = (IMAGE_MANIFEST, artifact.manifest.clone());
        let put = self.send(Method::PUT, &path, Some(body), StatusCode::CREATED);
        check_digest(&put.await?, artifact.digest.as_str())
    }

    async fn push_blob(&mut self, repository: &str, blob: &Blob, how: How) -> anyhow::Result<()> {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let opened = self.send(Method::POST, &path, None, StatusCode::ACCEPTED);
        let mut upload = location(&opened.await?)?;
        let mut last = blob.bytes.clone();
        if how == How::Streamed {
            let body = Some((BYTES, std::mem::take(&mut last)));
            let sent = self.send(Method::PATCH, &upload, body, StatusCode::ACCEPTED);
            upload = location(&sent.await?)?;
        }
        let separator = if upload.contains('?') { '&' } else { '?' };
        let path = format!("{upload}{separator}digest={}", blob.digest);
        let put = self.send(Method::PUT, &path, Some((BYTES, last)), StatusCode::CREATED);
        check_digest(&put.await?, blob.digest.as_str())
    }

    /// HEAD and GET of manifest, config and layer, in the order of `zb`.
    pub(crate) async fn pull(
        &mut self,
        repository: &str,
        tag: &str,
        artifact: &Artifact,
    ) -> anyhow::Result<()> {
        self.manifest(Method::HEAD, repository, tag, artifact)
            .await?;
        self.manifest(Method::GET, repository, tag, artifact)
            .await?;
        for blob in [&artifact.config, &artifact.layer] {
            let path = format!("/v2/{repository}/blobs/{}", blob.digest);
            self.send(Method::HEAD, &path, None, StatusCode::OK).await?;
            self.get(&path, None, &blob.bytes).await?;
        }
        Ok(())
    }

    /// HEAD or GET of the manifest under a tag.
    pub(crate) async fn manifest(
        &mut self,
        method: Method,
        repository: &str,
        tag: &str,
        artifact: &Artifact,
    ) -> anyhow::Result<()> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let headers = if method == Method::HEAD {
            // Without it docker-registry says that there is no such manifest.
            let accept = Some((IMAGE_MANIFEST, Bytes::new()));
            let answer = self.send(method, &path, accept, StatusCode::OK);
            answer.await?.headers
        } else {
            self.get(&path, Some(IMAGE_MANIFEST), &artifact.manifest)
                .await?
        };
        check_digest(&Answer { headers }, artifact.digest.as_str())
    }

    /// Deletes the manifest.
    pub(crate) async fn delete(
        &mut self,
        repository: &str,
        artifact: &Artifact,
    ) -> anyhow::Result<()> {
        let path = format!("/v2/{repository}/manifests/{}", artifact.digest);
        self.send(Method::DELETE, &path, None, StatusCode::ACCEPTED)
            .await?;
        Ok(())
    }
}

fn check_digest(answer: &Answer, expected: &str) -> anyhow::Result<()> {
    let got = answer.headers.get("docker-content-digest");
    match got.map(|digest| digest.to_str()).transpose()? {
        Some(got) if got != expected => bail!("got the digest `{got}`, expected `{expected}`"),
        _ => Ok(()),
    }
}

/// Where the upload goes on: some registries say it with their host, some without.
fn location(answer: &Answer) -> anyhow::Result<String> {
    let location = answer.headers.get(LOCATION).context("no `Location`")?;
    let location = location.to_str()?;
    let Some((_, rest)) = location.split_once("://") else {
        return Ok(location.to_owned());
    };
    let path = rest.find('/').and_then(|at| rest.get(at..));
    Ok(path.unwrap_or("/").to_owned())
}
