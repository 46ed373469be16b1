//! Policies and facts by chance, of what can matter to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::{Date, date};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use wasmport_artifact::{Digest, Disagreement, Export, Import, Inspection, ItemKind, inspect};
use wasmport_policies::{
    Attestation, Content, Facts, InnerWasm, Policy, Previous, TagFacts, Unseen,
};

/// The day on which decisions are taken, amid those on which things end.
pub(crate) const TODAY: Date = date(2026, 11, 21);

const DAYS: [&str; 5] = [
    "2020-01-01",
    "2026-11-20",
    "2026-11-21",
    "2026-12-10",
    "2030-01-01",
];
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// None of these fits the same names as another just as well.
const REPOSITORIES: [&str; 4] = ["**", "team/**", "team/app", "*/b*"];
const SIGNERS: [&str; 3] = ["a", "b", "c"];
const ENTRIES: [&str; 18] = [
    "\"std\"",
    "\"*\"",
    "\"clocks\"",
    "\"sockets\"",
    "\"dns\"",
    "\"filesystem-inert\"",
    "\"filesystem-read\"",
    "\"filesystem-write\"",
    "\"http-types\"",
    "\"stdio\"",
    "\"acme:db/*\"",
    "\"acme:db/query@1\"",
    "\"acme:*\"",
    "\"=env\"",
    "\"db\"",
    "\"wasi:sockets/tcp@0.2\"",
    "{ import = \"wasi:filesystem/types\", functions = [\"descriptor.open-at\", \"*.write*\"] }",
    "{ import = \"filesystem-write\", functions = [\"[method]descriptor.unlink-file-at\"] }",
];

/// A policy in parts that can be changed.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) is_open: bool,
    pub(crate) always: Vec<&'static str>,
    pub(crate) max_size: Option<u64>,
    pub(crate) rules: Vec<MadeRule>,
    pub(crate) exceptions: Vec<String>,
    pub(crate) ends: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Debug)]
pub(crate) struct MadeRule {
    pub(crate) repositories: &'static str,
    pub(crate) is_audit: bool,
    pub(crate) allow: Vec<&'static str>,
    pub(crate) deny: Vec<&'static str>,
    pub(crate) novelty: Option<&'static str>,
    /// Lines that ask for more.
    pub(crate) more: Vec<&'static str>,
}

impl Made {
    pub(crate) fn parse(&self) -> Policy {
        let text = format!("schema = 1\n{}{}{}", self.head(), self.rules(), self.tail());
        Policy::parse("p.toml", &text).unwrap_or_else(|error| panic!("{}\n{text}", error.to_text()))
    }

    /// The same in three files.
    pub(crate) fn parse_in_files(&self) -> Policy {
        let files = [
            ("c.toml", self.head()),
            ("a.toml", self.rules()),
            ("b.toml", self.tail()),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), format!("schema = 1\n{text}")));
        Policy::parse_all("p", files.to_vec()).unwrap_or_else(|error| panic!("{}", error.to_text()))
    }

    fn head(&self) -> String {
        let default = if self.is_open { "allow" } else { "deny" };
        let mut text = format!(
            "default = \"{default}\"\n[always]\ndeny = [{}]\n",
            self.always.join(", ")
        );
        if let Some(max_size) = self.max_size {
            writeln!(text, "max-size = {max_size}").unwrap();
        }
        text
    }

    fn rules(&self) -> String {
        let rules = self.rules.iter().map(|rule| {
            let MadeRule {
                repositories,
                allow,
                deny,
                ..
            } = rule;
            let mode = if rule.is_audit { "audit" } else { "enforce" };
            let novelty = rule
                .novelty
                .map(|novelty| format!("new-capabilities = \"{novelty}\"\n"));
            format!(
                "[[rule]]\nid = \"{repositories}\"\nrepositories = [\"{repositories}\"]\n\
                 mode = \"{mode}\"\nallow = [{}]\ndeny = [{}]\n{}{}\n",
                allow.join(", "),
                deny.join(", "),
                novelty.unwrap_or_default(),
                rule.more.join("\n"),
            )
        });
        rules.collect()
    }

    fn tail(&self) -> String {
        let mut text = "[capability.db]\nimports = [\"acme:db/query\", \"=env\"]\n".to_owned();
        for name in SIGNERS {
            writeln!(text, "[signer.{name}]\nkey = \"{name}\"").unwrap();
            for (_, day) in self.ends.iter().filter(|(signer, _)| *signer == name) {
                writeln!(text, "not-after = {day}").unwrap();
            }
        }
        text + &self.exceptions.concat()
    }
}

pub(crate) fn allow_entry() -> impl Strategy<Value = &'static str> {
    select(&ENTRIES[..])
}

