//! What imports let a program do, in words that a person understands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Import, Inspection, ItemKind};

use crate::catalogue::Catalogue;
use crate::needs::{Identity, Opened, groups};

/// A capability that a program asks for, and the imports that ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityUse {
    /// Its name in policies: `sockets`.
    pub capability: String,
    /// What a program can do with it, as a fragment after "it can".
    pub summary: String,
    /// How much there is to lose.
    pub risk: Risk,
    /// What there is to lose, in a sentence; empty where there is nothing.
    pub concern: String,
    /// The imports that ask for it, with their versions, in the order of the bytes.
    pub imports: Vec<String>,
}

/// How much there is to lose when a program that should not have a capability has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing by itself.
    None,
    /// Little: noise, or a hint about the host.
    Low,
    /// What the host has granted.
    Medium,
    /// Other systems and other people's data.
    High,
}

/// The capabilities that a program asks for, code that it exports too, in the catalogue's
/// order.
pub fn capabilities(inspection: &Inspection) -> Vec<CapabilityUse> {
    of_groups(&groups(inspection))
}

fn of_groups(groups: &[&[Import]]) -> Vec<CapabilityUse> {
    let opened = Opened::by(groups.iter().copied().flatten());
    let mut users: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    for imports in groups {
        // A type has no function that could be called.
        let imports = imports.iter();
        for import in imports.filter(|import| import.kind != ItemKind::Type) {
            for identity in Identity::all_of(import) {
                for need in identity.needs(import, &opened) {
                    if known.insert((need.capability, &import.name)) {
                        let names = users.entry(need.capability).or_default();
                        names.push(import.name.clone());
                    }
                }
            }
        }
    }
    let known = Catalogue::get().capabilities().iter();
    known
        .filter_map(|capability| {
            Some(CapabilityUse {
                capability: capability.name.clone(),
                summary: capability.summary.clone(),
                risk: capability.risk,
                concern: capability.concern.clone(),
                imports: users.remove(capability.name.as_str())?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use wasmport_artifact::inspect;

    use super::*;

    fn used(wat: &str) -> Vec<(String, Vec<String>)> {
        let inspection = inspect(&wat::parse_str(wat).unwrap()).unwrap();
        let uses = capabilities(&inspection).into_iter();
        uses.map(|used| (used.capability, used.imports)).collect()
    }

    fn owned(name: &str, imports: &[&str]) -> (String, Vec<String>) {
        (
            name.to_owned(),
            imports.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn imports_of_one_capability_are_together_and_in_the_catalogues_order() {
        let wat = r#"(component
            (import "acme:db/query@1.2.0" (instance (export "run" (func))))
            (import "wasi:sockets/tcp@0.2.6" (instance))
            (import "wasi:cli/exit@0.2.6" (instance (export "exit" (func))))
            (import "wasi:sockets/udp@0.2.6" (instance)))"#;
        let expected = [
            owned("exit", &["wasi:cli/exit@0.2.6"]),
            owned(
                "sockets",
                &["wasi:sockets/tcp@0.2.6", "wasi:sockets/udp@0.2.6"],
            ),
            owned("custom", &["acme:db/query@1.2.0"]),
        ];
        assert_eq!(used(wat), expected);
    }

    #[test]
    fn an_import_may_ask_for_several() {
        let wat = r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func))
            (import "wasi_snapshot_preview1" "path_open" (func))
            (import "env" "log" (func)))"#;
        let preview1: &[&str] = &["wasi_snapshot_preview1"];
        let expected = [
            owned("stdio", preview1),
            owned("filesystem-read", preview1),
            owned("filesystem-write", preview1),
            owned("custom", &["env"]),
        ];
        assert_eq!(used(wat), expected);
    }

    #[test]
    fn what_exported_code_would_import_counts_too_and_once() {
        let wat = r#"(component
            (import "wasi:cli/exit@0.2.6" (instance))
            (component $inner
                (import "wasi:cli/exit@0.2.6" (instance))
                (import "wasi:sockets/tcp@0.2.6" (instance)))
            (export "inner" (component $inner)))"#;
        let expected = [
            owned("exit", &["wasi:cli/exit@0.2.6"]),
            owned("sockets", &["wasi:sockets/tcp@0.2.6"]),
        ];
        assert_eq!(used(wat), expected);
    }

    #[test]
    fn a_label_does_not_hide_what_it_implements() {
        let wat = r#"(component
            (import "store" (implements "wasi:sockets/tcp@0.2.6") (instance)))"#;
        assert_eq!(used(wat), [owned("sockets", &["store"])]);
    }

    #[test]
    fn a_type_asks_for_nothing() {
        assert_eq!(
            used(r#"(component (import "t" (type (sub resource))))"#),
            []
        );
    }

    #[test]
    fn a_function_of_the_world_is_custom_even_with_the_name_of_a_known_module() {
        assert_eq!(
            used(r#"(component (import "log" (func)))"#),
            [owned("custom", &["log"])]
        );
    }

    #[test]
    fn what_one_version_opens_another_can_write_to() {
        let imports = |opener: &str| {
            let import = |name: &str, function: &str| Import {
                name: name.to_owned(),
                implements: None,
                kind: ItemKind::Instance,
                functions: vec![function.to_owned()],
                resources: Vec::new(),
                opaque: false,
            };
            [
                import("wasi:filesystem/types@0.2.0", opener),
                import("wasi:filesystem/types@0.2.6", "[method]descriptor.write"),
            ]
        };
        let names = |opener| -> Vec<String> {
            of_groups(&[&imports(opener)])
                .into_iter()
                .map(|used| used.capability)
                .collect()
        };
        let write = "filesystem-write".to_owned();
        assert!(names("[method]descriptor.open-at").contains(&write));
        assert!(!names("[method]descriptor.get-type").contains(&write));
    }
}
