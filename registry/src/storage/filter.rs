//! A set of digests in a fixed amount of memory, which may say yes too often and never says
//! no wrongly. What it says yes to is kept, so that an error costs space and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};

use wasmport_artifact::Digest;

/// How many bits are set for one digest. With eight times as many bits as digests, one in
/// forty of those that were not inserted is found all the same.
const BITS: u64 = 4;

/// The set (a Bloom filter). Inserting needs no lock.
#[derive(Debug)]
pub(crate) struct DigestFilter {
    words: Box<[AtomicU64]>,
    salt: u64,
}

impl DigestFilter {
    /// An empty set of `bytes` bytes. Two with another salt err about other digests.
    pub(crate) fn new(bytes: usize, salt: u64) -> Self {
        let words = (0..(bytes / 8).max(1)).map(|_| AtomicU64::new(0));
        Self {
            words: words.collect(),
            salt,
        }
    }

    pub(crate) fn insert(&self, digest: &Digest) {
        for (word, mask) in self.places(digest) {
            word.fetch_or(mask, Ordering::SeqCst);
        }
    }

    /// True for everything that was inserted, and for a little more.
    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.places(digest)
            .all(|(word, mask)| word.load(Ordering::SeqCst) & mask != 0)
    }

    pub(crate) fn clear(&self) {
        for word in &self.words {
            word.store(0, Ordering::SeqCst);
        }
    }

    fn places(&self, digest: &Digest) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let (first, second) = numbers(digest);
        let (first, second) = (mix(first ^ self.salt), mix(second ^ self.salt) | 1);
        let size = self.words.len() as u64 * 64;
        (0..BITS).filter_map(move |round| {
            let bit = first.wrapping_add(second.wrapping_mul(round)) % size;
            let word = self.words.get(usize::try_from(bit / 64).ok()?)?;
            Some((word, 1 << (bit % 64)))
        })
    }
}

/// Two numbers out of a digest, which is as good as random already.
pub(super) fn numbers(digest: &Digest) -> (u64, u64) {
    let hex = digest.hex();
    let part = |range| {
        let text = hex.get(range).unwrap_or_default();
        u64::from_str_radix(text, 16).unwrap_or_default()
    };
    (part(0..16), part(16..32))
}

/// Spreads a changed salt over all bits (the finaliser of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        let filter = DigestFilter::new(8 * 1024, 7);
        let digest = |number: u32| Digest::of(&number.to_le_bytes());
        for number in 0..8_192 {
            filter.insert(&digest(number));
        }
        assert!((0..8_192).all(|number| filter.contains(&digest(number))));
        let wrong = (8_192..16_384).filter(|number| filter.contains(&digest(*number)));
        assert!(wrong.count() < 8_192 / 20);
        filter.clear();
        assert!((0..8_192).all(|number| !filter.contains(&digest(number))));
    }
}
