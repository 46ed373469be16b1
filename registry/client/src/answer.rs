//! Answers of registries: what status, headers and body mean for us.

use std::error::Error as StdError;
use std::time::Duration;

use oci_client::errors::OciDistributionError;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use wasmport_artifact::limits;

use crate::error::Failure;

/// Passes an answer of success on, and turns any other into its failure.
pub(crate) async fn successful(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    // The status says enough when the body cannot be read.
    let body = read(response, "the error", limits::MANIFEST_BYTES)
        .await
        .unwrap_or_default();
    Err(from_status(status.as_u16(), retry_after, &body))
}

/// The body, if it has at most `limit` bytes.
pub(crate) async fn read(
    mut response: Response,
    what: &'static str,
    limit: usize,
) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(from_transport)? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            return Err(Failure::TooLarge {
                what,
                limit: limit as u64,
                got: body.len() as u64,
            });
        }
    }
    Ok(body)
}

/// A header as text.
pub(crate) fn header<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What an answer without success means.
pub(crate) fn from_status(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    let errors = errors(body);
    let message = message(status, &errors, body);
    match status {
        401 => Failure::Unauthorized { message },
        403 => Failure::Denied { message, errors },
        404 => Failure::NotFound { message, errors },
        429 | 500..=599 => Failure::Busy {
            status,
            message,
            retry_after,
        },
        _ => Failure::Rejected {
            status,
            message,
            errors,
        },
    }
}

/// What a failed exchange means.
pub(crate) fn from_transport(error: reqwest::Error) -> Failure {
    if let Some(status) = error.status() {
        return from_status(status.as_u16(), None, &[]);
    }
    if error.is_builder() || error.is_redirect() {
        return Failure::Protocol(in_one_line(&error));
    }
    let error = error.without_url();
    if is_about_tls(&error) {
        Failure::Tls(error.into())
    } else {
        Failure::Unreachable(error.into())
    }
}

/// What an error of `oci_client` means.
pub(crate) fn from_oci(error: OciDistributionError) -> Failure {
    use OciDistributionError as Oci;
    match error {
        Oci::RequestError(error) => from_transport(error),
        Oci::ServerError { code, message, .. } => from_status(code, None, message.as_bytes()),
        // The status is lost here, but the registry's code says the same.
        Oci::RegistryError { envelope, .. } => {
            let body = serde_json::to_vec(&envelope).unwrap_or_default();
            from_status(status_of(&errors(&body)), None, &body)
        }
        Oci::AuthenticationFailure(body) => {
            let message = message(401, &errors(body.as_bytes()), body.as_bytes());
            Failure::Unauthorized { message }
        }
        Oci::UnauthorizedError { .. } => from_status(401, None, &[]),
        Oci::IoError(error) => from_stream(error),
        other => Failure::Protocol(in_one_line(&other)),
    }
}

/// What an error within a stream of `oci_client` means.
pub(crate) fn from_stream(error: std::io::Error) -> Failure {
    use oci_client::errors::DigestError;
    match error.downcast::<reqwest::Error>() {
        Ok(error) => from_transport(error),
        Err(error) => match error.downcast::<DigestError>() {
            Ok(DigestError::VerificationError { expected, actual }) => {
                match (expected.parse(), actual.parse()) {
                    (Ok(expected), Ok(got)) => {
                        wasmport_artifact::DigestError::Mismatch { expected, got }.into()
                    }
                    _ => Failure::Protocol(format!("expected `{expected}`, got `{actual}`")),
                }
            }
            Ok(other) => Failure::Protocol(other.to_string()),
            Err(error) => Failure::Unreachable(error.into()),
        },
    }
}

/// The error and its causes in one line.
pub(crate) fn in_one_line(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Seconds to wait. The other form, a date, is rare; then we wait as long as we think.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse();
    seconds.ok().map(Duration::from_secs)
}

/// The `errors` array as it came; `null` when there is none.
fn errors(body: &[u8]) -> Value {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let errors = body.and_then(|mut body| body.get_mut("errors").map(Value::take));
    errors.filter(Value::is_array).unwrap_or(Value::Null)
}

/// The registry's words in one line: codes and messages, else the beginning of the body.
fn message(status: u16, errors: &Value, body: &[u8]) -> String {
    let listed = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let field = |error: &Value, name: &str| {
        let text = error.get(name).and_then(Value::as_str);
        text.unwrap_or_default().trim().to_owned()
    };
    let words: Vec<String> = listed
        .iter()
        .map(
            |error| match (field(error, "code"), field(error, "message")) {
                (code, message) if message.is_empty() => code,
                (code, message) => format!("{code} {message}"),
            },
        )
        .filter(|words| !words.is_empty())
        .collect();
    if !words.is_empty() {
        return words.join("; ");
    }
    let text = String::from_utf8_lossy(body);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return format!("status {status} without a word");
    }
    text.chars().take(200).collect()
}

/// The status that goes with the first code of an error answer.
fn status_of(errors: &Value) -> u16 {
    let code = errors.get(0).and_then(|error| error.get("code"));
    match code.and_then(Value::as_str).unwrap_or_default() {
        "UNAUTHORIZED" => 401,
        "DENIED" => 403,
        "BLOB_UNKNOWN"
        | "MANIFEST_UNKNOWN"
        | "NAME_UNKNOWN"
        | "NOT_FOUND"
        | "BLOB_UPLOAD_UNKNOWN" => 404,
        "TOOMANYREQUESTS" => 429,
        _ => 400,
    }
}

/// The TLS stack's own error type is out of reach here, so its words have to do.
fn is_about_tls(error: &dyn StdError) -> bool {
    let text = in_one_line(error);
    [
        "certificate",
        "received corrupt message",
        "received fatal alert",
        "tls handshake",
    ]
    .iter()
    .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests;
