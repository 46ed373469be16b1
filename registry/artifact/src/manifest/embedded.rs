//! Content that stands in its descriptor: `data` must be what `digest` and `size` say
//! (image specification, `descriptor.md`, "Properties").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{ManifestError, spelling};
use crate::descriptor::Descriptor;
use crate::digest::Digest;

/// Refuses a descriptor whose `data` is something else: some clients would believe it, and
/// others the digest.
pub(super) fn check(descriptor: &Map<String, Value>) -> Result<(), ManifestError> {
    let Some(data) = descriptor.get("data").filter(|data| !data.is_null()) else {
        return Ok(());
    };
    let named = descriptor.get("digest").and_then(Value::as_str);
    let named = named.unwrap_or_default();
    let error = || ManifestError::Data(named.to_owned());
    let bytes = data.as_str().and_then(|data| STANDARD.decode(data).ok());
    let (Some(bytes), Ok(digest)) = (bytes, named.parse::<Digest>()) else {
        return Err(error());
    };
    let size = descriptor.get("size").and_then(Value::as_u64);
    if size != Some(bytes.len() as u64) || digest.check(&bytes).is_err() {
        return Err(error());
    }
    // The blob itself need not be there to be looked at, and what a manifest carries is not
    // held back with it.
    if bytes.starts_with(b"\0asm") {
        return Err(ManifestError::EmbeddedWasm(named.to_owned()));
    }
    Ok(())
}

/// What is embedded in a manifest that was checked, each with its descriptor.
pub(super) fn all(manifest: &[u8]) -> Vec<(Descriptor, Vec<u8>)> {
    let Ok(manifest) = serde_json::from_slice::<Map<String, Value>>(manifest) else {
        return Vec::new();
    };
    let embedded = spelling::descriptors(&manifest).filter_map(|descriptor| {
        let bytes = STANDARD.decode(descriptor.get("data")?.as_str()?).ok()?;
        let descriptor = serde_json::from_value(Value::Object(descriptor.clone())).ok()?;
        Some((descriptor, bytes))
    });
    embedded.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_must_be_what_digest_and_size_say() {
        let digest = Digest::of(b"{}");
        let checked = |descriptor: Value| check(descriptor.as_object().unwrap()).is_ok();
        assert!(checked(
            json!({ "digest": digest, "size": 2, "data": "e30=" })
        ));
        assert!(checked(json!({ "digest": digest, "size": 2 })));
        assert!(checked(
            json!({ "digest": digest, "size": 2, "data": null })
        ));
        for (size, data) in [
            (2, json!("e30")),
            (2, json!("e31=")),
            (3, json!("e30=")),
            (2, json!("")),
            (2, json!(5)),
        ] {
            assert!(
                !checked(json!({ "digest": digest, "size": size, "data": data })),
                "{data}"
            );
        }
    }
}