pub(crate) fn deny_entry() -> impl Strategy<Value = &'static str> {
    select(&ENTRIES[..])
}

pub(crate) fn signer_name() -> impl Strategy<Value = String> {
    select(&["a", "b", "c", "stranger"][..]).prop_map(str::to_owned)
}

pub(crate) fn policy() -> impl Strategy<Value = Made> {
    let rules = subsequence(&REPOSITORIES[..], 0..=REPOSITORIES.len());
    let rules = rules.prop_flat_map(|names| names.into_iter().map(rule).collect::<Vec<_>>());
    let ends = prop::collection::btree_map(select(&SIGNERS[..]), select(&DAYS[..]), 0..3);
    (
        any::<bool>(),
        subsequence(&ENTRIES[..], 0..2),
        option::weighted(0.2, 0_u64..5_000),
        rules,
        prop::collection::vec(exception(), 0..3),
        ends,
    )
        .prop_map(
            |(is_open, always, max_size, rules, exceptions, ends)| Made {
                is_open,
                always,
                max_size,
                rules,
                exceptions,
                ends: ends.into_iter().collect(),
            },
        )
}

fn rule(repositories: &'static str) -> impl Strategy<Value = MadeRule> {
    let more = subsequence(
        &[
            "kinds = [\"component\", \"wasm-image\"]",
            "require-exports = [\"wasi:http/incoming-handler@0.2\"]",
            "require-annotations = [\"source\", { name = \"licence\", value = \"Apache*\" }]",
            "max-size = \"2KiB\"",
            "signatures = { require = 2, from = [\"a\", \"b\", \"c\"] }",
            "attestations = [{ predicate = \"https://slsa.dev/provenance/v1\", from = [\"a\"] }]",
            "immutable-tags = [\"v*\"]",
            "inspect = \"required\"",
        ][..],
        0..3,
    );
    (
        any::<bool>(),
        subsequence(&ENTRIES[..], 0..ENTRIES.len()),
        subsequence(&ENTRIES[..], 0..3),
        option::of(select(&["allow", "warn", "hold", "deny"][..])),
        more,
    )
        .prop_map(move |(is_audit, allow, deny, novelty, more)| MadeRule {
            repositories,
            is_audit,
            allow,
            deny,
            novelty,
            more,
        })
}

fn exception() -> impl Strategy<Value = String> {
    let digests = option::of(select(vec!["manifest", "other"]));
    let entries = subsequence(&ENTRIES[..], 1..4);
    (
        select(&REPOSITORIES[..]),
        digests,
        entries,
        select(&DAYS[..]),
    )
        .prop_map(|(repositories, digest, entries, day)| {
            let digests =
                digest.map(|text| format!("digests = [\"{}\"]\n", Digest::of(text.as_bytes())));
            format!(
                "[[exception]]\nrepositories = [\"{repositories}\"]\n{}allow = [{}]\n\
                 reason = \"by chance\"\nexpires = {day}\n",
                digests.unwrap_or_default(),
                entries.join(", ")
            )
        })
}

pub(crate) fn facts() -> impl Strategy<Value = Facts> {
    let signers = || prop::collection::btree_set(signer_name(), 0..4);
    let attestations = (
        select(&[PROVENANCE, "https://spdx.dev/Document"][..]),
        signers(),
    );
    let attestations = attestations.prop_map(|(predicate, signed_by)| Attestation {
        predicate_type: predicate.to_owned(),
        signed_by,
    });
    let annotations = select(&["", "Apache-2.0", "MIT"][..]).prop_map(str::to_owned);
    let names = select(&["source", "licence"][..]).prop_map(str::to_owned);
    (
        select(&["team/app", "team/x", "other", "x/bc", "a/b/c"][..]),
        prop::collection::vec(tag(), 0..3),
        option::weighted(0.8, 0_u64..5_000),
        content(),
        prop::collection::btree_map(names, annotations, 0..3),
        signers(),
        prop::collection::vec(attestations, 0..3),
        option::of(prop::collection::vec(import(), 0..5)),
        prop::collection::vec(Just("application/x".to_owned()), 0..2),
    )
        .prop_map(
            |(
                repository,
                tags,
                size,
                content,
                annotations,
                signed_by,
                attestations,
                before,
                layers,
            )| {
                Facts {
                    repository: repository.parse().unwrap(),
                    tags,
                    digest: Digest::of(b"manifest"),
                    media_type: None,
                    subject: None,
                    artifact_type: None,
                    layers,
                    size,
                    content,
                    annotations: BTreeMap::from_iter(annotations),
                    signed_by: BTreeSet::from_iter(signed_by),
                    attestations,
                    unread: 0,
                    previous: before.map(|imports| Previous {
                        tag: None,
                        digest: Digest::of(b"before"),
                        imports,
                    }),
                    pushed_by: None,
                }
            },
        )
}

