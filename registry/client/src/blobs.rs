//! Blobs: is it there, send it, fetch it.

use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use oci_client::RegistryOperation;
use oci_client::errors::OciDistributionError;
use reqwest::Method;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wasmport_artifact::{Descriptor, Digest};

use crate::answer;
use crate::error::{ClientError, Failure, Kind};
use crate::file::{self, FileSource};
use crate::registry::Registry;
use crate::watch::Watch;

/// What became of a blob that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It was sent.
    Sent,
    /// The repository had it already, so nothing was sent.
    AlreadyThere,
}

impl Registry {
    /// True when the repository has the blob (distribution specification, "Checking if
    /// content exists in the registry").
    pub async fn blob_exists(&self, digest: &Digest) -> Result<bool, ClientError> {
        let action = format!("look for blob `{digest}` in");
        let operation = RegistryOperation::Pull;
        let exchange = || self.has_blob(operation, digest);
        self.attempt(operation, &action, exchange).await
    }

    /// Sends a blob from a file, unless the repository has it. The file is read in pieces.
    pub async fn push_blob_from_file(
        &self,
        descriptor: &Descriptor,
        path: &Path,
    ) -> Result<Upload, ClientError> {
        let exchange = || self.upload_file(descriptor, path);
        self.push_blob(descriptor, exchange).await
    }

    /// Sends a blob from memory, unless the repository has it.
    pub async fn push_blob_bytes(
        &self,
        descriptor: &Descriptor,
        content: &Bytes,
    ) -> Result<Upload, ClientError> {
        let exchange = || {
            let whole = stream::iter([Ok(content.clone())]);
            self.upload(descriptor, whole)
        };
        self.push_blob(descriptor, exchange).await
    }

