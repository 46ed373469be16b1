//! Functions of instances, and the ways from one to another.
//!
//! A core module that is instantiated twice gives two sets of functions: what an import of
//! the one is connected to may differ from the other.

use std::collections::{BTreeMap, HashMap};

use super::calls::Call;
use super::data::Pointee;
use super::module::Module;
use super::signature::Signature;

/// A function, or a place that calls go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Node(u32);

/// A table of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Table(usize);

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// A function of a core module's instance, by its index in the module.
    Function { instance: usize, function: u32 },
    /// An imported function of the outermost component or module.
    Import,
    /// Functions of one type in a table; of all types that cannot be compared, if none.
    Group(Table, Option<Signature>),
    /// Everything in a table.
    Everything(Table),
    /// Something in the memory of an instance.
    Object { instance: usize, object: usize },
    /// A function that is made by the runtime: one that is lowered, or an intrinsic.
    Runtime,
}

/// How a step is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// To what stands for it; no step for people.
    Within,
    /// By a call, or by the runtime on behalf of one.
    Call,
    /// By a call through a pointer that seems to be taken here.
    Pointer,
    /// By a call through a table or a reference, which may have this target.
    Indirect,
}

/// An instance of a core module.
pub(super) struct ModuleInstance {
    pub(super) module: usize,
    /// All functions by their index in the module.
    pub(super) functions: Vec<Node>,
    pub(super) tables: Vec<Table>,
    pub(super) globals: Vec<Global>,
}

/// What an immutable global holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Global {
    Function(Node),
    Number(u64),
    Unknown,
}

/// What lies in a table, as far as is known.
#[derive(Default)]
struct Slots {
    by_slot: HashMap<u64, Vec<Node>>,
    by_signature: BTreeMap<Option<Signature>, Vec<Node>>,
    /// True when a slot may hold something that is not in `by_slot`.
    is_vague: bool,
    /// True when code writes to it, so that any reference that somebody took may be there.
    is_written: bool,
}

/// How many functions are told apart that are all written to one slot.
const RIVALS: usize = 8;

/// The whole graph.
pub(super) struct Graph<'p, 'a> {
    modules: &'p [Module<'a>],
    instances: Vec<ModuleInstance>,
    places: Vec<Place>,
    /// The first one holds every reference that somebody took.
    tables: Vec<Slots>,
    linked: HashMap<Node, Vec<Node>>,
    groups: HashMap<Place, Node>,
}

impl<'p, 'a> Graph<'p, 'a> {
    const TAKEN: Table = Table(0);

