//! Instances of core modules: imports connected, tables filled.

use std::collections::{BTreeMap, HashMap};

use wasmparser::{ExternalKind, Instance, InstantiationArg};

use super::value::{CoreInstance, CoreItem};
use super::{Entry, Linker, OriginError, Target};
use crate::limits;
use crate::origin::graph::{Global, ModuleInstance, Place};
use crate::origin::module::{Content, Import, Mode, Module, Segment, Sort, sort};

impl<'p, 'a> Linker<'p, 'a> {
    /// Takes the definition of a core instance.
    pub(super) fn core_instance(
        &mut self,
        scope: usize,
        instance: &'p Instance<'a>,
    ) -> Result<(), OriginError> {
        let made = match instance {
            Instance::Instantiate { module_index, args } => {
                let index = *module_index as usize;
                let module = self.scope(scope).modules.get(index).copied().flatten();
                let given = self.arguments(scope, args);
                if let Some(module) = module {
                    CoreInstance::Module(self.instantiate(module, &given)?)
                } else {
                    self.give_core(&given)?;
                    CoreInstance::Unknown
                }
            }
            Instance::FromExports(exports) => {
                self.spend(exports.len())?;
                let items = exports.iter().map(|export| {
                    let item = self.core_item(scope, export.kind, export.index);
                    (export.name, item)
                });
                CoreInstance::Made(items.collect())
            }
        };
        self.core_instances.push(made);
        let index = self.core_instances.len() - 1;
        self.scope(scope).core_instances.push(index);
        Ok(())
    }

    /// A core module that is no part of a component: the host provides its imports, and may
    /// call what it exports.
    pub(super) fn run_module(&mut self) -> Result<(), OriginError> {
        let program = self.program;
        let Some(module) = program.modules.first() else {
            return Ok(());
        };
        let mut given: HashMap<&str, BTreeMap<&str, CoreItem>> = HashMap::new();
        for import in &module.imports {
            if let Some(item) = self.host_item(import) {
                let items = given.entry(import.module).or_default();
                items.insert(import.name, item);
            }
        }
        let mut arguments = HashMap::new();
        for (name, items) in given {
            self.core_instances.push(CoreInstance::Made(items));
            arguments.insert(name, self.core_instances.len() - 1);
        }
        let instance = self.instantiate(0, &arguments)?;
        self.core_instances.push(CoreInstance::Module(instance));
        self.export_core(self.core_instances.len() - 1)?;
        if module.is_open {
            // A host that can get at references may call any function that somebody took one of.
            let everything = self.graph.everything_taken();
            self.entries.push((Entry::Reference, everything));
        }
        Ok(())
    }

    /// What a host gives a core module: a function, or something that functions may come out of.
    fn host_item(&mut self, import: &Import<'a>) -> Option<CoreItem> {
        if import.sort == Sort::Other || (import.sort != Sort::Function && !import.holds_functions)
        {
            return None;
        }
        let node = self.add_target(Target {
            import: import.module.to_owned(),
            function: Some(import.name.to_owned()),
        });
        Some(match import.sort {
            Sort::Table => {
                let table = self.graph.add_table();
                self.graph.put(table, None, node);
                CoreItem::Table(table)
            }
            Sort::Global => {
                self.graph.take(node);
                CoreItem::Global(Global::Function(node))
            }
            Sort::Function | Sort::Other => CoreItem::Function(node),
        })
    }

    /// An alias of what a core instance exports takes the next index of its kind.
    pub(super) fn alias_core(
        &mut self,
        scope: usize,
        kind: ExternalKind,
        instance: u32,
        name: &'a str,
    ) {
        let instances = &self.scope(scope).core_instances;
        let instance = instances.get(instance as usize).copied();
        let item = instance.map_or(CoreItem::Nothing, |found| self.core_exported(found, name));
        let nothing = self.nothing;
        let scope = self.scope(scope);
        match (sort(kind), item) {
            (Sort::Function, CoreItem::Function(node)) => scope.core_functions.push(node),
            (Sort::Function, _) => scope.core_functions.push(nothing),
            (Sort::Table, CoreItem::Table(table)) => scope.core_tables.push(Some(table)),
            (Sort::Table, _) => scope.core_tables.push(None),
            (Sort::Global, CoreItem::Global(global)) => scope.core_globals.push(global),
            (Sort::Global, _) => scope.core_globals.push(Global::Unknown),
            (Sort::Other, _) => {}
        }
    }

