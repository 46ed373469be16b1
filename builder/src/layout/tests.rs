use std::collections::BTreeSet;

use wasmport_artifact::inspect;

use super::*;
use crate::pack::{Artifact, Metadata, pack};

fn artifact(version: &str) -> Artifact {
    let text = format!(r#"(component (@custom "version" "{version}"))"#);
    let wasm = wat::parse_str(text).unwrap();
    let metadata = Metadata {
        name: "hello".to_owned(),
        version: Some(version.to_owned()),
        ..Metadata::default()
    };
    pack(&wasm, &inspect(&wasm).unwrap(), &metadata)
}

/// Every file below a directory, by path from there.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in next.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn blob_files(artifact: &Artifact) -> BTreeSet<String> {
    let contents = [&artifact.manifest, &artifact.config, &artifact.layer];
    let blobs = contents.map(|content| format!("blobs/sha256/{}", Digest::of(content).hex()));
    let others = ["oci-layout", "index.json"].map(str::to_owned);
    blobs.into_iter().chain(others).collect()
}

#[test]
fn what_is_written_can_be_opened() {
    let parent = tempfile::tempdir().unwrap();
    let (artifact, directory) = (artifact("1.0.0"), parent.path().join("deep/hello"));
    write(&artifact, &directory).unwrap();
    let layout = Layout::open(&directory).unwrap();
    assert_eq!(layout.digest(), artifact.digest);
    assert_eq!(layout.tag(), Some("1.0.0"));
    assert_eq!(layout.manifest().bytes(), artifact.manifest);
    let layer = &layout.manifest().layers()[0].digest;
    assert_eq!(layout.blob(layer).unwrap(), artifact.layer);
    assert_eq!(files(parent.path()).len(), 5, "and nothing beside it");
}

#[test]
fn an_older_layout_is_replaced_whole() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("hello");
    write(&artifact("1.0.0"), &directory).unwrap();
    let newer = artifact("1.1.0");
    let layout = write(&newer, &directory).unwrap();
    assert_eq!(layout.tag(), Some("1.1.0"));
    assert_eq!(files(&directory), blob_files(&newer));
    write(&newer, &directory).unwrap();
    assert_eq!(files(&directory), blob_files(&newer));
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let error = write(&artifact("1.0.0"), directory.path()).unwrap_err();
    assert!(matches!(error, LayoutError::NotReplaced(_)), "{error}");
    assert_eq!(files(directory.path()).len(), 1);
}

#[test]
fn an_empty_directory_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let artifact = artifact("1.0.0");
    write(&artifact, directory.path()).unwrap();
    assert_eq!(files(directory.path()), blob_files(&artifact));
}

#[test]
fn a_failed_write_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    // A file where a directory is needed: as on a full disk, nothing can be created there.
    fs::write(parent.path().join("file"), "").unwrap();
    let error = write(&artifact("1.0.0"), parent.path().join("file/hello")).unwrap_err();
    assert!(matches!(error, LayoutError::Write { .. }), "{error}");
    assert_eq!(files(parent.path()).len(), 1);
}

#[test]
fn what_is_no_layout_is_said_to_be_none() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Layout::open(directory.path().join("hello")).unwrap_err();
    assert!(matches!(missing, LayoutError::NotThere(_)), "{missing}");
    let empty = Layout::open(directory.path()).unwrap_err();
    assert!(matches!(empty, LayoutError::NotALayout(_)), "{empty}");
    let marker = directory.path().join(MARKER);
    fs::write(&marker, r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    let newer = Layout::open(directory.path()).unwrap_err();
    assert!(matches!(newer, LayoutError::Version { .. }), "{newer}");
    fs::write(&marker, r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let without_index = Layout::open(directory.path()).unwrap_err();
    assert!(
        matches!(&without_index, LayoutError::Read { path, .. } if path.ends_with(INDEX)),
        "{without_index}"
    );
    fs::write(directory.path().join(INDEX), "{}").unwrap();
    let no_index = Layout::open(directory.path()).unwrap_err();
    assert!(
        matches!(no_index, LayoutError::Manifest { .. }),
        "{no_index}"
    );
}

#[test]
fn a_missing_blob_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let artifact = artifact("1.0.0");
    for content in [&artifact.layer, &artifact.config, &artifact.manifest] {
        let directory = parent.path().join("hello");
        let layout = write(&artifact, &directory).unwrap();
        let digest = Digest::of(content);
        fs::remove_file(layout.blob_path(&digest)).unwrap();
        let error = Layout::open(&directory).unwrap_err();
        assert!(
            matches!(&error, LayoutError::MissingBlob { digest: named, .. } if *named == digest),
            "{error}"
        );
    }
}

#[test]
fn a_changed_blob_is_not_given_out() {
    let parent = tempfile::tempdir().unwrap();
    let artifact = artifact("1.0.0");
    let layout = write(&artifact, parent.path().join("hello")).unwrap();
    let layer = Digest::of(&artifact.layer);
    fs::write(layout.blob_path(&layer), "something else").unwrap();
    let error = layout.blob(&layer).unwrap_err();
    assert!(matches!(error, LayoutError::Damaged { .. }), "{error}");
    fs::write(layout.blob_path(&artifact.digest), "{}").unwrap();
    let error = Layout::open(layout.directory()).unwrap_err();
    assert!(matches!(error, LayoutError::Damaged { .. }), "{error}");
}

/// Adds a manifest to a layout's index.
fn add(layout: &Layout, manifest: &[u8]) {
    let digest = Digest::of(manifest);
    fs::write(layout.blob_path(&digest), manifest).unwrap();
    let mut entries = layout.entries().to_vec();
    entries.push(Descriptor::of(media_type::IMAGE_MANIFEST, manifest));
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": entries });
    fs::write(layout.directory().join(INDEX), index.to_string()).unwrap();
}

#[test]
fn several_artifacts_are_named_and_never_replaced() {
    let parent = tempfile::tempdir().unwrap();
    let layout = write(&artifact("1.0.0"), parent.path().join("hello")).unwrap();
    let second = artifact("2.0.0");
    fs::write(
        layout.blob_path(&Digest::of(&second.config)),
        &second.config,
    )
    .unwrap();
    fs::write(layout.blob_path(&Digest::of(&second.layer)), &second.layer).unwrap();
    add(&layout, &second.manifest);
    let error = Layout::open(layout.directory()).unwrap_err();
    assert!(error.to_string().contains("(1.0.0)"), "{error}");
    assert!(
        error.to_string().contains(second.digest.as_str()),
        "{error}"
    );
    let error = write(&second, layout.directory()).unwrap_err();
    assert!(matches!(error, LayoutError::Several { .. }), "{error}");
}

#[test]
fn a_manifest_about_the_artifact_is_not_another_artifact() {
    let parent = tempfile::tempdir().unwrap();
    let layout = write(&artifact("1.0.0"), parent.path().join("hello")).unwrap();
    let empty = Descriptor::of(media_type::EMPTY, b"{}");
    let mut signature = wasmport_artifact::ImageManifest::new(empty, vec![]);
    signature.subject = Some(layout.manifest().descriptor());
    add(&layout, &signature.to_bytes());
    let reopened = Layout::open(layout.directory()).unwrap();
    assert_eq!(reopened.digest(), layout.digest());
    assert_eq!(reopened.entries().len(), 2);
}
