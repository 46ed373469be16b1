//! What definitions stand for while a component is put together.

use std::collections::BTreeMap;

use crate::origin::graph::{Global, Node, Table};

/// The definitions of one instance of a component, by kind and index.
#[derive(Default)]
pub(super) struct Scope<'a> {
    /// The scope in which the component is defined.
    pub(super) outer: Option<usize>,
    pub(super) modules: Vec<Module>,
    pub(super) components: Vec<Component>,
    pub(super) core_instances: Vec<usize>,
    pub(super) core_functions: Vec<Node>,
    pub(super) core_tables: Vec<Option<Table>>,
    pub(super) core_globals: Vec<Global>,
    pub(super) functions: Vec<Option<Node>>,
    pub(super) instances: Vec<usize>,
    pub(super) types: Vec<Type<'a>>,
}

/// A core module, by its index in the program; none if it is imported.
pub(super) type Module = Option<usize>;

/// A component and the scope around it; none if it is imported.
pub(super) type Component = Option<(usize, Option<usize>)>;

/// Something that components pass to each other.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    Function(Option<Node>),
    Instance(usize),
    Component(Component),
    Module(Module),
    Type(Type<'a>),
    /// Values, and what is not there.
    Nothing,
}

/// A type, as far as something is called when a value of it is dropped.
#[derive(Clone, Copy)]
pub(super) enum Type<'a> {
    /// A resource of the outermost import of this number, by its name in the instance.
    Imported(usize, Option<&'a str>),
    /// A resource with a destructor.
    Own(Node),
    Other,
}

/// An instance of a component.
pub(super) enum Instance<'a> {
    /// The outermost import of this number.
    Imported(usize),
    Made(BTreeMap<&'a str, Item<'a>>),
    /// An instance of a component that is imported.
    Unknown,
}

/// Something that core modules pass to each other.
#[derive(Clone, Copy)]
pub(super) enum CoreItem {
    Function(Node),
    Table(Table),
    Global(Global),
    /// Memories, tags, and what is not there.
    Nothing,
}

/// An instance of a core module.
pub(super) enum CoreInstance<'a> {
    /// By its index in the graph.
    Module(usize),
    Made(BTreeMap<&'a str, CoreItem>),
    /// An instance of a module that is imported.
    Unknown,
}
