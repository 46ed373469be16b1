//! Functions between the component and the core: lifted, lowered, and the runtime's own.

use wasmparser::{CanonicalFunction, CanonicalOption, ComponentExternalKind as Kind};

use super::value::{Item, Type};
use super::{Entry, Linker};
use crate::origin::graph::{Node, Place};

impl Linker<'_, '_> {
    /// Takes a definition that makes a function of the component or of the core.
    pub(super) fn canonical(&mut self, scope: usize, function: &CanonicalFunction) {
        let node = self.graph.add(Place::Runtime);
        match function {
            CanonicalFunction::Lift {
                core_func_index,
                options,
                ..
            } => {
                let core = self.core_function(scope, *core_func_index);
                self.graph.link(node, core);
                self.options(scope, node, options);
                self.scope(scope).functions.push(Some(node));
                return;
            }
            CanonicalFunction::Lower {
                func_index,
                options,
            } => {
                if let Item::Function(Some(callee)) = self.item(scope, Kind::Func, *func_index) {
                    self.graph.link(node, callee);
                }
                self.options(scope, node, options);
            }
            CanonicalFunction::ResourceDrop { resource } => self.drop_of(scope, node, *resource),
            CanonicalFunction::ThreadSpawnIndirect { table_index, .. }
            | CanonicalFunction::ThreadNewIndirect { table_index, .. } => {
                let tables = &self.scope(scope).core_tables;
                if let Some(Some(table)) = tables.get(*table_index as usize).copied() {
                    let everything = self.graph.everything(table);
                    self.graph.link(node, everything);
                }
            }
            CanonicalFunction::ThreadSpawnRef { .. } => {
                let everything = self.graph.everything_taken();
                self.graph.link(node, everything);
            }
            CanonicalFunction::StreamRead { options, .. }
            | CanonicalFunction::FutureRead { options, .. }
            | CanonicalFunction::ErrorContextDebugMessage { options } => {
                self.options(scope, node, options);
            }
            _ => {}
        }
        self.scope(scope).core_functions.push(node);
    }

    /// A resource type of the component itself, whose destructor a host calls.
    pub(super) fn resource(&mut self, scope: usize, destructor: Option<u32>) {
        let ty = match destructor {
            Some(destructor) => {
                let node = self.core_function(scope, destructor);
                self.entries.push((Entry::Destructor, node));
                Type::Own(node)
            }
            None => Type::Other,
        };
        self.scope(scope).types.push(ty);
    }

    /// The functions that the runtime calls on behalf of `node`.
    fn options(&mut self, scope: usize, node: Node, options: &[CanonicalOption]) {
        for option in options {
            if let CanonicalOption::Realloc(function)
            | CanonicalOption::PostReturn(function)
            | CanonicalOption::Callback(function) = option
            {
                let callee = self.core_function(scope, *function);
                self.graph.link(node, callee);
            }
        }
    }

    fn drop_of(&mut self, scope: usize, node: Node, resource: u32) {
        match self.item(scope, Kind::Type, resource) {
            Item::Type(Type::Imported(import, name)) => {
                let function = name.map(|name| format!("[resource-drop]{name}"));
                if let Some(callee) = self.target(import, function.as_deref()) {
                    self.graph.link(node, callee);
                }
            }
            Item::Type(Type::Own(destructor)) => self.graph.link(node, destructor),
            _ => {}
        }
    }

    fn core_function(&mut self, scope: usize, index: u32) -> Node {
        let nothing = self.nothing;
        let functions = &self.scope(scope).core_functions;
        functions.get(index as usize).copied().unwrap_or(nothing)
    }
}
