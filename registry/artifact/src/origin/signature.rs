//! Types of functions, the same number for the same type in every module.

use std::collections::HashMap;

use wasmparser::{CompositeInnerType, FuncType, RecGroup, SubType, ValType};

/// A type of functions that can be compared across modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Signature(u32);

/// All types that were met.
#[derive(Default)]
pub(super) struct Signatures {
    known: HashMap<FuncType, Signature>,
}

impl Signatures {
    /// The types of a group. `None` stands for what is not compared: types with subtypes,
    /// types of one group, and types that name others. It matches everything.
    pub(super) fn of(&mut self, group: RecGroup) -> Vec<Option<Signature>> {
        let is_plain = !group.is_explicit_rec_group();
        let types = group.into_types();
        types
            .map(|defined| plain(defined).filter(|_| is_plain))
            .map(|plain| plain.map(|function| self.number(function)))
            .collect()
    }

    fn number(&mut self, function: FuncType) -> Signature {
        let next = Signature(u32::try_from(self.known.len()).unwrap_or(u32::MAX));
        *self.known.entry(function).or_insert(next)
    }
}

fn plain(defined: SubType) -> Option<FuncType> {
    if !defined.is_final || !defined.supertype_idxs.is_empty() {
        return None;
    }
    let CompositeInnerType::Func(function) = defined.composite_type.inner else {
        return None;
    };
    let mut values = function.params().iter().chain(function.results());
    let names_another = values
        .any(|value| matches!(value, ValType::Ref(reference) if reference.type_index().is_some()));
    (!names_another).then_some(function)
}
