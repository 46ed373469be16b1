//! Names of headers that HTTP itself does not have.

use axum::http::{HeaderName, HeaderValue};
use wasmport_artifact::Digest;

/// The digest of the content (distribution specification, "Pulling manifests").
pub(crate) const DOCKER_CONTENT_DIGEST: HeaderName =
    HeaderName::from_static("docker-content-digest");
/// The subject of a manifest was understood ("Pushing Manifests with Subject").
pub(crate) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// The list of referrers was filtered ("Listing Referrers").
pub(crate) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// A tag of the request was set ("Pushing Manifests", tag parameters).
pub(crate) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
/// How large chunks should be at least ("Pushing a blob in chunks").
pub(crate) const OCI_CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");
/// Docker's clients look for it at `/v2/`.
pub(crate) const DOCKER_DISTRIBUTION_API_VERSION: HeaderName =
    HeaderName::from_static("docker-distribution-api-version");

/// A digest as the value of a header.
pub(crate) fn digest_value(digest: &Digest) -> HeaderValue {
    // It has letters, digits and a colon, which every header may have.
    HeaderValue::from_str(digest.as_str()).unwrap_or(HeaderValue::from_static(""))
}

/// How much text a `Warning` has at most, in bytes ("Warnings": 4096 for all together).
const WARNING_BYTES: usize = 4000;

/// The value of a `Warning` header ("Warnings"): `299 - "…"`.
pub(crate) fn warning(text: &str) -> String {
    let plain = |character: char| match character {
        '"' | '\\' => '\'',
        ' '..='~' => character,
        _ => ' ',
    };
    let text: String = text.chars().map(plain).take(WARNING_BYTES).collect();
    format!("299 - \"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_quoted_string_whatever_the_text() {
        let value = warning("held:\nsays \"no\" – ä\\");
        assert_eq!(value, "299 - \"held: says 'no'    '\"");
        assert!(warning(&"x".repeat(10_000)).len() < 4096);
    }
}
