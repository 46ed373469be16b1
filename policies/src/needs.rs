//! What an import asks for: the capabilities, and the functions that ask for them.

use std::collections::BTreeSet;

use wasmport_artifact::{Import, InterfaceName, ItemKind};

use crate::catalogue::{CUSTOM, Catalogue, Split};

/// The name that an import goes by in policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// An interface, `wasi:http/types@0.2.6`.
    Interface(InterfaceName),
    /// Anything else: a function of a world, a label, a module name of a core module.
    Name(String),
}

/// One capability that an import asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) capability: &'static str,
    /// The functions that ask for it, as they are imported.
    pub(crate) functions: Vec<String>,
}

/// The entries of the catalogue of which a program imports what opens something, under
/// whatever version: a descriptor that one version opened can be handed to the functions of
/// another.
#[derive(Clone, Debug)]
pub(crate) struct Opened(Vec<&'static Split>);

impl Identity {
    /// The names of `import`. There are two when it has a label that reads like an
    /// interface and says that it implements another: hosts may go by either.
    pub(crate) fn all_of(import: &Import) -> Vec<Self> {
        let Some(implements) = &import.implements else {
            return vec![Self::of(&import.name)];
        };
        let label = Self::of(&import.name);
        let label = matches!(label, Self::Interface(_)).then_some(label);
        [Self::of(implements)].into_iter().chain(label).collect()
    }

    /// The name as an interface's, where it is one.
    pub(crate) fn of(name: &str) -> Self {
        name.parse()
            .map_or_else(|_| Self::Name(name.to_owned()), Self::Interface)
    }

    /// The entry by whose functions `import` is judged under this name, if there is one.
    fn split(&self, import: &Import) -> Option<&'static Split> {
        match (self, import.kind) {
            (Self::Interface(name), ItemKind::Instance | ItemKind::Core) => {
                Catalogue::get().split_interface(name)
            }
            (Self::Name(name), ItemKind::Core) => Catalogue::get().split_module(name),
            _ => None,
        }
    }

    /// What `import` asks for under this name, in a program that opens what `opened` says.
    /// Never empty.
    pub(crate) fn needs(&self, import: &Import, opened: &Opened) -> Vec<Need> {
        if let (Self::Interface(name), ItemKind::Instance | ItemKind::Core) = (self, import.kind)
            && let Some(capability) = Catalogue::get().of_interface(name)
        {
            return vec![Need::new(&capability.name, &import.functions)];
        }
        let Some(split) = self.split(import) else {
            return vec![Need::new(CUSTOM, &import.functions)];
        };
        let needs = split.needs(&import.functions, !import.opaque, opened.has(split));
        let needs = needs.into_iter().map(|(capability, functions)| Need {
            capability,
            functions,
        });
        with_included(&needs.collect::<Vec<_>>())
    }
}

impl Opened {
    /// Looks through all imports of a program, once.
    pub(crate) fn by(imports: &[Import]) -> Self {
        let mut splits: Vec<&'static Split> = Vec::new();
        for import in imports {
            for split in Identity::all_of(import)
                .iter()
                .filter_map(|name| name.split(import))
            {
                let opens = import.opaque || split.opens(&import.functions);
                if opens && !splits.iter().any(|known| std::ptr::eq(*known, split)) {
                    splits.push(split);
                }
            }
        }
        Self(splits)
    }

    fn has(&self, split: &Split) -> bool {
        self.0.iter().any(|known| std::ptr::eq(*known, split))
    }
}

impl Need {
    /// What the catalogue says nothing about.
    pub(crate) fn custom(import: &Import) -> Self {
        Self::new(CUSTOM, &import.functions)
    }

    fn new(capability: &'static str, functions: &[String]) -> Self {
        Self {
            capability,
            functions: functions.to_vec(),
        }
    }
}

/// Joins what comes with other needs to these: who reads files sees directories too. The
/// functions that no other need has stay, so that a list of functions is held against them.
fn with_included(needs: &[Need]) -> Vec<Need> {
    let catalogue = Catalogue::get();
    let includes = |whole: &Need, part: &Need| {
        let capability = catalogue.capability(whole.capability);
        capability.is_some_and(|it| it.includes.iter().any(|name| name == part.capability))
    };
    let is_included = |need: &Need| needs.iter().any(|whole| includes(whole, need));
    let (parts, mut own): (Vec<Need>, Vec<Need>) = needs.iter().cloned().partition(is_included);
    let known: BTreeSet<String> = own.iter().flat_map(|need| need.functions.clone()).collect();
    for need in &mut own {
        for part in &parts {
            if includes(need, part) {
                let more = part.functions.iter();
                let more = more.filter(|function| !known.contains(*function));
                need.functions.extend(more.cloned());
            }
        }
    }
    own
}
