//! The generation of WASI that names belong to.

use crate::inspection::{Export, Import, Target};
use crate::interface_name::InterfaceName;

/// The newest WASI that is named.
pub(super) fn target(imports: &[Import], exports: &[Export]) -> Option<Target> {
    let imported = imports
        .iter()
        .map(|import| import.implements.as_deref().unwrap_or(&import.name));
    let exported = exports
        .iter()
        .map(|export| export.implements.as_deref().unwrap_or(&export.name));
    imported.chain(exported).filter_map(target_of).max()
}

fn target_of(name: &str) -> Option<Target> {
    if name == "wasi_snapshot_preview1" {
        return Some(Target::Wasip1);
    }
    let interface: InterfaceName = name.parse().ok()?;
    let version = interface
        .version
        .filter(|_| interface.namespace == "wasi")?;
    match (version.major, version.minor) {
        (0, 2) => Some(Target::Wasip2),
        (0, 3) => Some(Target::Wasip3),
        _ => None,
    }
}
