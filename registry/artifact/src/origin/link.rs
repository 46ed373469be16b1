//! Puts the component together as a runtime would, but for running it.
//!
//! Components are instantiated by a stack of frames and not by recursion, since one may
//! instantiate the next as often as the bytes say.

mod canonical;
mod component;
mod core;
mod host;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use wasmparser::ComponentExternalKind as Kind;

use super::OriginError;
use super::graph::{Graph, Node, Place};
use super::program::{Component, Definition, Outermost, Program};
use crate::limits;
use value::{CoreInstance, Instance, Item, Scope, Type};

/// Where a host can begin to run code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An exported function.
    Export(String),
    /// The start function of a core module or component, which runs at instantiation.
    Start(Option<String>),
    /// What is called when a host drops a resource.
    Destructor,
    /// A reference that a host can get at, through a table, a global, an argument or an exception.
    Reference,
    /// A function that an imported component or module is given.
    Given(String),
}

/// An imported function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Target {
    /// The name of the import.
    pub(super) import: String,
    /// The function in it, unless the import is one itself.
    pub(super) function: Option<String>,
}

/// What was put together.
pub(super) struct Linked<'p, 'a> {
    pub(super) graph: Graph<'p, 'a>,
    pub(super) entries: Vec<(Entry, Node)>,
    pub(super) targets: HashMap<Target, Node>,
    /// Imported instances that are passed on as they are, to a host or an imported component.
    pub(super) passed: HashMap<&'p str, Entry>,
    /// What core modules are called in the components that define them, by their index.
    pub(super) labels: HashMap<usize, &'a str>,
}

/// Instantiates everything, beginning with the outermost.
pub(super) fn link<'p, 'a>(program: &'p Program<'a>) -> Result<Linked<'p, 'a>, OriginError> {
    let mut linker = Linker::new(program);
    match program.outermost {
        Outermost::Component => linker.run()?,
        Outermost::Module => linker.run_module()?,
    }
    Ok(Linked {
        graph: linker.graph,
        entries: linker.entries,
        targets: linker.targets,
        passed: linker.passed,
        labels: linker.labels,
    })
}

struct Linker<'p, 'a> {
    program: &'p Program<'a>,
    graph: Graph<'p, 'a>,
    entries: Vec<(Entry, Node)>,
    targets: HashMap<Target, Node>,
    passed: HashMap<&'p str, Entry>,
    labels: HashMap<usize, &'a str>,
    scopes: Vec<Scope<'a>>,
    instances: Vec<Instance<'a>>,
    core_instances: Vec<CoreInstance<'a>>,
    /// The names of the outermost imports.
    imports: Vec<&'p str>,
    /// A function of which nothing is known.
    nothing: Node,
    work: usize,
}

/// A component that is being instantiated.
struct Frame<'p, 'a> {
    component: &'p Component<'a>,
    scope: usize,
    next: usize,
    arguments: HashMap<&'a str, Item<'a>>,
    exports: BTreeMap<&'a str, Item<'a>>,
}

impl<'p, 'a> Linker<'p, 'a> {
    fn new(program: &'p Program<'a>) -> Self {
        let mut graph = Graph::new(&program.modules);
        let nothing = graph.add(Place::Runtime);
        Self {
            program,
            graph,
            entries: Vec::new(),
            targets: HashMap::new(),
            passed: HashMap::new(),
            labels: HashMap::new(),
            scopes: Vec::new(),
            instances: Vec::new(),
            core_instances: Vec::new(),
            imports: Vec::new(),
            nothing,
            work: 0,
        }
    }

    fn run(&mut self) -> Result<(), OriginError> {
        let mut frames = Vec::new();
        frames.extend(self.frame((0, None), HashMap::new()));
        while let Some(frame) = frames.last_mut() {
            let definition = frame.component.definitions.get(frame.next);
            frame.next += 1;
            let Some(definition) = definition else {
                self.finish(&mut frames)?;
                continue;
            };
            self.spend(1)?;
            let is_outermost = frame.scope == 0;
            if let Some(inner) = self.define(frame, definition, is_outermost)? {
                frames.push(inner);
            }
        }
        Ok(())
    }

