//! What a host can call: what the outermost exports, and what imported components are given.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::value::{CoreInstance, CoreItem, Instance, Item};
use super::{Entry, Linker, OriginError};

impl<'a> Linker<'_, 'a> {
    /// The exports of the outermost component.
    pub(super) fn export(
        &mut self,
        exports: &BTreeMap<&'a str, Item<'a>>,
    ) -> Result<(), OriginError> {
        for (name, item) in exports {
            self.expose(name, *item, Entry::Export)?;
        }
        Ok(())
    }

    /// What an imported component is given, it may call.
    pub(super) fn give(
        &mut self,
        arguments: &HashMap<&'a str, Item<'a>>,
    ) -> Result<(), OriginError> {
        let in_order: BTreeMap<_, _> = arguments.iter().collect();
        for (name, item) in in_order {
            self.expose(name, *item, Entry::Given)?;
        }
        Ok(())
    }

    /// What an imported core module is given, it may call.
    pub(super) fn give_core(&mut self, given: &HashMap<&str, usize>) -> Result<(), OriginError> {
        let in_order: BTreeMap<_, _> = given.iter().collect();
        for instance in in_order.into_values() {
            self.expose_core(*instance, Entry::Given)?;
        }
        Ok(())
    }

    /// The exports of a core module that is no part of a component.
    pub(super) fn export_core(&mut self, instance: usize) -> Result<(), OriginError> {
        self.expose_core(instance, Entry::Export)
    }

    /// Makes every function in `item` an entry, also those of instances inside instances.
    fn expose(
        &mut self,
        name: &str,
        item: Item<'a>,
        entry: fn(String) -> Entry,
    ) -> Result<(), OriginError> {
        let mut seen = HashSet::new();
        let mut waiting = vec![(name.to_owned(), item)];
        while let Some((name, item)) = waiting.pop() {
            // Names grow with how deep instances nest.
            self.spend(1 + name.len() / 16)?;
            match item {
                Item::Function(Some(node)) => self.entries.push((entry(name), node)),
                Item::Instance(index) if seen.insert(index) => match self.instances.get(index) {
                    Some(Instance::Made(exports)) => {
                        let inner = exports.iter().rev();
                        waiting
                            .extend(inner.map(|(inner, item)| (format!("{name}#{inner}"), *item)));
                    }
                    Some(Instance::Imported(import)) => {
                        let import = self.imports.get(*import).copied().unwrap_or_default();
                        self.passed.entry(import).or_insert_with(|| entry(name));
                    }
                    Some(Instance::Unknown) | None => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn expose_core(
        &mut self,
        instance: usize,
        entry: fn(String) -> Entry,
    ) -> Result<(), OriginError> {
        let names: Vec<&str> = match self.core_instances.get(instance) {
            Some(CoreInstance::Made(items)) => items.keys().copied().collect(),
            Some(CoreInstance::Module(index)) => {
                let module = self.graph.module(*index);
                module.map_or_else(Vec::new, |(_, module)| {
                    module.exports.keys().copied().collect()
                })
            }
            Some(CoreInstance::Unknown) | None => Vec::new(),
        };
        self.spend(names.len())?;
        for name in names {
            match self.core_exported(instance, name) {
                CoreItem::Function(node) => self.entries.push((entry(name.to_owned()), node)),
                CoreItem::Table(table) => {
                    let everything = self.graph.everything(table);
                    self.entries.push((entry(name.to_owned()), everything));
                }
                CoreItem::Global(crate::origin::graph::Global::Function(node)) => {
                    self.entries.push((entry(name.to_owned()), node));
                }
                CoreItem::Global(_) | CoreItem::Nothing => {}
            }
        }
        Ok(())
    }
}
