//! Where an import comes from: which functions lead from an export to it.
//!
//! Nothing is run. The component is put together as a runtime would, down to the slots of
//! tables through which wit-component connects core modules, and the calls in the code give
//! a graph. A call through a table may have any target of its type; so what is said to be
//! dead is dead, and what is reached through a table may be.

mod address;
mod calls;
mod data;
mod function_name;
mod graph;
mod link;
mod module;
mod owner;
mod program;
mod search;
mod signature;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use thiserror::Error;

use crate::inspect::{InspectError, inspect};
use crate::inspection::{Import, ItemKind};
use crate::limits;
use graph::{Place, Way};
use link::{Entry, Linked, Target, link};
use owner::Owners;
use program::Program;
use search::{Chain, Search};

/// For every imported function, how the program comes to call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Origins {
    /// True when the functions on the way have names.
    pub named: bool,
    /// The crates that count as the program's own.
    pub own: BTreeSet<String>,
    /// One for each imported function, in the order of the imports.
    pub functions: Vec<Origin>,
}

/// How the program comes to call an imported function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The name of the import.
    pub import: String,
    /// The function in it; none for an import that is a function itself, or names none.
    pub function: Option<String>,
    /// Whether anything leads to it.
    pub reach: Reach,
    /// The export, or what else a host can begin at, from which the chain leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The functions from there to the import.
    pub chain: Vec<Frame>,
    /// How the last of them calls the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Via>,
    /// The index in the chain of the function that a developer would look at: the last one
    /// of the program's own, else the last one of another crate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<usize>,
}

/// Whether a program can come to call an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// By calls that name their target.
    Direct,
    /// Only with a call through a table or a reference, which may have this target.
    Indirect,
    /// Some function could call it, but nothing leads to that function.
    Dead,
    /// It is imported, and no code is given it.
    Unused,
}

/// How one function leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// It is where a host begins.
    Entry,
    /// A call that names it.
    Call,
    /// A call through a pointer that the one before seems to hand out.
    Pointer,
    /// A call through a table or a reference, which may have any target of its type.
    Table,
}

/// A function on the way to an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// How it is reached from the one before.
    pub via: Via,
    /// Its name without mangling, or `function 123` where there is none.
    pub name: String,
    /// The crate that it is from, if it is from one.
    #[serde(rename = "crate", skip_serializing_if = "Option::is_none")]
    pub krate: Option<String>,
    /// Whose it is.
    pub owner: Owner,
    /// The core module that it is in.
    pub module: String,
    /// Its index there.
    pub index: u32,
}

/// Whose a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The program's own.
    Program,
    /// A crate that it depends on.
    Dependency,
    /// Rust's standard library and what is linked with it.
    Standard,
    /// Glue between Rust and WIT.
    Bindings,
    /// No Rust: the C library, an adapter, or a function without a name.
    Other,
}

/// Why the origins of imports could not be found.
#[derive(Debug, Error)]
pub enum OriginError {
    /// The bytes could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// A component that instantiates more than any toolchain makes.
    #[error(
        "the component has more than {} definitions, functions and elements when it is put together",
        limits::LINKING_WORK
    )]
    TooMuchToLink,
    /// Ways to imports that are longer than any that a compiler makes.
    #[error("the ways to all imports have more than {} bytes", limits::NAME_BYTES)]
    TooLong,
}

/// Finds for every imported function of a component or core module how it is reached.
///
/// `own` names crates that count as the program's own; when it is empty, it is the crate
/// after which the core module is named. The bytes are expected to be valid, see
/// [`validate`](crate::validate): of others the answer has no meaning.
pub fn origins(bytes: &[u8], own: &[String]) -> Result<Origins, OriginError> {
    let inspection = inspect(bytes)?;
    let program = Program::read(bytes)?;
    let mut linked = link(&program)?;
    let search = Search::run(&mut linked.graph, &linked.entries);
    let mut tracer = Tracer {
        owners: Owners::new(&program, own),
        program: &program,
        linked,
        search,
        bytes: 0,
    };
    let met = tracer.met();
    let mut functions = Vec::new();
    for import in &inspection.imports {
        if import.kind == ItemKind::Type {
            continue;
        }
        for target in targets(import, met.get(&import.name)) {
            functions.push(tracer.origin(target)?);
        }
    }
    Ok(Origins {
        named: program.modules.iter().any(module::Module::has_names),
        functions,
        own: tracer.owners.own,
    })
}

