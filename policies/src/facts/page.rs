//! Holds `docs/facts.md` against the types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wasmport_artifact::{
    Dependencies, Dependency, Digest, Disagreement, Export, Feature, Import, Inspection, ItemKind,
    Kind, Memory, Section, SectionKind, Start, WitInterface, WitPackage, WitWorld,
};

use super::{Attestation, Content, Facts, InnerWasm, Previous, TagFacts, Unseen};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/facts.md");
    std::fs::read_to_string(path).unwrap()
}

fn import() -> Import {
    Import {
        name: "label".to_owned(),
        implements: Some("a:b/c".to_owned()),
        kind: ItemKind::Instance,
        functions: vec!["f".to_owned()],
        resources: vec!["r".to_owned()],
        opaque: true,
    }
}

/// With a value in every field. A field that is added does not compile without being here.
fn inspection() -> Inspection {
    Inspection {
        kind: Kind::Component,
        target: None,
        imports: vec![import()],
        exports: vec![Export {
            name: "label".to_owned(),
            implements: Some("a:b/c".to_owned()),
            kind: ItemKind::Component,
            functions: vec!["f".to_owned()],
            resources: vec!["r".to_owned()],
            imports: vec![import()],
            opaque: true,
        }],
        worlds: vec!["a:b/w".to_owned()],
        producers: BTreeMap::new(),
        languages: BTreeSet::from(["Rust".to_owned()]),
        features: BTreeSet::from([Feature::Simd]),
        memories: vec![Memory {
            minimum: 1,
            maximum: Some(2),
            page_size: 65_536,
            shared: true,
            memory64: true,
            imported: true,
        }],
        starts: BTreeSet::from([Start::Component]),
        core_modules: 1,
        components: 1,
        sections: vec![Section {
            kind: SectionKind::Custom,
            name: Some("name".to_owned()),
            count: 1,
            size: 1,
        }],
        dependencies: Some(Dependencies {
            packages: vec![Dependency {
                name: "a".to_owned(),
                version: "1.0.0".to_owned(),
                source: Some("git".to_owned()),
                root: true,
                build: true,
            }],
            unreadable: true,
        }),
        metadata: BTreeMap::new(),
        package: Some(WitPackage {
            name: Some("a:b".to_owned()),
            interfaces: vec![WitInterface {
                name: "a:b/c".to_owned(),
                functions: vec!["f".to_owned()],
                resources: vec!["r".to_owned()],
            }],
            worlds: vec![WitWorld {
                name: "a:b/w".to_owned(),
                imports: vec!["a:b/c".to_owned()],
                exports: vec!["a:b/d".to_owned()],
            }],
        }),
        size: 1,
    }
}

fn facts(content: Content) -> Facts {
    let digest = Digest::of(b"x");
    Facts {
        repository: "a".parse().unwrap(),
        tags: vec![TagFacts {
            name: "1".parse().unwrap(),
            points_to: Some(digest.clone()),
        }],
        digest: digest.clone(),
        media_type: Some("m".to_owned()),
        subject: Some(digest.clone()),
        artifact_type: Some("t".to_owned()),
        layers: vec!["l".to_owned()],
        size: Some(1),
        content,
        annotations: BTreeMap::new(),
        signed_by: BTreeSet::from(["a".to_owned()]),
        attestations: vec![Attestation {
            predicate_type: "p".to_owned(),
            signed_by: BTreeSet::new(),
        }],
        previous: Some(Previous {
            tag: Some("0".parse().unwrap()),
            digest,
            imports: vec![import()],
        }),
        unread: 1,
        pushed_by: Some("alice".to_owned()),
    }
}

fn contents() -> [Content; 5] {
    let layer = Digest::of(b"layer");
    let unseen = Unseen {
        layer: layer.clone(),
        path: "b".to_owned(),
        reason: "why".to_owned(),
    };
    [
        Content::Wasm {
            inspection: Box::new(inspection()),
            disagreements: vec![Disagreement::NoComponent],
        },
        Content::Image {
            wasm: vec![InnerWasm {
                layer,
                path: "a.wasm".to_owned(),
                inspection: inspection(),
            }],
            unreadable: vec![unseen.clone()],
            unseen: vec![unseen],
        },
        Content::Unreadable {
            reason: "why".to_owned(),
        },
        Content::Attachment,
        Content::Other,
    ]
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                into.insert(name.clone());
                keys(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

#[test]
fn every_field_is_on_the_page() {
    let page = page();
    for content in contents() {
        let json = serde_json::to_value(facts(content)).unwrap();
        let what = json["content"]["what"].as_str().unwrap();
        assert!(page.contains(&format!("\n| `{what}` | ")), "`{what}`");
        let mut names = BTreeSet::new();
        keys(&json, &mut names);
        for name in names {
            assert!(page.contains(&format!("`{name}`")), "`{name}`");
        }
    }
}

fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole))),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(a, b)| is_part(a, b))
        }
        _ => part == whole,
    }
}

#[test]
fn the_example_is_read_and_nothing_of_it_is_lost() {
    let page = page();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let text = rest.split("```").next().unwrap();
    let facts: Facts = serde_json::from_str(text).unwrap();
    let read = serde_json::to_value(&facts).unwrap();
    let written: Value = serde_json::from_str(text).unwrap();
    assert!(is_part(&written, &read), "{read}");
}
