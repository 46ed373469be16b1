//! Whose the functions on a chain are: the program's, a dependency's, the toolchain's.

use std::collections::BTreeSet;

use super::function_name::{FunctionName, crate_of_module, is_bindings, is_standard};
use super::link::{Linked, Target};
use super::program::Program;
use super::{Frame, Owner, Via};
use crate::interface_name::InterfaceName;

/// What tells the program's own functions from others.
pub(super) struct Owners {
    pub(super) own: BTreeSet<String>,
}

impl Owners {
    /// The crates in `given`, else those that the core modules are named after.
    pub(super) fn new(program: &Program<'_>, given: &[String]) -> Self {
        let own = if given.is_empty() {
            let modules = program.modules.iter();
            let names = modules.filter_map(|module| module.name);
            names.map(crate_of_module).collect()
        } else {
            given.iter().map(|name| name.replace('-', "_")).collect()
        };
        Self { own }
    }

    /// A function, by the index of its module and its own, as a step to a target.
    pub(super) fn step(
        &self,
        linked: &Linked<'_, '_>,
        program: &Program<'_>,
        (module, function): (usize, u32),
        via: Via,
        target: &Target,
    ) -> Frame {
        let known = program.modules.get(module);
        let raw = known.and_then(|known| known.function_name(function));
        let name = raw.map(FunctionName::of);
        let owner = name
            .as_ref()
            .map_or(Owner::Other, |name| self.of(name, target));
        let label = linked.labels.get(&module).copied();
        let label = label
            .or_else(|| known?.name)
            .filter(|label| !label.is_empty());
        let (text, krate) = match name {
            Some(name) => (name.text, name.krate),
            None => (format!("function {function}"), None),
        };
        Frame {
            via,
            name: text,
            krate,
            owner,
            module: label.map_or_else(|| format!("module {module}"), str::to_owned),
            index: function,
        }
    }

    fn of(&self, name: &FunctionName, target: &Target) -> Owner {
        match name.krate.as_deref() {
            None => Owner::Other,
            Some(krate) if is_standard(krate) => Owner::Standard,
            Some(krate) if is_bindings(krate) || is_generated(&name.text, target) => {
                Owner::Bindings
            }
            Some(krate) if self.own.contains(krate) => Owner::Program,
            Some(_) => Owner::Dependency,
        }
    }
}

/// True for what wit-bindgen writes into a crate: the functions of an imported interface,
/// and what an exported function is called through.
fn is_generated(path: &str, target: &Target) -> bool {
    if path.ends_with("_cabi") || path.contains("_cabi::<") {
        return true;
    }
    let Ok(interface) = target.import.parse::<InterfaceName>() else {
        return false;
    };
    let words = [interface.namespace, interface.package, interface.interface];
    path.contains(&format!("::{}::", words.join("::").replace('-', "_")))
}
