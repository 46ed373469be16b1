//! What an import asks for: the capabilities, and the functions that ask for them.

use std::collections::{BTreeSet, HashSet};

use wasmport_artifact::{Import, Inspection, InterfaceName, ItemKind};

use crate::catalogue::{Alike, CUSTOM, Catalogue, Split, Whole};

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
    /// What an import looks like that the catalogue does not know: `deny` goes by it too.
    pub(crate) alike: BTreeSet<&'static str>,
    /// True when the import is known, and these functions of it are not.
    pub(crate) is_unlisted: bool,
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

    /// What an import looks like that is not known under this name. The functions and labels of
    /// a world are its own.
    fn alike(&self, import: &Import) -> Alike<'static> {
        match (self, import.kind) {
            // Most are known, which is told much faster.
            (Self::Interface(name), ItemKind::Instance | ItemKind::Core)
                if Catalogue::get().of_interface(name).is_some() =>
            {
                Alike::default()
            }
            (Self::Name(name), ItemKind::Core) => Catalogue::get().alike(name),
            (Self::Name(name), _) if name.contains('/') => Catalogue::get().alike(name),
            (Self::Interface(name), _) => Catalogue::get().alike(&name.unversioned()),
            (Self::Name(_), _) => Alike::default(),
        }
    }

    /// What `import` asks for under this name, in a program that opens what `opened` says.
    /// Never empty.
    pub(crate) fn needs(&self, import: &Import, opened: &Opened) -> Vec<Need> {
        if let (Self::Interface(name), ItemKind::Instance | ItemKind::Core) = (self, import.kind)
            && let Some(whole) = Catalogue::get().of_interface(name)
        {
            return of_whole(whole, import);
        }
        if let Some(split) = self.split(import) {
            return of_split(split, import, opened.has(split));
        }
        let alike = self.alike(import);
        let can_open = alike.split.is_some_and(|split| opened.has(split));
        vec![Need {
            alike: alike.capabilities(&import.functions, !import.opaque, can_open),
            ..Need::custom(import)
        }]
    }
}

/// What an import asks for whose functions all ask for the same.
fn of_whole(whole: Whole<'static>, import: &Import) -> Vec<Need> {
    let capability = whole.capability.name.as_str();
    let unknown = unlisted(import, |function| whole.has(function), [capability]);
    let functions = if unknown.is_none() {
        import.functions.clone()
    } else {
        let functions = import.functions.iter();
        let known = functions.filter(|function| whole.has(function));
        known.cloned().collect()
    };
    let known = Need::new(capability, functions);
    [known].into_iter().chain(unknown).collect()
}

/// What an import asks for that is judged by its functions.
fn of_split(split: &'static Split, import: &Import, can_open: bool) -> Vec<Need> {
    let needs = split.needs(&import.functions, !import.opaque, can_open);
    let needs = needs.into_iter();
    let needs = needs.map(|(capability, functions)| Need::new(capability, functions));
    let mut needs = with_included(&needs.collect::<Vec<_>>());
    let is_listed = |function: &str| split.has(function);
    needs.extend(unlisted(import, is_listed, split.everything()));
    needs
}

/// What an import of a known name asks for by functions that are not listed, or may: nobody has
/// described these. They are denied with all that the others of the import ask for.
fn unlisted(
    import: &Import,
    is_listed: impl Fn(&str) -> bool,
    alike: impl IntoIterator<Item = &'static str>,
) -> Option<Need> {
    let functions = import.functions.iter();
    let mut functions = functions.filter(|function| !is_listed(function));
    let first = functions.next();
    // Most imports have none.
    if first.is_none() && !import.opaque {
        return None;
    }
    let functions = first.into_iter().chain(functions);
    Some(Need {
        alike: alike.into_iter().collect(),
        is_unlisted: true,
        ..Need::new(CUSTOM, functions.cloned().collect())
    })
}

impl Opened {
    /// Looks through all imports of an artifact, those of code that it exports too: what one
    /// piece of code opens it can hand to another.
    pub(crate) fn of(inspection: &Inspection) -> Self {
        Self::by(groups(inspection).into_iter().flatten())
    }

    /// Looks through imports.
    pub(crate) fn by<'a>(imports: impl IntoIterator<Item = &'a Import>) -> Self {
        let mut splits: Vec<&'static Split> = Vec::new();
        for import in imports {
            for name in Identity::all_of(import) {
                let Some(split) = name.split(import).or_else(|| name.alike(import).split) else {
                    continue;
                };
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
        Self::new(CUSTOM, import.functions.clone())
    }

    fn new(capability: &'static str, functions: Vec<String>) -> Self {
        Self {
            capability,
            functions,
            alike: BTreeSet::new(),
            is_unlisted: false,
        }
    }
}

/// What each piece of code in an artifact asks for, where that differs: one that is exported a
/// hundred times is judged once.
pub(crate) fn groups(inspection: &Inspection) -> Vec<&[Import]> {
    if inspection.exports.iter().all(|it| it.imports.is_empty()) {
        return vec![&inspection.imports];
    }
    let mut known = HashSet::new();
    let groups = inspection.import_groups();
    groups.filter(|imports| known.insert(*imports)).collect()
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
