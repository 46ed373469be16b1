//! Media types that we write or look for. Others are carried as they are.

/// OCI image manifest (image specification, `media-types.md`).
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index (image specification, `media-types.md`).
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The manifest of artifacts that was taken out of the image specification before 1.1. Its
/// `blobs` are what layers are elsewhere.
pub const ARTIFACT_MANIFEST: &str = "application/vnd.oci.artifact.manifest.v1+json";
/// Docker's manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's manifest list, schema 2.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// An OCI image config.
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// `{}` where a config is needed and there is none (image specification, "Guidance for
/// an Empty Descriptor").
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The config of a Wasm artifact (CNCF TAG Runtime, "Wasm OCI Artifact layout").
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The layer of a Wasm artifact: the module or component as it is (the same document).
pub const WASM: &str = "application/wasm";
/// A Sigstore bundle, both layer and artifact type (cosign, `specs/BUNDLE_SPEC.md`).
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// A DSSE envelope: a layer of cosign 2's `.att` manifest.
pub const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// A layer of cosign 2's `.sig` manifest (cosign, `specs/SIGNATURE_SPEC.md`).
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// True for layers that some Wasm system has used for a module or component as it is.
///
/// All of these run somewhere, so all of them are inspected. Case and parameters count
/// for nothing, as in RFC 9110, 8.3.1.
pub fn is_wasm_layer(media_type: &str) -> bool {
    matches!(
        essence(media_type).as_str(),
        WASM | "application/vnd.wasm.content.layer.v1+wasm"
            | "application/vnd.module.wasm.content.layer.v1+wasm"
            | "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"
            | "application/vnd.wasm.component.v1"
    )
}

/// True for configs that say that their artifact is Wasm, in this layout or an older one.
pub fn is_wasm_config(media_type: &str) -> bool {
    matches!(
        essence(media_type).as_str(),
        WASM_CONFIG | "application/vnd.wasm.config.v1+json"
    )
}

/// True when this has the form of a media type, `type/subtype` (RFC 9110, 8.3.1), so that
/// it can stand in a header.
pub fn is_well_formed(media_type: &str) -> bool {
    let is_token = |text: &str| {
        let is_token_character =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !text.is_empty() && text.bytes().all(is_token_character)
    };
    media_type
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// The type and subtype in lower case, without parameters.
fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// True for indexes and manifest lists, whose entries are manifests.
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, IMAGE_INDEX | DOCKER_MANIFEST_LIST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_parameters_do_not_hide_wasm() {
        for layer in [
            "application/wasm",
            "Application/WASM",
            "application/wasm; a=b",
        ] {
            assert!(is_wasm_layer(layer), "{layer}");
        }
        assert!(!is_wasm_layer("application/octet-stream"));
        assert!(is_wasm_config("application/vnd.wasm.config.V0+json"));
    }

    #[test]
    fn a_media_type_is_two_tokens() {
        assert!(is_well_formed("application/vnd.acme.thing+json"));
        for text in [
            "", "a", "a/", "/b", "a/b/c", "a/b c", "a/b\n", "a/\u{1}", "é/b",
        ] {
            assert!(!is_well_formed(text), "{text:?}");
        }
    }
}