    /// Fetches a blob of at most `limit` bytes into memory.
    pub async fn pull_blob_bytes(
        &self,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>, ClientError> {
        let exchange = || self.fetch_bytes(descriptor, limit);
        let action = format!("pull blob `{}` from", descriptor.digest);
        self.attempt(RegistryOperation::Pull, &action, exchange)
            .await
    }

    /// Fetches a blob of at most `limit` bytes into the file `destination`.
    ///
    /// The file is there as a whole, verified and on disk, or not at all: the bytes go to a
    /// temporary file beside it, which takes its name at the end, and which is removed when
    /// anything fails or the future is dropped. A file that was there before is replaced.
    pub async fn pull_blob_to(
        &self,
        descriptor: &Descriptor,
        destination: &Path,
        limit: u64,
    ) -> Result<(), ClientError> {
        let action = format!("pull blob `{}` from", descriptor.digest);
        let exchange = || self.fetch_file(descriptor, destination, limit);
        let operation = RegistryOperation::Pull;
        let complete = self.attempt(operation, &action, exchange).await?;
        let put = file::put(complete, destination.to_owned()).await;
        put.map_err(|failure| self.error(&action, failure))
    }

    async fn push_blob<Exchange>(
        &self,
        descriptor: &Descriptor,
        upload: impl Fn() -> Exchange,
    ) -> Result<Upload, ClientError>
    where
        Exchange: Future<Output = Result<(), Failure>>,
    {
        let action = format!("push blob `{}` to", descriptor.digest);
        let operation = RegistryOperation::Push;
        let look = || self.has_blob(operation, &descriptor.digest);
        if self.attempt(operation, &action, look).await? {
            return Ok(Upload::AlreadyThere);
        }
        self.attempt(operation, &action, upload).await?;
        Ok(Upload::Sent)
    }

    async fn has_blob(
        &self,
        operation: RegistryOperation,
        digest: &Digest,
    ) -> Result<bool, Failure> {
        let is_push = matches!(operation, RegistryOperation::Push);
        let request = self.request(Method::HEAD, &format!("blobs/{digest}"));
        let response = self.send(operation, request).await?;
        match answer::successful(response).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.kind() == Kind::NotFound => Ok(false),
            // Of what today's policy refuses nothing is given out, and a `HEAD` has no words to
            // say so. Who pushes gets the answer with the reasons for the manifest.
            Err(failure) if is_push && failure.kind() == Kind::Denied => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn upload_file(&self, descriptor: &Descriptor, path: &Path) -> Result<(), Failure> {
        let source = FileSource::open(path, descriptor).await?;
        let trouble = source.trouble();
        let result = self.upload(descriptor, source.into_stream()).await;
        // A file that cannot be read looks like a broken connection from the other side.
        trouble.take().map_or(result, Err)
    }

    async fn upload<S>(&self, descriptor: &Descriptor, content: S) -> Result<(), Failure>
    where
        S: Stream<Item = Result<Bytes, OciDistributionError>> + Send + 'static,
    {
        let watch = Watch::new(self.idle_timeout());
        let (image, digest) = (self.image(), descriptor.digest.as_str());
        let content = watch.count(content);
        let upload = self
            .client
            .push_blob_stream(&image, content, digest, Some(descriptor.size));
        match watch.over(upload).await? {
            Ok(_url) => Ok(()),
            // Some registries take the blob without a `Location` or with another status.
            Err(
                error @ (OciDistributionError::RegistryNoLocationError
                | OciDistributionError::SpecViolationError(_)),
            ) => {
                let there = self.has_blob(RegistryOperation::Push, &descriptor.digest);
                if there.await? {
                    Ok(())
                } else {
                    Err(answer::from_oci(error))
                }
            }
            Err(error) => Err(answer::from_oci(error)),
        }
    }

    async fn fetch_bytes(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut content = Vec::new();
        let not_io = |source| Failure::Unreachable(std::io::Error::into(source));
        self.fetch(descriptor, limit, &mut content, not_io).await?;
        Ok(content)
    }

    async fn fetch_file(
        &self,
        descriptor: &Descriptor,
        destination: &Path,
        limit: u64,
    ) -> Result<file::Complete, Failure> {
        let mut incomplete = file::Incomplete::beside(destination)?;
        let failed = |source| file::unwritable(destination, source);
        let writer = incomplete.writer();
        self.fetch(descriptor, limit, writer, failed).await?;
        incomplete.finish(destination).await
    }

    /// Streams a blob into `sink`. An error means that what the sink got is worth nothing.
    async fn fetch(
        &self,
        descriptor: &Descriptor,
        limit: u64,
        sink: &mut (impl AsyncWrite + Unpin),
        failed: impl Fn(std::io::Error) -> Failure,
    ) -> Result<(), Failure> {
        check_limit(descriptor, limit)?;
        let image = self.image();
        let digest = descriptor.digest.as_str();
        let response = self.client.pull_blob_stream(&image, digest);
        let mut content = self.in_time(response).await?.map_err(answer::from_oci)?;
        if let Some(length) = content.content_length {
            check_size(descriptor, length)?;
        }
        let mut got: u64 = 0;
        // The stream checks the digest, and ends with an error when it is wrong.
        while let Some(piece) = self.in_time(content.next()).await? {
            let piece = piece.map_err(answer::from_stream)?;
            got += piece.len() as u64;
            if got > descriptor.size {
                break;
            }
            sink.write_all(&piece).await.map_err(&failed)?;
        }
        sink.flush().await.map_err(&failed)?;
        check_size(descriptor, got)
    }
}

fn check_limit(descriptor: &Descriptor, limit: u64) -> Result<(), Failure> {
    if descriptor.size <= limit {
        return Ok(());
    }
    Err(Failure::TooLarge {
        what: "the blob",
        limit,
        got: descriptor.size,
    })
}

fn check_size(descriptor: &Descriptor, got: u64) -> Result<(), Failure> {
    if descriptor.size == got {
        return Ok(());
    }
    Err(Failure::Size {
        digest: descriptor.digest.clone(),
        expected: descriptor.size,
        got,
    })
}
