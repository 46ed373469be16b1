//! What is said about other artifacts: it is taken without a signature of its own, and nothing
//! else gets in by calling itself so.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Tag, media_type};
use wasmport_registry::LoadedPolicy;

use crate::artifact::{Artifact, HELLO, caller, hello, wasm};
use crate::registry::{Answer, Registry};
use crate::signatures::{key, loaded, policy, push_bundle, push_simple};

const COMPONENTS: &str = "schema = 1\n[[rule]]\nid = \"components\"\nrepositories = [\"**\"]\n\
    kinds = [\"component\"]\nallow = [\"std\"]\n";
const SEEN: &str = "schema = 1\n[[rule]]\nid = \"seen\"\nrepositories = [\"**\"]\nallow = [\"std\"]\n\
    inspect = \"required\"\n";
/// All that a rule can ask for, which what is attached need not have.
const DEMANDING: &str = "schema = 1\n[[rule]]\nid = \"demanding\"\nrepositories = [\"**\"]\n\
    kinds = [\"component\"]\nallow = [\"std\"]\ninspect = \"required\"\n\
    require-annotations = [\"source\"]\nsignatures = { require = 1, from = [\"release\"] }\n\
    [signer.release]\nkey = \"keys/release.pub\"\n";

const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZIP: &[u8] = b"PK\x03\x04 and what is in it";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, path, bytes).unwrap();
    builder.into_inner().unwrap()
}

/// One layer of this type, with a config of that one.
fn one(config: &str, kind: &str, layer: &[u8], subject: Option<Descriptor>) -> Artifact {
    with_config(config, b"{}", kind, layer, subject)
}

fn with_config(
    config_kind: &str,
    config: &[u8],
    kind: &str,
    layer: &[u8],
    subject: Option<Descriptor>,
) -> Artifact {
    let mut manifest = ImageManifest::new(
        Descriptor::of(config_kind, config),
        vec![Descriptor::of(kind, layer)],
    );
    manifest.subject = subject;
    Artifact {
        manifest: manifest.to_bytes(),
        blobs: vec![config.to_vec(), layer.to_vec()],
    }
}

async fn push(registry: &Registry, artifact: &Artifact) -> Answer {
    let reference = artifact.digest().to_string();
    registry.push("app", &reference, artifact).await
}

async fn put(registry: &Registry, kind: &str, manifest: &Value) -> Answer {
    let bytes = manifest.to_string().into_bytes();
    let reference = Digest::of(&bytes).to_string();
    registry.put_manifest("app", &reference, kind, &bytes).await
}