    /// What a core instance exports under a name.
    pub(super) fn core_exported(&self, instance: usize, name: &str) -> CoreItem {
        match self.core_instances.get(instance) {
            Some(CoreInstance::Made(items)) => {
                items.get(name).copied().unwrap_or(CoreItem::Nothing)
            }
            Some(CoreInstance::Module(index)) => {
                self.module_item(*index, name).unwrap_or(CoreItem::Nothing)
            }
            Some(CoreInstance::Unknown) | None => CoreItem::Nothing,
        }
    }

    fn module_item(&self, instance: usize, name: &str) -> Option<CoreItem> {
        let (_, module) = self.graph.module(instance)?;
        let instance = self.graph.instance(instance)?;
        let (sort, index) = *module.exports.get(name)?;
        let index = index as usize;
        Some(match sort {
            Sort::Function => CoreItem::Function(*instance.functions.get(index)?),
            Sort::Table => CoreItem::Table(*instance.tables.get(index)?),
            Sort::Global => CoreItem::Global(*instance.globals.get(index)?),
            Sort::Other => CoreItem::Nothing,
        })
    }

    fn arguments(
        &mut self,
        scope: usize,
        given: &[InstantiationArg<'a>],
    ) -> HashMap<&'a str, usize> {
        let instances = &self.scope(scope).core_instances;
        let given = given.iter();
        given
            .filter_map(|given| Some((given.name, *instances.get(given.index as usize)?)))
            .collect()
    }

    fn core_item(&mut self, scope: usize, kind: ExternalKind, index: u32) -> CoreItem {
        let scope = self.scope(scope);
        let index = index as usize;
        let found = match sort(kind) {
            Sort::Function => scope
                .core_functions
                .get(index)
                .copied()
                .map(CoreItem::Function),
            Sort::Table => scope
                .core_tables
                .get(index)
                .copied()
                .flatten()
                .map(CoreItem::Table),
            Sort::Global => scope.core_globals.get(index).copied().map(CoreItem::Global),
            Sort::Other => None,
        };
        found.unwrap_or(CoreItem::Nothing)
    }

    fn instantiate(
        &mut self,
        index: usize,
        given: &HashMap<&str, usize>,
    ) -> Result<usize, OriginError> {
        let program: &'p _ = self.program;
        let Some(module) = program.modules.get(index) else {
            return Ok(0);
        };
        let copied = module.calls.copied.iter();
        let copied = copied.filter_map(|(segment, _)| module.segments.get(*segment as usize));
        let items = module.segments.iter().chain(copied);
        let items = items.map(|segment| segment.items.len());
        self.spend(
            limits::INSTANTIATION_WORK
                + module.functions.len()
                + module.imports.len()
                + module.tables.len()
                + module.globals.len()
                + items.sum::<usize>(),
        )?;
        let number = self.graph.next_instance();
        let mut made = ModuleInstance {
            module: index,
            functions: Vec::with_capacity(module.functions.len()),
            tables: Vec::new(),
            globals: Vec::new(),
        };
        for import in &module.imports {
            self.connect(import, given, &mut made);
        }
        for function in module
            .functions
            .iter()
            .enumerate()
            .skip(made.functions.len())
        {
            let function = u32::try_from(function.0).unwrap_or(u32::MAX);
            let place = Place::Function {
                instance: number,
                function,
            };
            made.functions.push(self.graph.add(place));
        }
        for global in &module.globals {
            let value = made.value(*global);
            made.globals.push(value);
        }
        made.tables
            .extend(module.tables.iter().map(|_| self.graph.add_table()));
        self.graph.add_instance(made);
        self.fill(number, index, module);
        Ok(number)
    }