impl Origin {
    /// The import as it is written in a policy's findings: `interface#function`.
    pub fn name(&self) -> String {
        match &self.function {
            Some(function) => format!("{}#{function}", self.import),
            None => self.import.clone(),
        }
    }

    /// The function that a developer would look at.
    pub fn responsible(&self) -> Option<&Frame> {
        self.chain.get(self.responsible?)
    }
}

/// The functions of an import: those that its type names, and what else is called, such as
/// the drops of its resources.
fn targets(import: &Import, met: Option<&BTreeSet<Option<String>>>) -> Vec<Target> {
    let mut all = met.cloned().unwrap_or_default();
    // Of a core module's import the names of memories and tables are listed too.
    if import.kind != ItemKind::Core {
        all.extend(import.functions.iter().cloned().map(Some));
    }
    if all.is_empty() {
        all.insert(None);
    }
    let targets = all.into_iter().map(|function| Target {
        import: import.name.clone(),
        function,
    });
    targets.collect()
}

/// What is known when chains are written down.
struct Tracer<'p, 'a> {
    program: &'p Program<'a>,
    linked: Linked<'p, 'a>,
    search: Search,
    owners: Owners,
    /// How long what was written down is.
    bytes: usize,
}

impl Tracer<'_, '_> {
    /// The imported functions that some code is given, by the name of the import.
    fn met(&self) -> HashMap<String, BTreeSet<Option<String>>> {
        let mut met: HashMap<_, BTreeSet<_>> = HashMap::new();
        for target in self.linked.targets.keys() {
            let functions = met.entry(target.import.clone()).or_default();
            functions.insert(target.function.clone());
        }
        met
    }

    fn origin(&mut self, target: Target) -> Result<Origin, OriginError> {
        let node = self.linked.targets.get(&target).copied();
        let chain = node.and_then(|node| self.search.chain(&self.linked.graph, node));
        let entry = match &chain {
            Some(chain) => self.linked.entries.get(chain.entry).map(|(entry, _)| entry),
            None => self.linked.passed.get(target.import.as_str()),
        };
        let may_be = matches!(entry, Some(Entry::Reference));
        let entry = entry.map(ToString::to_string);
        let (steps, last) = match chain {
            Some(chain) => self.steps(chain, &target)?,
            None => (Vec::new(), None),
        };
        let is_indirect = |via: Via| matches!(via, Via::Pointer | Via::Table);
        let is_through_table = steps.iter().any(|step| is_indirect(step.via));
        let reach = match (&entry, node) {
            (Some(_), _) if may_be || is_through_table || last.is_some_and(is_indirect) => {
                Reach::Indirect
            }
            (Some(_), _) => Reach::Direct,
            (None, Some(_)) => Reach::Dead,
            (None, None) => Reach::Unused,
        };
        let last_of = |owner: Owner| steps.iter().rposition(|step| step.owner == owner);
        Ok(Origin {
            import: target.import,
            function: target.function,
            reach,
            entry,
            responsible: last_of(Owner::Program).or_else(|| last_of(Owner::Dependency)),
            chain: steps,
            last,
        })
    }

    /// The steps of a chain, and how the last of them calls the target. What only passes a
    /// call on is left out.
    fn steps(
        &mut self,
        chain: Chain,
        target: &Target,
    ) -> Result<(Vec<Frame>, Option<Via>), OriginError> {
        let mut steps: Vec<Frame> = Vec::new();
        let mut way_to = Way::Within;
        for (node, way) in chain.functions {
            way_to = way_to.max(way);
            let Some(Place::Function { instance, function }) = self.linked.graph.place(node) else {
                continue;
            };
            let Some((index, module)) = self.linked.graph.module(instance) else {
                continue;
            };
            if module.passes_on(function) {
                continue;
            }
            let via = match (steps.last(), via(way_to)) {
                (None, Via::Call) => Via::Entry,
                (_, via) => via,
            };
            way_to = Way::Within;
            let owners = &self.owners;
            let step = owners.step(&self.linked, self.program, (index, function), via, target);
            self.bytes += step.name.len() + step.module.len();
            if self.bytes > limits::NAME_BYTES {
                return Err(OriginError::TooLong);
            }
            steps.push(step);
        }
        let last = via(way_to.max(chain.last));
        Ok((steps, Some(last)))
    }
}

fn via(way: Way) -> Via {
    match way {
        Way::Within | Way::Call => Via::Call,
        Way::Pointer => Via::Pointer,
        Way::Indirect => Via::Table,
    }
}

#[cfg(test)]
mod tests;