#[tokio::test]
async fn what_is_not_seen_as_a_whole_is_no_attachment() {
    let components = Registry::start_with(&policy(COMPONENTS)).await;
    let seen = Registry::start_with(&policy(SEEN)).await;
    let subject = Some(hello().descriptor());
    let archive = gzip(&tar("readme", b"hello"));
    for (what, kind, layer, subject, is_unseen) in [
        ("a zip archive", "text/plain", ZIP, subject.clone(), true),
        (
            "a zip archive as a signature",
            media_type::SIMPLE_SIGNING,
            ZIP,
            None,
            true,
        ),
        (
            "text of Wasm",
            "text/plain",
            b"(module)",
            subject.clone(),
            true,
        ),
        ("an archive of text", TAR_GZIP, &archive, subject, false),
    ] {
        let artifact = one(media_type::EMPTY, kind, layer, subject);
        let answer = push(&components, &artifact).await;
        assert_eq!(answer.findings(), ["kind-not-allowed"], "{what}");
        let answer = push(&seen, &artifact).await;
        let expected = if is_unseen { 403 } else { 201 };
        assert_eq!(answer.status, expected, "{what}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_layer_that_is_not_here_is_not_seen() {
    let components = Registry::start_with(&policy(COMPONENTS)).await;
    let seen = Registry::start_with(&policy(SEEN)).await;
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    let subject = Some(hello().descriptor());
    for (kind, subject) in [("text/plain", subject), (foreign, None)] {
        let artifact = one(media_type::EMPTY, kind, b"elsewhere", subject);
        for (registry, code) in [(&components, "kind-not-allowed"), (&seen, "not-inspected")] {
            registry.push_blob("app", b"{}").await;
            let (kind, digest) = (media_type::IMAGE_MANIFEST, artifact.digest());
            let answer = registry.put_manifest("app", digest.as_str(), kind, &artifact.manifest);
            assert_eq!(answer.await.findings(), [code]);
        }
    }
}

/// The tags and manifests of everything that clients attach to `subject`.
fn attached(subject: &Artifact) -> Vec<(Option<Tag>, Artifact)> {
    let digest = subject.digest();
    let about = Some(subject.descriptor());
    let sbom: Tag = format!("{}.sbom", Tag::referrers_fallback(&digest))
        .parse()
        .unwrap();
    let (image, empty) = (media_type::IMAGE_CONFIG, media_type::EMPTY);
    let signature = b"{\"critical\":{}}";
    vec![
        (
            Some(Tag::cosign_signatures(&digest)),
            one(image, media_type::SIMPLE_SIGNING, signature, None),
        ),
        (
            Some(Tag::cosign_attestations(&digest)),
            one(image, DSSE, b"{\"payload\":\"\"}", None),
        ),
        (Some(sbom), one(image, "text/spdx", b"SPDXVersion", None)),
        (
            None,
            one(empty, "text/plain", b"as oras attaches", about.clone()),
        ),
        (
            None,
            one(empty, "application/gzip", &gzip(b"a report"), about.clone()),
        ),
        (
            None,
            one(
                "application/vnd.dev.cosign.artifact.sig.v1+json",
                media_type::SIMPLE_SIGNING,
                signature,
                about,
            ),
        ),
    ]
}

#[tokio::test]
async fn what_clients_attach_is_taken_before_and_after_its_subject() {
    let key = key();
    let subject = {
        let mut hello = hello();
        let text = String::from_utf8(hello.manifest).unwrap();
        let end = text.len() - 1;
        hello.manifest = format!("{},\"annotations\":{{\"source\":\"x\"}}}}", &text[..end]).into();
        hello
    };
    for is_first in [true, false] {
        let registry = Registry::start_with(&loaded(DEMANDING, &key)).await;
        if !is_first {
            let answer = registry.push("app", "1.0", &subject).await;
            assert!(
                answer.header("warning").contains("held"),
                "{}",
                answer.text()
            );
        }
        for (tag, artifact) in attached(&subject) {
            let digest = artifact.digest().to_string();
            let reference = tag.map_or_else(|| digest.clone(), |tag| tag.to_string());
            let answer = registry.push("app", &reference, &artifact).await;
            assert_eq!(answer.status, 201, "{reference}: {}", answer.text());
            assert!(!answer.has_header("warning"), "{reference}");
            for reference in [&reference, &digest] {
                let path = format!("/v2/app/manifests/{reference}");
                assert_eq!(registry.get(&path).await.status, 200, "{reference}");
            }
            let layer = format!("/v2/app/blobs/{}", Digest::of(artifact.layer()));
            assert_eq!(registry.get(&layer).await.status, 200, "{reference}");
        }
        for answer in [
            push_bundle(&registry, "app", &subject, &key).await,
            push_simple(&registry, "app", &subject, &key).await,
        ] {
            assert_eq!(answer.status, 201, "{}", answer.text());
            assert!(!answer.has_header("warning"));
        }
        if is_first {
            assert!(
                !registry
                    .push("app", "1.0", &subject)
                    .await
                    .has_header("warning")
            );
        }
        assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 200);
    }
}

#[tokio::test]
async fn a_derived_tag_is_for_what_is_about_the_digest_in_it() {
    let registry = Registry::start_with(&policy(COMPONENTS)).await;
    let (subject, other) = (hello().descriptor(), Digest::of(b"other"));
    let empty = media_type::EMPTY;
    let about = one(empty, "text/plain", b"words", Some(subject.clone()));
    let alone = one(empty, "text/plain", b"words", None);
    let signature = one(empty, media_type::SIMPLE_SIGNING, b"{}", None);
    for (tag, artifact, status) in [
        (Tag::cosign_signatures(&subject.digest), &about, 201),
        (Tag::referrers_fallback(&subject.digest), &about, 201),
        (Tag::cosign_signatures(&other), &about, 403),
        (Tag::cosign_signatures(&other), &alone, 403),
        (Tag::cosign_signatures(&other), &signature, 201),
        (Tag::cosign_attestations(&other), &signature, 403),
        (Tag::referrers_fallback(&other), &signature, 403),
        ("1.0".parse().unwrap(), &about, 403),
    ] {
        let answer = registry.push("app", tag.as_str(), artifact).await;
        assert_eq!(answer.status, status, "{tag}: {}", answer.text());
    }
}

#[tokio::test]
async fn only_an_image_manifest_of_oci_is_about_its_subject() {
    let registry = Registry::start_with(&policy(COMPONENTS)).await;
    let artifact = one(
        media_type::EMPTY,
        "text/plain",
        b"words",
        Some(hello().descriptor()),
    );
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let mut manifest: Value = serde_json::from_slice(&artifact.manifest).unwrap();
    for kind in [
        media_type::DOCKER_MANIFEST,
        "application/vnd.acme.manifest+json",
    ] {
        manifest["mediaType"] = json!(kind);
        assert_eq!(
            put(&registry, kind, &manifest).await.findings(),
            ["kind-not-allowed"]
        );
    }
}

#[tokio::test]
async fn a_config_is_looked_through_like_a_layer() {
    let registry = Registry::start().await;
    let packed = gzip(&tar("app.wasm", caller().layer()));
    for config in [&packed, &gzip(caller().layer())] {
        let acme = "application/vnd.acme.config+json";
        let artifact = with_config(acme, config, "text/plain", b"words", None);
        let answer = registry.push("app", "1.0", &artifact).await;
        let findings = answer.findings();
        assert!(
            findings.contains(&"import-not-allowed".to_owned()),
            "{findings:?}"
        );
    }
    let components = Registry::start_with(&policy(COMPONENTS)).await;
    let subject = Some(hello().descriptor());
    let artifact = with_config("text/plain", ZIP, "text/plain", b"words", subject);
    assert_eq!(
        push(&components, &artifact).await.findings(),
        ["kind-not-allowed"]
    );
}

/// Opens nothing that was refused, whoever names it.
#[tokio::test]
async fn a_refused_blob_stays_closed_whichever_manifest_names_it() {
    let everything = policy("schema = 1\ndefault = \"allow\"\n");
    let registry = Registry::start_with(&everything).await;
    let packed = gzip(&tar("app.wasm", caller().layer()));
    let refused = [
        caller(),
        one(media_type::IMAGE_CONFIG, TAR_GZIP, &packed, None),
    ];
    for artifact in &refused {
        assert_eq!(registry.push("app", "1.0", artifact).await.status, 201);
    }
    let standard = LoadedPolicy::load("preset:standard").unwrap();
    let registry = registry.restart_with(&standard).await;
    let subject = Some(hello().descriptor());
    for artifact in &refused {
        let bytes = artifact.layer();
        for opening in [
            with_config("application/x", bytes, media_type::WASM, &wasm(HELLO), None),
            with_config(
                media_type::WASM_CONFIG,
                bytes,
                media_type::WASM,
                &wasm(HELLO),
                None,
            ),
            with_config("application/x", bytes, "text/plain", b"words", None),
            with_config(
                media_type::EMPTY,
                bytes,
                "text/plain",
                b"words",
                subject.clone(),
            ),
            one(media_type::EMPTY, "text/plain", bytes, subject.clone()),
            one(
                media_type::IMAGE_CONFIG,
                media_type::SIMPLE_SIGNING,
                bytes,
                None,
            ),
            one(
                "application/vnd.wasm.config.v1+json",
                "text/plain",
                bytes,
                None,
            ),
        ] {
            let answer = push(&registry, &opening).await;
            assert_eq!(
                answer.status,
                403,
                "{}",
                String::from_utf8_lossy(&opening.manifest)
            );
            // It may have been taken away, and otherwise is refused for what it is.
            let path = format!("/v2/app/blobs/{}", Digest::of(bytes));
            let status = registry.get(&path).await.status;
            assert_ne!(
                status,
                200,
                "{}",
                String::from_utf8_lossy(&opening.manifest)
            );
        }
    }
}

#[tokio::test]
async fn an_index_brings_nothing_past_the_policy() {
    use base64::Engine as _;
    let registry = Registry::start_with(&policy(SEEN)).await;
    let kind = media_type::IMAGE_INDEX;
    let index = |children: Vec<Value>| json!({ "schemaVersion": 2, "mediaType": kind, "manifests": children });
    // What it lists is judged when it is asked for, and need not be here.
    let refused = caller();
    assert_eq!(push(&registry, &refused).await.status, 403);
    let list = index(vec![
        json!(refused.descriptor()),
        json!(hello().descriptor()),
    ]);
    assert_eq!(put(&registry, kind, &list).await.status, 201);
    let path = format!("/v2/app/manifests/{}", refused.digest());
    assert_eq!(registry.get(&path).await.status, 404);
    let bytes = list.to_string().into_bytes();
    let nested = index(vec![json!(Descriptor::of(kind, &bytes))]);
    assert_eq!(put(&registry, kind, &nested).await.status, 201);
    // It has no layers, and what stands in it is looked at.
    let packed = gzip(refused.layer());
    let mut child = json!(Descriptor::of("application/x", &packed));
    child["data"] = json!(base64::engine::general_purpose::STANDARD.encode(&packed));
    let answer = put(&registry, kind, &index(vec![child.clone()])).await;
    assert_eq!(answer.findings(), ["unreadable-wasm"]);
    let mut words = one(media_type::EMPTY, "text/plain", b"words", None);
    let mut manifest: Value = serde_json::from_slice(&words.manifest).unwrap();
    manifest["subject"] = child;
    words.manifest = manifest.to_string().into_bytes();
    assert_eq!(
        push(&registry, &words).await.findings(),
        ["unreadable-wasm"]
    );
    // By `kinds` it is none of them.
    let components = Registry::start_with(&policy(COMPONENTS)).await;
    assert_eq!(
        put(&components, kind, &list).await.findings(),
        ["kind-not-allowed"]
    );
}

#[tokio::test]
async fn the_same_bytes_are_judged_by_what_they_are_said_to_be() {
    let registry = Registry::start_with(&policy(SEEN)).await;
    let bytes = br#"{"schemaVersion":2,"manifests":[]}"#;
    let digest = Digest::of(bytes).to_string();
    for (repository, kind, status) in [
        ("index", media_type::IMAGE_INDEX, 201),
        ("unknown", "application/vnd.acme.manifest+json", 403),
        ("again", media_type::IMAGE_INDEX, 201),
    ] {
        let answer = registry
            .put_manifest(repository, &digest, kind, bytes)
            .await;
        assert_eq!(answer.status, status, "{kind}: {}", answer.text());
    }
}

#[tokio::test]
async fn what_was_found_is_not_believed_of_the_same_bytes_as_something_else() {
    let everything = policy("schema = 1\ndefault = \"allow\"\n");
    let registry = Registry::start_with(&everything).await;
    let about = Some(hello().descriptor());
    let artifact = one(media_type::EMPTY, "text/plain", b"words", about);
    // Nothing in the bytes says what they are.
    let mut manifest: Value = serde_json::from_slice(&artifact.manifest).unwrap();
    manifest.as_object_mut().unwrap().remove("mediaType");
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::of(&bytes).to_string();
    let (oci, docker) = (media_type::IMAGE_MANIFEST, media_type::DOCKER_MANIFEST);
    for (repository, kind) in [("a", oci), ("b", docker), ("a", oci)] {
        for blob in &artifact.blobs {
            registry.push_blob(repository, blob).await;
        }
        let answer = registry.put_manifest(repository, &digest, kind, &bytes);
        assert_eq!(answer.await.status, 201);
    }
    let registry = registry.restart_with(&policy(COMPONENTS)).await;
    for (repository, status) in [("a", 200), ("b", 403), ("a", 200)] {
        let path = format!("/v2/{repository}/manifests/{digest}");
        assert_eq!(registry.get(&path).await.status, status, "{repository}");
    }
}

#[tokio::test]
async fn the_blobs_of_a_former_artifact_manifest_are_its_layers() {
    let registry = Registry::start().await;
    let kind = "application/vnd.oci.artifact.manifest.v1+json";
    let manifest = |kind: &str, bytes: &[u8]| {
        json!({
            "schemaVersion": 2,
            "mediaType": kind,
            "artifactType": "application/vnd.acme",
            "blobs": [Descriptor::of("application/x", bytes)],
        })
    };
    let words = registry.push_blob("app", b"words").await;
    let answer = put(&registry, kind, &manifest(kind, b"words")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    // A manifest uses it, which keeps it.
    let path = format!("/v2/app/blobs/{words}");
    assert_eq!(registry.send("DELETE", &path, "").await.status, 405);
    let packed = gzip(caller().layer());
    for bytes in [caller().layer(), packed.as_slice()] {
        registry.push_blob("app", bytes).await;
        let answer = put(&registry, kind, &manifest(kind, bytes)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
    }
}
