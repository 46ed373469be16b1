//! `/v2/<name>/blobs/uploads/`: how blobs come in (distribution specification, "Pushing
//! Blobs"), whole or in chunks.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use wasmport_artifact::{Algorithm, Digest, RepositoryName};

use crate::access::Caller;
use crate::admission::Standing;
use crate::app::App;
use crate::error::ApiError;
use crate::header::{DOCKER_CONTENT_DIGEST, OCI_CHUNK_MIN_LENGTH};
use crate::query::Query;
use crate::ranges::parse_chunk;
use crate::storage::{BlobWriter, StorageError};
use crate::uploads::TakenUpload;

/// How many repositories that have a blob are asked for one that the caller may pull from. A base
/// layer is in many, and who may pull from none of these uploads the blob.
const HOLDERS: usize = 100;

/// end-4a, end-4b, end-4c, end-11: opens an upload, or takes the blob at once, or from another
/// repository.
pub(crate) async fn post(
    app: App,
    caller: &Caller,
    repository: RepositoryName,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let (headers, body) = (request.headers().clone(), request.into_body());
    if let Some(digest) = query.get("mount") {
        let digest = digest.parse()?;
        if mount(&app, caller, &repository, &digest, query.get("from")).await? {
            return Ok(created(&repository, &digest));
        }
    }
    let algorithm = match query.get("digest-algorithm") {
        Some(algorithm) => algorithm.parse()?,
        None => Algorithm::Sha256,
    };
    if let Some(digest) = query.get("digest") {
        let digest: Digest = digest.parse()?;
        let mut writer = app.store.blob_writer(digest.algorithm());
        let most = app.uploads.blob_bytes();
        check_length(&headers, writer.size(), most)?;
        receive(&mut writer, body, most).await?;
        app.store
            .put_blob(&repository, writer, &digest, None)
            .await?;
        return Ok(created(&repository, &digest));
    }
    let id = app.uploads.open(&repository, algorithm)?;
    let mut response = (StatusCode::ACCEPTED, progress(&repository, &id, 0)).into_response();
    if let Some(length) = app.api.load().chunk_min_bytes {
        let length = HeaderValue::from(length.bytes());
        response.headers_mut().insert(OCI_CHUNK_MIN_LENGTH, length);
    }
    Ok(response)
}

/// end-13: how far it has come.
pub(crate) async fn get(
    app: &App,
    repository: &RepositoryName,
    id: &str,
) -> Result<Response, ApiError> {
    let size = app.uploads.size(repository, id).await?;
    Ok((StatusCode::NO_CONTENT, progress(repository, id, size)).into_response())
}

/// end-5: the next chunk, or all of it as a stream.
pub(crate) async fn patch(
    app: App,
    repository: RepositoryName,
    id: String,
    sender: &str,
    request: Request,
) -> Result<Response, ApiError> {
    let mut upload = app.uploads.take(&repository, &id, sender).await?;
    let place = upload.reserve().map_err(ApiError::from);
    let (upload, ()) = give_back_unless_fine(upload, place).await?;
    let upload = go_on(&app, &repository, &id, upload, request).await?;
    let progress = progress(&repository, &id, upload.size());
    upload.keep().await?;
    Ok((StatusCode::ACCEPTED, progress).into_response())
}

/// end-6: the last chunk, or none, and the digest of it all.
pub(crate) async fn put(
    app: App,
    repository: RepositoryName,
    id: String,
    sender: &str,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let digest = query.get("digest").unwrap_or_default().parse()?;
    let upload = app.uploads.take(&repository, &id, sender).await?;
    let upload = go_on(&app, &repository, &id, upload, request).await?;
    upload.finish(&digest).await?;
    Ok(created(&repository, &digest))
}