    pub(super) fn new(modules: &'p [Module<'a>]) -> Self {
        Self {
            modules,
            instances: Vec::new(),
            places: Vec::new(),
            tables: vec![Slots::default()],
            linked: HashMap::new(),
            groups: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, place: Place) -> Node {
        let node = Node(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        self.places.push(place);
        node
    }

    pub(super) fn add_table(&mut self) -> Table {
        self.tables.push(Slots::default());
        Table(self.tables.len() - 1)
    }

    /// Takes an instance; the nodes of its own functions name it by its index.
    pub(super) fn add_instance(&mut self, instance: ModuleInstance) -> usize {
        self.instances.push(instance);
        self.instances.len() - 1
    }

    /// The index that the next instance gets.
    pub(super) fn next_instance(&self) -> usize {
        self.instances.len()
    }

    pub(super) fn instance(&self, index: usize) -> Option<&ModuleInstance> {
        self.instances.get(index)
    }

    /// Says that the runtime calls `to` for `from`.
    pub(super) fn link(&mut self, from: Node, to: Node) {
        self.linked.entry(from).or_default().push(to);
    }

    /// Puts a function into a table, into a slot where that is known.
    pub(super) fn put(&mut self, table: Table, slot: Option<u64>, function: Node) {
        let signature = self.signature(function);
        if let Some(slots) = self.tables.get_mut(table.0) {
            let alike = slots.by_signature.entry(signature).or_default();
            alike.push(function);
            match slot {
                Some(slot) => slots.by_slot.entry(slot).or_default().push(function),
                None => slots.is_vague = true,
            }
        }
        // Code can read it there as a reference, and write it elsewhere.
        if table != Self::TAKEN {
            self.take(function);
        }
    }

    /// Says that somebody took a reference of a function.
    pub(super) fn take(&mut self, function: Node) {
        self.put(Self::TAKEN, None, function);
    }

    /// Says that code writes to a table.
    pub(super) fn write(&mut self, table: Table) {
        if let Some(slots) = self.tables.get_mut(table.0) {
            slots.is_written = true;
        }
    }

    /// The node that stands for everything in a table.
    pub(super) fn everything(&mut self, table: Table) -> Node {
        self.group(Place::Everything(table))
    }

    /// The node that stands for everything that somebody took a reference of.
    pub(super) fn everything_taken(&mut self) -> Node {
        self.everything(Self::TAKEN)
    }

    pub(super) fn place(&self, node: Node) -> Option<Place> {
        self.places.get(node.0 as usize).copied()
    }

    /// Where a node leads.
    pub(super) fn ways(&mut self, node: Node) -> Vec<(Node, Way)> {
        match self.place(node) {
            Some(Place::Function { instance, function }) => self.calls(instance, function),
            Some(Place::Group(table, signature)) => self.members(table, signature),
            Some(Place::Everything(table)) => {
                let slots = self.tables.get(table.0);
                let signatures: Vec<_> = slots
                    .into_iter()
                    .flat_map(|slots| slots.by_signature.keys().copied())
                    .collect();
                let groups = signatures.into_iter().map(|signature| {
                    let group = self.group(Place::Group(table, signature));
                    (group, Way::Within)
                });
                groups.collect()
            }
            Some(Place::Runtime) => within(self.linked.get(&node)),
            Some(Place::Import | Place::Object { .. }) | None => Vec::new(),
        }
    }

    /// What a function or something in memory seems to have pointers to, and how much speaks
    /// against each.
    pub(super) fn pointers(&mut self, node: Node) -> Vec<(Node, Way, u32)> {
        let (instance, found): (_, Vec<Pointee>) = match self.place(node) {
            Some(Place::Function { instance, function }) => {
                let module = self.module(instance).map(|(_, module)| module);
                let named = module.into_iter().flat_map(|module| {
                    let body = module.body(function).into_iter();
                    let numbers = body.flat_map(|body| module.calls.addresses.of(body));
                    numbers.filter_map(|number| module.memory.pointee(number))
                });
                (instance, named.collect())
            }
            Some(Place::Object { instance, object }) => {
                let module = self.module(instance);
                let found = module.map(|(_, module)| module.memory.content(object));
                (instance, found.unwrap_or_default())
            }
            _ => return Vec::new(),
        };
        let mut ways = Vec::new();
        for pointee in found {
            match pointee {
                Pointee::Object(object) => {
                    let place = Place::Object { instance, object };
                    ways.push((self.group(place), Way::Within, 0));
                }
                Pointee::Slot(slot) => {
                    let module = self.module(instance);
                    let doubt = module.map_or(0, |(_, module)| module.memory.doubt(slot));
                    let there = self.in_slot(instance, slot).iter();
                    ways.extend(there.map(|function| (*function, Way::Pointer, 1 + doubt)));
                }
            }
        }
        ways
    }

    /// What lies in a slot of the first table of an instance.
    fn in_slot(&self, instance: usize, slot: u32) -> &[Node] {
        let table = self.table(instance, 0);
        let slots = table.and_then(|table| self.tables.get(table.0));
        let there = slots.and_then(|slots| slots.by_slot.get(&u64::from(slot)));
        let there = there.map_or(&[][..], Vec::as_slice);
        there.get(..there.len().min(RIVALS)).unwrap_or_default()
    }

    /// The module of an instance, with its index.
    pub(super) fn module(&self, instance: usize) -> Option<(usize, &'p Module<'a>)> {
        let index = self.instances.get(instance)?.module;
        Some((index, self.modules.get(index)?))
    }

    fn group(&mut self, place: Place) -> Node {
        if let Some(known) = self.groups.get(&place) {
            return *known;
        }
        let node = self.add(place);
        self.groups.insert(place, node);
        node
    }

    /// The signature of a function of a module; nothing else has one.
    fn signature(&self, node: Node) -> Option<Signature> {
        let Place::Function { instance, function } = self.place(node)? else {
            return None;
        };
        self.module(instance)?.1.signature_of(function as usize)
    }

    fn members(&self, table: Table, signature: Option<Signature>) -> Vec<(Node, Way)> {
        let slots = self.tables.get(table.0);
        within(slots.and_then(|slots| slots.by_signature.get(&signature)))
    }

    fn calls(&mut self, instance: usize, function: u32) -> Vec<(Node, Way)> {
        let Some((_, module)) = self.module(instance) else {
            return Vec::new();
        };
        let calls = module.body(function).map(|body| module.calls.of(body));
        let calls = calls.unwrap_or_default();
        let mut ways = Vec::new();
        for call in calls {
            match *call {
                Call::Direct(callee) => {
                    let known = self.instances.get(instance);
                    let callee = known.and_then(|known| known.functions.get(callee as usize));
                    ways.extend(callee.map(|callee| (*callee, Way::Call)));
                }
                Call::Slot { table, slot, ty } => {
                    let table = self.table(instance, table);
                    self.call_slot(table, slot, module.signature(ty), &mut ways);
                }
                Call::Indirect { table, ty } => {
                    let table = self.table(instance, table);
                    self.call_any(table, module.signature(ty), &mut ways);
                }
                Call::Reference { ty } => {
                    self.call_any(Some(Self::TAKEN), module.signature(ty), &mut ways);
                }
            }
        }
        ways
    }

    fn table(&self, instance: usize, table: u32) -> Option<Table> {
        let tables = &self.instances.get(instance)?.tables;
        tables.get(table as usize).copied()
    }

    /// A call of a slot that the code names: exact, unless something else may lie there.
    fn call_slot(
        &mut self,
        table: Option<Table>,
        slot: u64,
        signature: Option<Signature>,
        ways: &mut Vec<(Node, Way)>,
    ) {
        let Some(slots) = table.and_then(|table| self.tables.get(table.0)) else {
            return;
        };
        let there = slots.by_slot.get(&slot).map_or(&[][..], Vec::as_slice);
        let is_exact = !slots.is_vague && !slots.is_written && there.len() <= RIVALS;
        if there.len() <= RIVALS {
            ways.extend(there.iter().map(|function| (*function, Way::Call)));
        }
        if !is_exact {
            self.call_any(table, signature, ways);
        }
    }

    /// A call of anything in a table that has the signature, or whose signature cannot be
    /// compared.
    fn call_any(
        &mut self,
        table: Option<Table>,
        signature: Option<Signature>,
        ways: &mut Vec<(Node, Way)>,
    ) {
        let Some(table) = table else { return };
        let slots = self.tables.get(table.0);
        let is_written = slots.is_some_and(|slots| slots.is_written);
        let tables = [Some(table), is_written.then_some(Self::TAKEN)];
        for table in tables.into_iter().flatten() {
            let places = match signature {
                Some(_) => [
                    Some(Place::Group(table, signature)),
                    Some(Place::Group(table, None)),
                ],
                None => [Some(Place::Everything(table)), None],
            };
            for place in places.into_iter().flatten() {
                let group = self.group(place);
                ways.push((group, Way::Indirect));
            }
        }
    }
}

impl Node {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

fn within(nodes: Option<&Vec<Node>>) -> Vec<(Node, Way)> {
    let nodes = nodes.into_iter().flatten();
    nodes.map(|node| (*node, Way::Within)).collect()
}
