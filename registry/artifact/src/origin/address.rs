//! Numbers in code that are the address of something in memory, or a slot of a table.

use wasmparser::Operator;

use super::calls::part;

/// Below this address nothing lies that a compiler names.
const LOWEST: u64 = 1024;

/// The addresses that one body names.
#[derive(Default)]
pub(super) struct Addresses {
    certain: Vec<u32>,
    likely: Vec<u32>,
    /// What the global holds that the operator before has read.
    base: Option<u64>,
    /// The same, with a number after it that is still to be added.
    sum: Option<u64>,
}

/// The addresses that all bodies name.
#[derive(Default)]
pub(super) struct Named {
    certain: Vec<u32>,
    certain_ends: Vec<usize>,
    likely: Vec<u32>,
    likely_ends: Vec<usize>,
    /// True when what is only likely is left out.
    is_certain: bool,
}

impl Addresses {
    /// Takes an operator; `last` is the number that the one before has pushed.
    ///
    /// Rust's compiler adds the place of table and memory, which the linker keeps in globals,
    /// to each address. Where an optimizer has worked that out, a number that is stored or
    /// passed on may be one.
    pub(super) fn take(
        &mut self,
        operator: &Operator<'_>,
        last: Option<u64>,
        slots: u32,
        global: impl Fn(u32) -> Option<u64>,
    ) {
        let (mut base, mut sum) = (None, None);
        match *operator {
            Operator::GlobalGet { global_index } => base = global(global_index),
            Operator::I32Const { value } => {
                let number = u64::from(value.cast_unsigned());
                sum = self.base.map(|base| base.wrapping_add(number));
            }
            Operator::I32Add => self.certain.extend(self.sum.and_then(address(slots))),
            Operator::I32Store { memarg } | Operator::I32Load { memarg } => {
                let offset = Some(memarg.offset).filter(|offset| *offset >= LOWEST);
                let is_store = matches!(operator, Operator::I32Store { .. });
                let stored = last.filter(|_| is_store);
                let both = offset.into_iter().chain(stored);
                self.likely.extend(both.filter_map(address(slots)));
            }
            Operator::Call { .. } | Operator::LocalSet { .. } | Operator::LocalTee { .. } => {
                self.likely.extend(last.and_then(address(slots)));
            }
            // An address that is not the last argument of a call.
            Operator::LocalGet { .. } => {
                let far = last.filter(|number| *number >= LOWEST);
                self.likely.extend(far.and_then(address(slots)));
            }
            _ => {}
        }
        (self.base, self.sum) = (base, sum);
    }
}

impl Named {
    /// Adds those of the next body.
    pub(super) fn push(&mut self, mut addresses: Addresses) {
        for list in [&mut addresses.certain, &mut addresses.likely] {
            list.sort_unstable();
            list.dedup();
        }
        self.certain.extend(addresses.certain);
        self.certain_ends.push(self.certain.len());
        self.likely.extend(addresses.likely);
        self.likely_ends.push(self.likely.len());
    }

    /// Leaves out what is only likely, when hardly any of it is an address of memory: then
    /// the code gives addresses in the certain form.
    pub(super) fn settle(&mut self, is_address: impl Fn(u32) -> bool) {
        let count = |list: &[u32]| list.iter().filter(|number| is_address(**number)).count();
        self.is_certain = count(&self.likely) < count(&self.certain);
    }

    /// Those of the `index`th body.
    pub(super) fn of(&self, index: usize) -> impl Iterator<Item = u32> {
        let certain = part(&self.certain, &self.certain_ends, index);
        let likely = part(&self.likely, &self.likely_ends, index);
        let likely = likely.iter().filter(|_| !self.is_certain);
        certain.iter().chain(likely).copied()
    }

    /// Those of all bodies that are certain.
    pub(super) fn certain(&self) -> &[u32] {
        &self.certain
    }

    /// Those of all bodies that are likely, of each body once.
    pub(super) fn likely(&self) -> &[u32] {
        if self.is_certain { &[] } else { &self.likely }
    }
}

fn address(slots: u32) -> impl Fn(u64) -> Option<u32> {
    move |number| {
        let is_address = number != 0 && (number < u64::from(slots) || number >= LOWEST);
        u32::try_from(number).ok().filter(|_| is_address)
    }
}