/// end-14: the client gives it up.
pub(crate) async fn delete(
    app: &App,
    repository: &RepositoryName,
    id: &str,
) -> Result<Response, ApiError> {
    app.uploads.cancel(repository, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Lets the repository have a blob that another one has and the caller may read, from any where
/// none is named. False when there is none: the specification then wants an ordinary upload.
async fn mount(
    app: &App,
    caller: &Caller,
    repository: &RepositoryName,
    digest: &Digest,
    from: Option<&str>,
) -> Result<bool, ApiError> {
    let holders = match from {
        // A name that is none has nothing.
        Some(from) => from.parse().into_iter().collect(),
        None => app.store.holders(digest, HOLDERS).await?,
    };
    for holder in holders {
        let may_take = match from {
            Some(_) => caller.may_take_from_named(&holder, repository)?,
            None => caller.may_take_from(&holder),
        };
        if may_take
            && is_readable(app, caller, &holder, digest).await?
            && app.store.share(&holder, repository, digest).await?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn is_readable(
    app: &App,
    caller: &Caller,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<bool, ApiError> {
    Ok(
        match app.admission.standing_of_blob(repository, digest).await? {
            Standing::Open => true,
            Standing::Held => caller.may_see_held(repository),
            Standing::Denied(_) => false,
        },
    )
}

/// Takes the next chunk in. When it breaks off, what arrived of it is kept, and the client can
/// ask how much that was. A chunk that is not what its header says is forgotten.
async fn go_on(
    app: &App,
    repository: &RepositoryName,
    id: &str,
    upload: TakenUpload,
    request: Request,
) -> Result<TakenUpload, ApiError> {
    let most = app.uploads.blob_bytes();
    let order = check_order(repository, id, &upload, request.headers(), most);
    let (mut upload, end) = give_back_unless_fine(upload, order).await?;
    if let Err(error) = receive(&mut upload, request.into_body(), most).await {
        upload.break_off().await;
        return Err(error);
    }
    let size = upload.size();
    if end.is_some_and(|end| end != size) {
        upload.forget().await;
        return Err(ApiError::upload_invalid(
            "the chunk does not have the length that its `Content-Range` says",
        ));
    }
    Ok(upload)
}

/// Ends the turn before an error is answered: the client may send the right chunk at once.
async fn give_back_unless_fine<T>(
    upload: TakenUpload,
    checked: Result<T, ApiError>,
) -> Result<(TakenUpload, T), ApiError> {
    match checked {
        Ok(value) => Ok((upload, value)),
        Err(error) => {
            upload.forget().await;
            Err(error)
        }
    }
}

/// Where the bytes of a body go.
trait Sink {
    fn size(&self) -> u64;
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), StorageError>> + Send;
}

impl Sink for BlobWriter {
    fn size(&self) -> u64 {
        self.size()
    }

    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), StorageError>> + Send {
        self.write(bytes)
    }
}

impl Sink for TakenUpload {
    fn size(&self) -> u64 {
        self.size()
    }

    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), StorageError>> + Send {
        self.write(bytes)
    }
}

async fn receive(sink: &mut impl Sink, body: Body, most: u64) -> Result<(), ApiError> {
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece
            .map_err(|error| ApiError::upload_invalid(format!("the body broke off: {error}")))?;
        if sink.size() + piece.len() as u64 > most {
            return Err(ApiError::blob_too_large(most));
        }
        sink.write(piece).await?;
    }
    Ok(())
}

/// A chunk with a `Content-Range` must begin where the last one ended, and be as long as it
/// says; a body without one goes on from there. Gives where the chunk says that it ends.
fn check_order(
    repository: &RepositoryName,
    id: &str,
    upload: &TakenUpload,
    headers: &HeaderMap,
    most: u64,
) -> Result<Option<u64>, ApiError> {
    check_length(headers, upload.size(), most)?;
    let Some(range) = headers.get(header::CONTENT_RANGE) else {
        return Ok(None);
    };
    let out_of_order = |message: String| {
        let error = ApiError::out_of_order(message);
        progress(repository, id, upload.size())
            .into_iter()
            .fold(error, |error, (name, value)| error.with_header(name, value))
    };
    let Some(range) = range.to_str().ok().and_then(parse_chunk) else {
        return Err(out_of_order(
            "`Content-Range` is not `<first>-<last>`".to_owned(),
        ));
    };
    if range.start != upload.size() {
        let (size, start) = (upload.size(), range.start);
        return Err(out_of_order(format!(
            "the chunk begins at {start}, expected {size}"
        )));
    }
    match content_length(headers) {
        Some(length) if length != range.end - range.start => Err(out_of_order(format!(
            "the chunk has {length} bytes, but its `Content-Range` has {}",
            range.end - range.start
        ))),
        _ => Ok(Some(range.end)),
    }
}

/// Refuses what says by itself that it is too large, before it is sent.
fn check_length(headers: &HeaderMap, size: u64, most: u64) -> Result<(), ApiError> {
    let length = content_length(headers).unwrap_or_default();
    if size.saturating_add(length) > most {
        return Err(ApiError::blob_too_large(most));
    }
    Ok(())
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn progress(repository: &RepositoryName, id: &str, size: u64) -> [(HeaderName, String); 2] {
    [
        (
            header::LOCATION,
            format!("/v2/{repository}/blobs/uploads/{id}"),
        ),
        // There is no way to say that nothing has arrived; everyone says `0-0`.
        (header::RANGE, format!("0-{}", size.saturating_sub(1))),
    ]
}

fn created(repository: &RepositoryName, digest: &Digest) -> Response {
    let headers = [
        (header::LOCATION, format!("/v2/{repository}/blobs/{digest}")),
        (DOCKER_CONTENT_DIGEST, digest.to_string()),
    ];
    (StatusCode::CREATED, headers).into_response()
}
