//! Keys that one reader takes for another: Go's JSON ignores case, ours does not.
//!
//! A manifest with `layers` and `Layers` would be inspected by one and run by the other.

use serde_json::{Map, Value};

use super::{ManifestError, embedded};

const MANIFEST: [&str; 9] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "blobs",
    "manifests",
    "subject",
    "annotations",
];

const DESCRIPTOR: [&str; 8] = [
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "data",
    "artifactType",
    "platform",
];

/// Refuses keys that are spelled like one of the specification's and are not it.
pub(super) fn check(bytes: &[u8]) -> Result<(), ManifestError> {
    let manifest: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(ManifestError::Json)?;
    check_keys(&manifest, &MANIFEST)?;
    for descriptor in descriptors(&manifest) {
        check_keys(descriptor, &DESCRIPTOR)?;
        embedded::check(descriptor)?;
    }
    Ok(())
}

/// All that a manifest of whatever kind describes.
pub(super) fn descriptors(
    manifest: &Map<String, Value>,
) -> impl Iterator<Item = &Map<String, Value>> {
    let single = ["config", "subject"]
        .into_iter()
        .filter_map(|key| manifest.get(key));
    let lists = ["layers", "blobs", "manifests"]
        .into_iter()
        .filter_map(|key| manifest.get(key)?.as_array());
    single.chain(lists.flatten()).filter_map(Value::as_object)
}

fn check_keys(object: &Map<String, Value>, known: &[&'static str]) -> Result<(), ManifestError> {
    for got in object.keys() {
        let alike = known
            .iter()
            .find(|expected| *expected != got && fold(expected) == fold(got));
        if let Some(expected) = alike {
            return Err(ManifestError::Spelling {
                got: got.clone(),
                expected,
            });
        }
    }
    Ok(())
}

/// Upper case first, since Go also takes `ſ` for `s`, and then lower, for the Kelvin sign.
fn fold(key: &str) -> String {
    key.to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> bool {
        matches!(check(text.as_bytes()), Err(ManifestError::Spelling { .. }))
    }

    #[test]
    fn keys_that_differ_in_case_are_refused_wherever_they_are() {
        for text in [
            r#"{"layers":[],"Layers":[]}"#,
            r#"{"LAYERS":[]}"#,
            r#"{"Blobs":[]}"#,
            r#"{"blobs":[{"Digest":"x"}]}"#,
            "{\"layer\u{17f}\":[]}",
            r#"{"config":{"Digest":"x"}}"#,
            r#"{"subject":{"MediaType":"x"}}"#,
            r#"{"layers":[{"digest":"x"},{"SIZE":1}]}"#,
            r#"{"manifests":[{"mediatype":"x"}]}"#,
        ] {
            assert!(spelled(text), "{text}");
        }
    }

    #[test]
    fn other_keys_are_nobodys_business() {
        assert!(!spelled(
            r#"{"layers":[{"size":1,"x-Layers":2}],"layer":[],"Acme":{"Layers":[]}}"#
        ));
    }
}