fn tag() -> impl Strategy<Value = TagFacts> {
    let targets = option::of(select(vec!["manifest", "before"]));
    (select(&["v1", "latest"][..]), targets).prop_map(|(name, target)| TagFacts {
        name: name.parse().unwrap(),
        points_to: target.map(|text| Digest::of(text.as_bytes())),
    })
}

fn content() -> impl Strategy<Value = Content> {
    let wasm = (inspection(), any::<bool>()).prop_map(|(inspection, is_lie)| Content::Wasm {
        inspection: inspection.into(),
        disagreements: is_lie
            .then_some(Disagreement::LayerDigests)
            .into_iter()
            .collect(),
    });
    let inner = inspection().prop_map(|inspection| InnerWasm {
        layer: Digest::of(b"layer"),
        path: "app.wasm".to_owned(),
        inspection,
    });
    let unseen = Unseen {
        layer: Digest::of(b"layer"),
        path: String::new(),
        reason: "it is too large".to_owned(),
    };
    let image = (
        prop::collection::vec(inner, 0..3),
        prop::collection::vec(Just(unseen.clone()), 0..2),
        prop::collection::vec(Just(unseen), 0..2),
    );
    let image = image.prop_map(|(wasm, unreadable, unseen)| Content::Image {
        wasm,
        unreadable,
        unseen,
    });
    prop_oneof![
        6 => wasm,
        2 => image,
        1 => select(vec![
            Content::Attachment,
            Content::Other,
            Content::Unreadable { reason: "broken".to_owned() },
        ]),
    ]
}

fn inspection() -> impl Strategy<Value = Inspection> {
    let empty =
        ["(component)", "(module)"].map(|wat| inspect(&wat::parse_str(wat).unwrap()).unwrap());
    let imports = prop::collection::vec(import(), 0..6);
    // What code asks for that is exported for a host to instantiate.
    let exported = prop::collection::vec(import(), 0..2);
    let parts = (select(empty.to_vec()), imports, exported);
    parts.prop_map(|(inspection, imports, exported)| Inspection {
        imports,
        exports: vec![Export {
            name: "inner".to_owned(),
            implements: None,
            kind: ItemKind::Component,
            functions: Vec::new(),
            resources: Vec::new(),
            imports: exported,
            opaque: false,
        }],
        ..inspection
    })
}

/// An import that a policy may know, or anything else.
fn import() -> impl Strategy<Value = Import> {
    let names = prop_oneof![
        8 => select(&[
            "wasi:io/poll@0.2.6",
            "wasi:cli/exit@0.2.6",
            "wasi:cli/stdout@0.3.0",
            "wasi:sockets/tcp@0.2.6",
            "wasi:sockets/ip-name-lookup@0.2.0",
            "wasi:filesystem/types@0.2.6",
            "wasi:filesystem/types@0.3.0",
            "wasi:filesystem/preopens@0.2.6",
            "wasi:http/types@0.2.6",
            "wasi:random/random@0.2.0-rc-2023-11-10",
            "acme:db/query@1.2.0",
            "acme:db/admin@2.0.0",
            "wasi_snapshot_preview1",
            "env",
        ][..]).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ];
    let functions = subsequence(
        &[
            "[method]descriptor.open-at",
            "[method]descriptor.write",
            "[method]descriptor.read",
            "[method]descriptor.unlink-file-at",
            "[method]descriptor.teleport",
            "[method]descriptor.get-type",
            "fd_write",
            "path_open",
            "sock_accept",
            "poll",
            "[method]pollable.block",
            "[method]pollable.exec",
            "[method]tcp-socket.start-connect",
            "resolve-addresses",
            "\u{202e}evil",
        ][..],
        0..5,
    );
    let kinds = select(
        &[
            ItemKind::Instance,
            ItemKind::Instance,
            ItemKind::Instance,
            ItemKind::Core,
            ItemKind::Core,
            ItemKind::Func,
            ItemKind::Type,
            ItemKind::CoreModule,
            ItemKind::Value,
        ][..],
    );
    let implements = option::weighted(0.1, Just("wasi:sockets/udp@0.2.6".to_owned()));
    (names, implements, kinds, functions, any::<bool>()).prop_map(
        |(name, implements, kind, functions, opaque)| Import {
            name,
            implements,
            kind,
            functions: functions.into_iter().map(str::to_owned).collect(),
            resources: Vec::new(),
            opaque,
        },
    )
}
