//! All data sets.

use serde_json::{Value, json};
use wasmport_artifact::{Algorithm, Digest, media_type};

use crate::data::{EXAMPLE_1, EXAMPLE_2, LAYER, LAYER_GZIP, Layer, Set, Shape, digest_of};

pub(crate) fn all() -> Vec<Set> {
    let mut sets = images();
    sets.extend(indexes());
    sets.extend(artifacts());
    sets.extend(subjects());
    sets.push(sparse());
    sets.extend(algorithms());
    sets
}

fn of_image(name: &'static str, shape: &Shape) -> Set {
    let mut set = Set::new(name);
    let digest = digest_of(&set.image(shape));
    set.tagged(name, &digest)
}

fn of_index(name: &'static str, shape: &Shape) -> Set {
    let mut set = Set::new(name);
    let digest = digest_of(&set.index(shape));
    set.tagged(name, &digest)
}

fn images() -> Vec<Set> {
    let annotations = (0..390).map(|n| (format!("large-annotation-{n}"), "A".repeat(10_000)));
    let elsewhere = |kind: &str, seed: &[u8]| {
        let digest = Digest::of(seed);
        Layer::Elsewhere(json!({
            "mediaType": kind,
            "digest": digest,
            "size": 12345,
            "urls": [format!("https://store.example.com/blobs/sha256/{}", digest.hex())],
        }))
    };
    let undistributed = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    let with_layers = |layers| Shape {
        layers,
        ..Shape::default()
    };
    vec![
        of_image("image", &Shape::default()),
        of_image(
            "image-uncompressed",
            &with_layers(vec![Layer::Made(LAYER); 2]),
        ),
        of_image(
            "large-manifest",
            &Shape {
                annotations: annotations.collect(),
                ..Shape::default()
            },
        ),
        of_image(
            "data-field",
            &Shape {
                with_data: true,
                ..Shape::default()
            },
        ),
        of_image(
            "non-distributable-layers",
            &with_layers(vec![
                elsewhere(&format!("{undistributed}+gzip"), b"one"),
                elsewhere(undistributed, b"two"),
                Layer::Made(LAYER_GZIP),
            ]),
        ),
        of_image("no-layers", &with_layers(Vec::new())),
    ]
}

fn indexes() -> Vec<Set> {
    let mut nested = Set::new("nested-index");
    let inner = [
        nested.index(&Shape::default()),
        nested.index(&Shape::default()),
    ];
    let outer = digest_of(&nested.index_of(&inner, &Shape::default()));
    let mut empty = Set::new("empty-index");
    let nothing = digest_of(&empty.index_of(&[], &Shape::default()));
    vec![
        of_index("index", &Shape::default()),
        nested.tagged("index-of-index", &outer),
        empty.tagged("empty-index", &nothing),
        of_index(
            "custom-fields",
            &Shape {
                with_extra_field: true,
                ..Shape::default()
            },
        ),
    ]
}

fn artifacts() -> Vec<Set> {
    let artifact = Shape::artifact(EXAMPLE_1, Layer::Made(EXAMPLE_1));
    vec![
        of_image("artifact", &artifact),
        of_index("artifact-index", &artifact),
        of_image(
            "artifact-without-layers",
            &Shape::artifact(EXAMPLE_1, Layer::Empty),
        ),
    ]
}

fn subjects() -> Vec<Set> {
    let one = Shape::artifact(EXAMPLE_1, Layer::Made(EXAMPLE_1)).annotated("one");
    let two = Shape::artifact(EXAMPLE_2, Layer::Made("application/octet-stream"));
    let mut images = Set::new("artifacts-with-subject");
    let subject = images.image(&Shape::default());
    images.image(&Shape::default().about(&subject));
    let first = images.image(&one.clone().about(&subject));
    let second = images.image(&two.annotated("two").about(&subject));
    let mut indexes = Set::new("index-with-subject");
    let index = indexes.index(&Shape::default());
    let about_index = indexes.index(&one.clone().about(&index));
    let mut untyped = Set::new("index-without-type-with-subject");
    let image = untyped.image(&Shape::default());
    untyped.index_of(
        std::slice::from_ref(&image),
        &Shape::default().about(&image),
    );
    let mut missing = Set::new("missing-subject");
    let nobody = json!({
        "mediaType": media_type::IMAGE_MANIFEST,
        "digest": Digest::of(b"missing content"),
        "size": 123,
    });
    let about_nobody = missing.image(&one.about(&nobody));
    vec![
        images
            .tagged("image", &digest_of(&subject))
            .tagged("tagged-artifact1", &digest_of(&first))
            .tagged("tagged-artifact2", &digest_of(&second)),
        indexes
            .tagged("index", &digest_of(&index))
            .tagged("tagged-artifact", &digest_of(&about_index)),
        untyped.tagged("image", &digest_of(&image)),
        missing.tagged("tagged-artifact", &digest_of(&about_nobody)),
    ]
}

/// An image of which a layer is not there, and an index of which an image is not.
fn sparse() -> Set {
    let mut set = Set::new("sparse");
    let image = set.image(&Shape::default());
    let layer = set
        .blobs
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"sparse"));
    let layer = layer.unwrap().0.clone();
    set.blobs.remove(&layer);
    let there = set.image(&Shape::default());
    let missing = json!({
        "mediaType": media_type::IMAGE_MANIFEST,
        "digest": Digest::of(b"an image that is not there"),
        "size": 1024,
    });
    let index = set.index_of(&[there, missing], &Shape::default());
    set.tagged("sparse-image", &digest_of(&image))
        .tagged("sparse-index", &digest_of(&index))
}

fn algorithms() -> Vec<Set> {
    let of = |algorithm| Shape {
        algorithm,
        ..Shape::default()
    };
    let mut sha512 = Set::new("sha512");
    sha512.index(&of(Algorithm::Sha512));
    let by_parameter = |name: &'static str, algorithm| {
        let mut set = Set::new(name);
        let top: Value = set.index(&of(algorithm));
        for (n, (digest, _)) in set.manifests.iter().enumerate() {
            set.tags.insert(format!("{name}-{n}"), digest.clone());
        }
        set.by_parameter = true;
        set.tagged(name, &digest_of(&top))
    };
    vec![
        sha512,
        by_parameter("tag-param-sha256", Algorithm::Sha256),
        by_parameter("tag-param-sha512", Algorithm::Sha512),
    ]
}
