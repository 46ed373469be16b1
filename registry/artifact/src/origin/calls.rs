//! Whom the functions of a core module call.

use wasmparser::{BinaryReaderError, FunctionBody, Operator};

use super::address::{Addresses, Named};

/// A way from a function to others. All indices are those of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    /// This function.
    Direct(u32),
    /// What lies in this slot of a table, called as this type.
    Slot { table: u32, slot: u64, ty: u32 },
    /// Anything of this type that lies in a table.
    Indirect { table: u32, ty: u32 },
    /// Anything of this type that somebody took a reference of.
    Reference { ty: u32 },
}

/// What all bodies of a module say.
#[derive(Default)]
pub(super) struct Calls {
    all: Vec<Call>,
    /// Where the calls of each function end in `all`.
    ends: Vec<usize>,
    /// The addresses that bodies name.
    pub(super) addresses: Named,
    /// True for functions that do nothing but pass on their arguments.
    passes_on: Vec<bool>,
    /// Functions of which some body takes a reference.
    pub(super) taken: Vec<u32>,
    /// Element segments that some body copies, and the tables they go to.
    pub(super) copied: Vec<(u32, u32)>,
    /// Tables that some body writes to.
    pub(super) written: Vec<u32>,
}

impl Calls {
    /// Reads the next body.
    ///
    /// Numbers below `slots` may be slots of a table; `global` gives what globals hold.
    pub(super) fn read(
        &mut self,
        body: &FunctionBody<'_>,
        slots: u32,
        global: impl Fn(u32) -> Option<u64>,
    ) -> Result<(), BinaryReaderError> {
        let mut found = Vec::new();
        let mut addresses = Addresses::default();
        let mut last = None;
        let mut passes_on = true;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            if let Some(call) = call(&operator, last) {
                found.push(call);
            } else {
                self.note(&operator);
            }
            passes_on &= is_passing_on(&operator, last);
            addresses.take(&operator, last, slots, &global);
            last = constant(&operator);
        }
        self.addresses.push(addresses);
        found.sort_unstable();
        found.dedup();
        passes_on &= found.len() == 1;
        self.all.extend(found);
        self.ends.push(self.all.len());
        self.passes_on.push(passes_on);
        Ok(())
    }

    /// The calls of the `index`th body.
    pub(super) fn of(&self, index: usize) -> &[Call] {
        part(&self.all, &self.ends, index)
    }

    /// True when the `index`th body only calls on through a slot, as the shim between two
    /// core modules does that wit-component makes.
    pub(super) fn passes_on(&self, index: usize) -> bool {
        self.passes_on.get(index).copied().unwrap_or_default()
    }

    /// Makes lists of what may have been met many times into sets.
    pub(super) fn finish(&mut self) {
        for list in [&mut self.taken, &mut self.written] {
            list.sort_unstable();
            list.dedup();
        }
        self.copied.sort_unstable();
        self.copied.dedup();
    }

    fn note(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::RefFunc { function_index } => self.taken.push(function_index),
            Operator::TableInit { elem_index, table } => self.copied.push((elem_index, table)),
            Operator::TableSet { table }
            | Operator::TableGrow { table }
            | Operator::TableFill { table } => self.written.push(table),
            Operator::TableCopy { dst_table, .. } => self.written.push(dst_table),
            _ => {}
        }
    }
}

/// `last` is the number that the operator before has pushed. With nothing between the two,
/// no jump can arrive there, so it is the slot that is called.
fn call(operator: &Operator<'_>, last: Option<u64>) -> Option<Call> {
    Some(match *operator {
        Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
            Call::Direct(function_index)
        }
        Operator::CallIndirect {
            type_index: ty,
            table_index: table,
        }
        | Operator::ReturnCallIndirect {
            type_index: ty,
            table_index: table,
        } => match last {
            Some(slot) => Call::Slot { table, slot, ty },
            None => Call::Indirect { table, ty },
        },
        Operator::CallRef { type_index: ty } | Operator::ReturnCallRef { type_index: ty } => {
            Call::Reference { ty }
        }
        _ => return None,
    })
}

fn is_passing_on(operator: &Operator<'_>, last: Option<u64>) -> bool {
    match operator {
        Operator::LocalGet { .. } | Operator::End => true,
        Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. } => last.is_some(),
        other => constant(other).is_some(),
    }
}

fn constant(operator: &Operator<'_>) -> Option<u64> {
    match *operator {
        Operator::I32Const { value } => Some(u64::from(value.cast_unsigned())),
        Operator::I64Const { value } => Some(value.cast_unsigned()),
        _ => None,
    }
}

/// What belongs to the `index`th body.
pub(super) fn part<'v, T>(all: &'v [T], ends: &[usize], index: usize) -> &'v [T] {
    let before = index.checked_sub(1).and_then(|last| ends.get(last));
    let begin = before.copied().unwrap_or_default();
    let end = ends.get(index).copied().unwrap_or(begin);
    all.get(begin..end).unwrap_or_default()
}