    fn frame(
        &mut self,
        (component, outer): (usize, Option<usize>),
        arguments: HashMap<&'a str, Item<'a>>,
    ) -> Option<Frame<'p, 'a>> {
        let component = self.program.components.get(component)?;
        self.scopes.push(Scope {
            outer,
            ..Scope::default()
        });
        Some(Frame {
            component,
            scope: self.scopes.len() - 1,
            next: 0,
            arguments,
            exports: BTreeMap::new(),
        })
    }

    /// Gives the instance of the innermost frame to the one around it.
    fn finish(&mut self, frames: &mut Vec<Frame<'p, 'a>>) -> Result<(), OriginError> {
        let Some(done) = frames.pop() else {
            return Ok(());
        };
        match frames.last() {
            Some(outer) => {
                let instance = self.add_instance(Instance::Made(done.exports));
                self.scope(outer.scope).instances.push(instance);
                Ok(())
            }
            None => self.export(&done.exports),
        }
    }

    /// Takes one definition. A component that it instantiates is the next to be run.
    fn define(
        &mut self,
        frame: &mut Frame<'p, 'a>,
        definition: &'p Definition<'a>,
        is_outermost: bool,
    ) -> Result<Option<Frame<'p, 'a>>, OriginError> {
        let scope = frame.scope;
        match definition {
            Definition::Module(module) => {
                let number = self.scope(scope).modules.len();
                self.scope(scope).modules.push(Some(*module));
                let label = u32::try_from(number)
                    .ok()
                    .and_then(|number| frame.component.module_names.get(&number));
                self.labels.extend(label.map(|label| (*module, *label)));
            }
            Definition::Component(component) => {
                let defined = Some((*component, Some(scope)));
                self.scope(scope).components.push(defined);
            }
            Definition::CoreInstance(instance) => self.core_instance(scope, instance)?,
            Definition::Instance(instance) => return self.instance(scope, instance),
            Definition::Alias(alias) => self.alias(scope, alias),
            Definition::Resource { destructor } => self.resource(scope, *destructor),
            Definition::Type => self.scope(scope).types.push(Type::Other),
            Definition::Function(function) => self.canonical(scope, function),
            Definition::Start(function) => {
                let function = self.item(scope, Kind::Func, *function);
                if let Item::Function(Some(node)) = function {
                    self.entries.push((Entry::Start(None), node));
                }
            }
            Definition::Import {
                name,
                full_name,
                ty,
            } => {
                let item = if is_outermost {
                    self.imports.push(full_name);
                    self.imported(*ty)
                } else {
                    let given = frame.arguments.get(name);
                    given.copied().unwrap_or(Item::Nothing)
                };
                self.push(scope, ty.kind(), item);
            }
            Definition::Export { name, kind, index } => {
                let item = self.item(scope, *kind, *index);
                frame.exports.insert(name, item);
                self.push(scope, *kind, item);
            }
        }
        Ok(None)
    }

    /// The node of an imported function.
    fn target(&mut self, import: usize, function: Option<&str>) -> Option<Node> {
        let target = Target {
            import: (*self.imports.get(import)?).to_owned(),
            function: function.map(str::to_owned),
        };
        Some(self.add_target(target))
    }

    fn add_target(&mut self, target: Target) -> Node {
        let graph = &mut self.graph;
        let known = self.targets.entry(target);
        *known.or_insert_with(|| graph.add(Place::Import))
    }

    fn add_instance(&mut self, instance: Instance<'a>) -> usize {
        self.instances.push(instance);
        self.instances.len() - 1
    }

    /// A scope that was opened; every index of one is.
    fn scope(&mut self, index: usize) -> &mut Scope<'a> {
        if index >= self.scopes.len() {
            self.scopes.resize_with(index + 1, Scope::default);
        }
        #[expect(clippy::indexing_slicing, reason = "it was made if it was not there")]
        &mut self.scopes[index]
    }

    /// Counts what linking does, since a small file can instantiate much.
    fn spend(&mut self, work: usize) -> Result<(), OriginError> {
        self.work = self.work.saturating_add(work);
        if self.work > limits::LINKING_WORK {
            return Err(OriginError::TooMuchToLink);
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Export(name) => write!(out, "{name}"),
            Self::Start(Some(module)) => write!(out, "start of the core module `{module}`"),
            Self::Start(None) => write!(out, "start"),
            Self::Reference => write!(out, "a reference that a host can get"),
            Self::Destructor => write!(out, "destructor of a resource"),
            Self::Given(name) => write!(out, "`{name}`, given to an imported component"),
        }
    }
}