    fn connect(
        &mut self,
        import: &Import<'a>,
        given: &HashMap<&str, usize>,
        made: &mut ModuleInstance,
    ) {
        let instance = given.get(import.module);
        let item = instance.map_or(CoreItem::Nothing, |instance| {
            self.core_exported(*instance, import.name)
        });
        match (import.sort, item) {
            (Sort::Function, CoreItem::Function(node)) => made.functions.push(node),
            (Sort::Function, _) => made.functions.push(self.nothing),
            (Sort::Table, CoreItem::Table(table)) => made.tables.push(table),
            (Sort::Table, _) => made.tables.push(self.graph.add_table()),
            (Sort::Global, CoreItem::Global(global)) => made.globals.push(global),
            (Sort::Global, _) => made.globals.push(Global::Unknown),
            (Sort::Other, _) => {}
        }
    }

    /// Fills the tables of an instance, notes what else may be called, and has it started.
    fn fill(&mut self, number: usize, index: usize, module: &Module<'a>) {
        let Some(instance) = self.graph.instance(number) else {
            return;
        };
        let tables = instance.tables.clone();
        let mut puts = Vec::new();
        let imported = tables.len().saturating_sub(module.tables.len());
        for (table, content) in tables.iter().skip(imported).zip(&module.tables) {
            puts.push((*table, None, instance.value(*content)));
        }
        for segment in &module.segments {
            if let Mode::Active { table, from } = segment.mode
                && let Some(table) = tables.get(table as usize)
            {
                let from = match instance.value(from) {
                    Global::Number(from) => Some(from),
                    _ => None,
                };
                puts.extend(
                    instance
                        .elements(segment, from)
                        .map(|(slot, value)| (*table, slot, value)),
                );
            }
        }
        for (segment, table) in &module.calls.copied {
            if let Some(segment) = module.segments.get(*segment as usize)
                && let Some(table) = tables.get(*table as usize)
            {
                puts.extend(
                    instance
                        .elements(segment, None)
                        .map(|(slot, value)| (*table, slot, value)),
                );
            }
        }
        let taken = module.calls.taken.iter();
        let taken: Vec<_> = taken
            .filter_map(|function| instance.functions.get(*function as usize).copied())
            .collect();
        let start = module
            .start
            .and_then(|start| instance.functions.get(start as usize).copied());
        for (table, slot, value) in puts {
            if let Global::Function(function) = value {
                self.graph.put(table, slot, function);
            }
        }
        for function in taken {
            self.graph.take(function);
        }
        for table in &module.calls.written {
            if let Some(table) = tables.get(*table as usize) {
                self.graph.write(*table);
            }
        }
        if let Some(start) = start {
            let label = self.labels.get(&index).copied().or(module.name);
            self.entries
                .push((Entry::Start(label.map(str::to_owned)), start));
        }
    }
}

impl ModuleInstance {
    fn value(&self, content: Content) -> Global {
        match content {
            Content::Function(function) => {
                let node = self.functions.get(function as usize);
                node.map_or(Global::Unknown, |node| Global::Function(*node))
            }
            Content::Global(global) => {
                let value = self.globals.get(global as usize);
                value.copied().unwrap_or(Global::Unknown)
            }
            Content::Number(number) => Global::Number(number),
            Content::Unknown => Global::Unknown,
        }
    }

    /// The elements of a segment and their slots, from the first slot on if it is known.
    fn elements(
        &self,
        segment: &Segment,
        from: Option<u64>,
    ) -> impl Iterator<Item = (Option<u64>, Global)> {
        let slots = (0u64..).map(move |offset| from.map(|from| from.wrapping_add(offset)));
        let values = segment.items.iter().map(|item| self.value(*item));
        slots.zip(values)
    }
}
