use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use wasmport_artifact::ImageManifest;

use super::*;

mod ambiguous;
mod any;

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

fn wasm() -> Vec<u8> {
    wat::parse_str(r#"(module (import "env" "f" (func)))"#).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A header of this type with this size.
fn entry(kind: u8, path: &str, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path).unwrap();
    header.set_size(size);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// What one layer of this media type holds.
fn survey(kind: &str, layer: &[u8]) -> ImageSurvey {
    let mut survey = ImageSurvey::default();
    survey.look_through(&Descriptor::of(kind, layer), &mut &*layer);
    survey
}

/// The paths of the Wasm files, and what could not be seen.
fn look(kind: &str, layer: &[u8]) -> (Vec<String>, Vec<(String, String)>) {
    let found = survey(kind, layer);
    let wasm = found.wasm.into_iter().map(|wasm| wasm.path);
    let unseen = found.unseen.into_iter();
    let unseen = unseen.map(|unseen| (unseen.path, unseen.reason));
    (wasm.collect(), unseen.collect())
}

/// The paths of what is Wasm and cannot be judged.
fn unreadable(layer: &[u8]) -> Vec<String> {
    let found = survey(TAR, layer).unreadable;
    found.into_iter().map(|part| part.path).collect()
}

fn unseen(kind: &str, layer: &[u8]) -> String {
    let (wasm, unseen) = look(kind, layer);
    let [(path, reason)] = unseen.as_slice() else {
        panic!("expected one thing unseen, got {unseen:?}, and {wasm:?}");
    };
    format!("{path}: {reason}")
}

#[test]
fn wasm_is_found_by_its_bytes_in_plain_and_compressed_archives() {
    let wasm = wasm();
    let plain = tar(&[
        ("etc/passwd", b"root"),
        ("bin/app", &wasm),
        ("x.wasm", b"no"),
    ]);
    let nested = tar(&[("inner.tgz", &gzip(&plain))]);
    let path = "bin/app".to_owned();
    for layer in [plain.clone(), gzip(&plain), zstandard(&plain)] {
        assert_eq!(look(TAR, &layer), (vec![path.clone()], Vec::new()));
        // The media type does not hide it either.
        assert_eq!(look("text/plain", &layer).0, [path.as_str()]);
    }
    assert_eq!(look(TAR, &nested).0, ["inner.tgz!bin/app"]);
    assert_eq!(look(TAR, &wasm).0, [""]);
    assert_eq!(look(TAR, &gzip(&wasm)).0, [""]);
}

#[test]
fn several_members_and_frames_are_one_file() {
    let archive = tar(&[("app", &wasm())]);
    let (first, second) = archive.split_at(700);
    let gzip = [gzip(first), gzip(second)].concat();
    assert_eq!(look(TAR, &gzip), (vec!["app".to_owned()], Vec::new()));
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    let frames = [
        skippable.clone(),
        zstandard(first),
        zstandard(second),
        skippable,
    ];
    let frames = frames.concat();
    assert_eq!(look(TAR, &frames), (vec!["app".to_owned()], Vec::new()));
}

#[test]
fn what_is_cut_or_has_something_behind_it_is_unseen() {
    let archive = tar(&[("a", b"text"), ("app", &wasm())]);
    let packed = gzip(&archive);
    let behind = |more: &[u8]| [archive.as_slice(), more].concat();
    for (layer, words) in [
        (archive[..1100].to_vec(), "it ends within"),
        (archive[..1030].to_vec(), "it ends within a header"),
        (packed[..packed.len() - 12].to_vec(), ""),
        ([packed.as_slice(), b"trailing"].concat(), ""),
        (behind(&entry(b'0', "app", 0, b"")), "behind the end"),
        (b"no archive".to_vec(), "it is no archive"),
    ] {
        let (_, unseen) = look(TAR, &layer);
        let has = |(_, reason): &(String, String)| reason.contains(words);
        assert!(unseen.iter().any(has), "{words}: {unseen:?}");
    }
    assert_eq!(look(TAR, &behind(&[0; 10_000])).1, []);
    assert_eq!(look(TAR, b"").1, []);
    assert_eq!(look(TAR, &gzip(&[0; 1024])).1, []);
    // Without the blocks of zeros at the end it is still whole.
    let bare = entry(b'0', "app", wasm().len() as u64, &wasm());
    assert_eq!(look(TAR, &bare), (vec!["app".to_owned()], Vec::new()));
}

#[test]
fn long_names_come_from_headers_of_their_own() {
    let long = format!("{}/app", "d".repeat(200));
    assert_eq!(look(TAR, &tar(&[(&long, &wasm())])).0, [long]);
    let hidden = entry(b'0', "app", wasm().len() as u64, &wasm());
    let records = b"18 path=other/app\n";
    let layer = [entry(b'x', "pax", 18, records), hidden].concat();
    assert_eq!(look(TAR, &layer).0, ["other/app"]);
}

#[test]
fn what_is_closed_is_named_with_its_path() {
    let mut precompiled = b"\x7fELF\x02\x01\x01\xc8".to_vec();
    precompiled.resize(100, 0);
    let behind_a_comment = format!(";; {}\n(import \"env\" \"f\" (func))", "x".repeat(4000));
    let files: [(&str, &[u8]); 6] = [
        ("a.zip", b"PK\x03\x04rest"),
        ("b.cwasm", &precompiled),
        ("c.wat", b"(module)"),
        ("d.wat", behind_a_comment.as_bytes()),
        ("e.wasmu", b"wasmer-universalWASMER\0\0"),
        ("f.gz", &gzip(b"something longer")[..20]),
    ];
    let (wasm, unseen) = look(TAR, &tar(&files));
    let paths: Vec<&str> = unseen.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        (wasm.len(), paths),
        (0, files.map(|(path, _)| path).to_vec())
    );
}

#[test]
fn what_clients_read_by_a_table_of_contents_is_unseen() {
    let archive = tar(&[("text", b"text"), ("stargz.index.json", b"{}")]);
    assert!(unseen(TAR, &archive).starts_with("stargz.index.json: "));
    let archive = tar(&[("text", b"text"), ("a/stargz.index.json", b"{}")]);
    assert_eq!(look(TAR, &archive), (Vec::new(), Vec::new()));
    for key in [
        "containerd.io/snapshot/stargz/toc.digest",
        "io.github.containers.zstd-chunked.manifest-checksum",
        "io.containers.zstd-chunked.manifest-position",
    ] {
        let layer = Descriptor::of(TAR, &archive).annotated(key, "sha256:…");
        let mut survey = ImageSurvey::default();
        survey.look_through(&layer, &mut &*archive);
        assert_eq!(survey.unseen.len(), 1, "{key}");
    }
}

#[test]
fn a_table_of_contents_that_only_the_end_announces_makes_a_layer_unseen() {
    let mut archive = gzip(&tar(&[("text", b"text")]));
    assert_eq!(look(TAR, &archive), (Vec::new(), Vec::new()));
    // A member of gzip that is empty but for an extra field, as eStargz ends.
    archive.extend(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x1a\0SG\x16\x000000000000000000STARGZ");
    archive.extend(b"\x01\0\0\xff\xff\0\0\0\0\0\0\0\0");
    assert!(unseen(TAR, &archive).contains("table of contents"));
}

#[test]
fn wasm_that_cannot_be_judged_is_unreadable_and_not_only_unseen() {
    let broken = b"\0asm\x01\0\0\0\x63".as_slice();
    let archive = tar(&[("d.wasm", broken), ("text", b"text")]);
    assert_eq!(unreadable(&archive), ["d.wasm"]);
    assert_eq!(look(TAR, &archive), (Vec::new(), Vec::new()));
    // What is cut may be whole for whoever has the rest.
    let cut = &tar(&[("app", &wasm())])[..530];
    assert_eq!(unreadable(cut), ["app"]);
    let packed = gzip(&wasm());
    assert_eq!(unreadable(&packed[..packed.len() - 1]), [""]);
}

#[test]
fn nothing_expands_without_end() {
    let zeros = vec![0; 1 << 20];
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..=limits::FREE_BYTES >> 20 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let layer = tar(&[("bomb.gz", &gzip(&bomb)), ("app", &wasm())]);
    let (found, seen) = look(TAR, &bomb);
    assert!(
        found.is_empty() && seen[0].1.contains("expands to more than"),
        "{seen:?}"
    );
    // Plain zeros inside are not worth the reading.
    assert_eq!(look(TAR, &layer).0, ["app"]);
    let mut deep = wasm();
    for _ in 0..20 {
        deep = gzip(&deep);
    }
    assert!(unseen(TAR, &deep).contains("archives deep"));
}

#[test]
fn an_image_has_what_its_layers_have() {
    let layers = [tar(&[("a", &wasm())]), tar(&[("b.zip", b"PK\x03\x04")])];
    let descriptors: Vec<_> = layers
        .iter()
        .map(|layer| Descriptor::of(TAR, layer))
        .collect();
    let config = Descriptor::of(media_type::IMAGE_CONFIG, b"{}");
    let image = ImageManifest::new(config, descriptors.clone());
    let manifest = Manifest::parse(image.to_bytes(), media_type::IMAGE_MANIFEST).unwrap();
    let mut survey = ImageSurvey::default();
    let found: Vec<_> = descriptors
        .iter()
        .zip(&layers)
        .map(|(layer, bytes)| {
            survey.look_through(layer, &mut bytes.as_slice());
            let limits = LayerLimits::default();
            LayerFacts::of(&layer.digest, layer.size, &mut bytes.as_slice(), limits)
        })
        .collect();
    let content = survey.finish(&manifest);
    let Content::Image { wasm, unseen, .. } = &content else {
        panic!("expected an image, got {content:?}");
    };
    assert_eq!((wasm.len(), unseen.len()), (1, 1));
    assert_eq!(wasm[0].layer, descriptors[0].digest);
    let mut again = ImageSurvey::default();
    for (layer, found) in descriptors.iter().zip(&found) {
        again.take_up(layer, found);
    }
    assert_eq!(again.finish(&manifest), content);
    let nothing = Content::Image {
        wasm: Vec::new(),
        unreadable: Vec::new(),
        unseen: Vec::new(),
    };
    assert_eq!(ImageSurvey::default().finish(&manifest), nothing);
}
