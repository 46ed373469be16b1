//! Addresses of functions in data and in code: who keeps a pointer to whom.
//!
//! A call through a table may have any target of its type, and of those the shortest way
//! would be taken, which is often one that no program goes. What the linker knew and did not
//! write down is guessed here: a number in the code that is the address of a table of methods,
//! and a number in such a table that is a slot. Guesses choose among ways that are possible;
//! they make none.

use wasmparser::{Data, DataKind};

use super::address::Named;

/// How many functions must seem to name a slot, that it is one less likely: most of them only
/// name a number.
const NAMED_BY: u32 = 8;

/// The data of a module and the addresses of what lies in it.
#[derive(Default)]
pub(super) struct Memory<'a> {
    segments: Vec<(u32, &'a [u8])>,
    /// Where something begins: each address that code or data name.
    beginnings: Vec<u32>,
    /// By how many functions each slot seems to be named.
    named: Vec<u32>,
}

/// What a number in code or data may be the address of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointee {
    /// Something in memory, by its index.
    Object(usize),
    /// The function in this slot of the table.
    Slot(u32),
}

impl<'a> Memory<'a> {
    /// Takes a segment whose place is known.
    pub(super) fn take(&mut self, data: &Data<'a>, from: u64) {
        if let DataKind::Active {
            memory_index: 0, ..
        } = data.kind
            && let Ok(from) = u32::try_from(from)
        {
            self.segments.push((from, data.data));
        }
    }

    /// Finds where things begin, and which slots seem to be named how often.
    pub(super) fn finish(&mut self, code: &mut Named, slots: u32) {
        self.segments.sort_unstable_by_key(|(from, _)| *from);
        code.settle(|number| self.is_address(number));
        let numbers = code.certain().iter().chain(code.likely()).copied();
        let mut beginnings: Vec<u32> = numbers.filter(|number| self.is_address(*number)).collect();
        for (from, bytes) in &self.segments {
            let words = words(*from, bytes).filter(|word| self.is_address(*word));
            beginnings.extend(words);
        }
        beginnings.sort_unstable();
        beginnings.dedup();
        self.beginnings = beginnings;
        self.named = vec![0; slots as usize];
        for number in code.likely() {
            if let Some(count) = self.named.get_mut(*number as usize) {
                *count += 1;
            }
        }
    }

    /// What a number in code may be the address of.
    pub(super) fn pointee(&self, number: u32) -> Option<Pointee> {
        if (number as usize) < self.named.len() {
            return Some(Pointee::Slot(number));
        }
        let object = self.beginnings.binary_search(&number).ok()?;
        Some(Pointee::Object(object))
    }

    /// How much speaks against a number being a slot.
    pub(super) fn doubt(&self, slot: u32) -> u32 {
        let named = self.named.get(slot as usize);
        named.copied().unwrap_or_default() / NAMED_BY
    }

    /// What lies in an object: the slots of a table of methods, and other objects.
    pub(super) fn content(&self, object: usize) -> Vec<Pointee> {
        let words = self.words_of(object);
        // The table of a trait's methods begins with the function that drops, a size and an
        // alignment, and neither of these is a slot.
        let is_of_trait = matches!(
            words.as_slice(),
            [_, size, align, ..] if align.is_power_of_two() && size.is_multiple_of(*align)
        );
        let mut found = Vec::new();
        let mut is_table = true;
        for (index, word) in words.into_iter().enumerate() {
            if is_of_trait && (index == 1 || index == 2) {
                continue;
            }
            if let Ok(other) = self.beginnings.binary_search(&word) {
                found.push(Pointee::Object(other));
                is_table = false;
            }
            // Numbers after something else than a slot are lengths, lines and columns.
            is_table &= (word as usize) < self.named.len();
            if is_table && word != 0 {
                found.push(Pointee::Slot(word));
            }
        }
        found
    }

    /// The words from an address to the next that something names.
    fn words_of(&self, object: usize) -> Vec<u32> {
        let Some(begin) = self.beginnings.get(object).copied() else {
            return Vec::new();
        };
        let Some((from, bytes)) = self.segment(begin) else {
            return Vec::new();
        };
        let end = self.beginnings.get(object + 1).copied();
        let offset = |address: u32| address.saturating_sub(from) as usize;
        let end = end.map_or(bytes.len(), |end| offset(end).min(bytes.len()));
        let bytes = bytes.get(offset(begin)..end).unwrap_or_default();
        words(begin, bytes).collect()
    }

    fn is_address(&self, number: u32) -> bool {
        self.segment(number).is_some()
    }

    /// The segment in which an address lies, and where it begins.
    fn segment(&self, address: u32) -> Option<(u32, &'a [u8])> {
        let after = self.segments.partition_point(|(from, _)| *from <= address);
        let (from, bytes) = self.segments.get(after.checked_sub(1)?).copied()?;
        ((address - from) as usize)
            .lt(&bytes.len())
            .then_some((from, bytes))
    }
}

/// The aligned words of what lies at an address.
fn words(address: u32, bytes: &[u8]) -> impl Iterator<Item = u32> {
    let skipped = (address.wrapping_neg() % 4) as usize;
    let aligned = bytes.get(skipped..).unwrap_or_default();
    let (words, _) = aligned.as_chunks::<4>();
    words.iter().map(|word| u32::from_le_bytes(*word))
}
