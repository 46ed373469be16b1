//! `If-Match` and `If-None-Match` (RFC 9110, section 13.1), where an entity tag is the
//! digest in quotes.

use axum::http::{HeaderMap, HeaderName, header};
use wasmport_artifact::Digest;

use crate::storage::Condition;

/// The entity tag of what has this digest.
pub(crate) fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// What a request to change a tag wants to be true before. With both headers, `If-Match`
/// counts, which the RFC has evaluated first.
pub(crate) fn condition(headers: &HeaderMap) -> Condition {
    match (
        EntityTags::of(headers, &header::IF_MATCH),
        EntityTags::of(headers, &header::IF_NONE_MATCH),
    ) {
        (Some(EntityTags::Any), _) => Condition::Exists,
        (Some(EntityTags::These { strong, .. }), _) => Condition::PointsTo(strong),
        (None, Some(EntityTags::Any)) => Condition::Absent,
        (None, Some(EntityTags::These { strong, weak })) => {
            Condition::PointsElsewhere([strong, weak].concat())
        }
        (None, None) => Condition::Anything,
    }
}

/// True when the client that asks has it already.
pub(crate) fn has_already(headers: &HeaderMap, digest: &Digest) -> bool {
    match EntityTags::of(headers, &header::IF_NONE_MATCH) {
        Some(EntityTags::Any) => true,
        Some(EntityTags::These { strong, weak }) => {
            strong.contains(digest) || weak.contains(digest)
        }
        None => false,
    }
}

/// The digests that a header names. What is no digest matches nothing and is left out.
enum EntityTags {
    Any,
    These {
        strong: Vec<Digest>,
        /// With `W/`: never equal where equality must be strong.
        weak: Vec<Digest>,
    },
}

impl EntityTags {
    fn of(headers: &HeaderMap, name: &HeaderName) -> Option<Self> {
        let mut values = headers.get_all(name).iter().peekable();
        values.peek()?;
        let (mut strong, mut weak) = (Vec::new(), Vec::new());
        for value in values {
            for tag in value.to_str().unwrap_or_default().split(',') {
                let tag = tag.trim();
                if tag == "*" {
                    return Some(Self::Any);
                }
                match tag.strip_prefix("W/") {
                    Some(tag) => weak.extend(digest(tag)),
                    None => strong.extend(digest(tag)),
                }
            }
        }
        Some(Self::These { strong, weak })
    }
}

fn digest(quoted: &str) -> Option<Digest> {
    let digest = quoted.strip_prefix('"')?.strip_suffix('"')?;
    digest.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn conditions_are_read_as_the_rfc_has_them() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let list = format!("\"{one}\", W/\"{two}\", \"other\"");
        let matching = |value: &str| condition(&headers(header::IF_MATCH, value));
        let no_matching = |value: &str| condition(&headers(header::IF_NONE_MATCH, value));
        assert_eq!(matching("*"), Condition::Exists);
        assert_eq!(matching(&list), Condition::PointsTo(vec![one.clone()]));
        assert_eq!(matching("gibberish"), Condition::PointsTo(vec![]));
        assert_eq!(no_matching("*"), Condition::Absent);
        let both = vec![one.clone(), two.clone()];
        assert_eq!(no_matching(&list), Condition::PointsElsewhere(both));
        assert_eq!(condition(&HeaderMap::new()), Condition::Anything);
    }

    #[test]
    fn a_client_has_what_it_names_even_weakly() {
        let digest = Digest::of(b"1");
        let has = |value: &str| has_already(&headers(header::IF_NONE_MATCH, value), &digest);
        assert!(has(&etag(&digest)) && has(&format!("W/{}", etag(&digest))) && has("*"));
        assert!(!has(&digest.to_string()) && !has(""));
        assert!(!has_already(&HeaderMap::new(), &digest));
    }
}
