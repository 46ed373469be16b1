//! The catalogue of capabilities beside the definitions of WASI that Wasmtime carries: nothing that WASI has
//! is unknown to it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_metadata::MetadataCommand;
use wasmport_artifact::InterfaceName;
use wasmport_policies::{KnownCapability, known_capabilities};
use wit_parser::{FunctionKind, Interface, Resolve};

/// Where the sources of Wasmtime's implementation of WASI are.
fn wasmtime_wasi() -> PathBuf {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .exec()
        .unwrap();
    let mut packages = metadata.packages.iter();
    let package = packages.find(|package| package.name.as_str() == "wasmtime-wasi");
    let manifest = &package.unwrap().manifest_path;
    manifest.parent().unwrap().into()
}

/// Every interface of WASI in a directory of WIT, with its functions as the catalogue writes them.
fn interfaces(directory: &str) -> Vec<(InterfaceName, BTreeSet<String>)> {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    resolve
        .push_dir(wasmtime_wasi().join(directory))
        .unwrap_or_else(|error| panic!("{directory}: {error}"));
    let named = resolve.interfaces.iter().filter_map(|(id, interface)| {
        let name: InterfaceName = resolve.id_of(id)?.parse().ok()?;
        Some((name, functions(&resolve, interface)))
    });
    named.filter(|(name, _)| name.namespace == "wasi").collect()
}

fn functions(resolve: &Resolve, interface: &Interface) -> BTreeSet<String> {
    let names = interface
        .functions
        .values()
        .map(|function| match function.kind {
            FunctionKind::Method(resource) | FunctionKind::AsyncMethod(resource) => {
                let resource = resolve.types[resource].name.as_deref().unwrap();
                format!("{resource}.{}", function.item_name())
            }
            _ => function.item_name().to_owned(),
        });
    names.collect()
}

fn holds(capability: &KnownCapability, name: &InterfaceName) -> bool {
    let by_function = capability.functions.iter().flat_map(|known| &known.imports);
    let mut known = capability.interfaces.iter().chain(by_function);
    known.any(|known| {
        let known = known.parse::<InterfaceName>();
        known.is_ok_and(|known| known.same_track(name))
    })
}

/// The functions that the catalogue names of an import.
fn listed(import: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let capabilities = known_capabilities();
    let known = capabilities
        .iter()
        .flat_map(|capability| &capability.functions);
    let of_import = known.filter(|known| known.imports.iter().any(|name| import(name)));
    of_import
        .flat_map(|known| known.functions.clone())
        .collect()
}

#[test]
fn every_interface_of_wasi_asks_for_one_capability_or_is_judged_by_its_functions() {
    for directory in ["src/p2/wit", "src/p3/wit"] {
        let interfaces = interfaces(directory);
        assert!(interfaces.len() > 20, "{directory}: {}", interfaces.len());
        for (name, _) in interfaces {
            let all = known_capabilities();
            let asked = all.iter().filter(|known| holds(known, &name)).count();
            let is_split = name.package == "filesystem" && name.interface == "types";
            assert!(
                if is_split { asked > 1 } else { asked == 1 },
                "{name}: {asked}"
            );
        }
    }
}

#[test]
fn every_function_of_the_filesystem_is_listed() {
    for directory in ["src/p2/wit", "src/p3/wit"] {
        let mut interfaces = interfaces(directory).into_iter();
        let is_it =
            |name: &InterfaceName| name.package == "filesystem" && name.interface == "types";
        let (name, functions) = interfaces.find(|(name, _)| is_it(name)).unwrap();
        let listed = listed(&|known| {
            known
                .parse::<InterfaceName>()
                .is_ok_and(|known| known.same_track(&name))
        });
        let unknown: Vec<_> = functions.difference(&listed).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
        assert!(functions.len() > 20, "{name}: {functions:?}");
    }
}

#[test]
fn every_function_of_preview1_is_listed_and_no_other() {
    let witx = wasmtime_wasi().join("witx/p1/wasi_snapshot_preview1.witx");
    let witx = std::fs::read_to_string(witx).unwrap();
    let exports = witx.split("(@interface func (export \"").skip(1);
    let functions: BTreeSet<_> = exports
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        listed(&|known| known == "wasi_snapshot_preview1"),
        functions
    );
}
