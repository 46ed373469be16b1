//! Which referrers are read for signatures when there are more than are ever read.

use std::collections::BTreeSet;

use wasmport_artifact::{Descriptor, Digest};
use wasmport_signature::claimed_predicate;

use super::reading::ITEMS;

/// The largest manifest of a bundle that is taken for an ordinary one, in bytes. They have
/// about one thousand.
const ORDINARY_BYTES: u64 = 16 * 1024;

/// Up to so many, each of ordinary size, are read whatever their order is.
const FEW: usize = 8;

/// Referrers that say that they are evidence, the likely ones kept.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    /// The predicate types that the policy asks for.
    wanted: Vec<&'a str>,
    /// Those in which something was signed when they came in.
    proofs: Option<BTreeSet<Digest>>,
    kept: Vec<(Likely, Digest)>,
    left_out: usize,
}

/// What is less is the more likely to be asked for. It only says what to read first: the type is
/// what somebody claims, and a proof of then is verified as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likely {
    is_unproved: bool,
    is_large: bool,
    claim: Claim,
}

/// What a referrer's annotations say that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Wanted,
    Nothing,
    Other,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(wanted: Vec<&'a str>) -> Self {
        Self {
            wanted,
            proofs: None,
            kept: Vec::new(),
            left_out: 0,
        }
    }

    /// Whether there are still few with `more` of them, so that their order does not matter.
    pub(super) fn are_few(&self, more: usize) -> bool {
        self.kept.len() + self.left_out + more <= FEW
    }

    /// Puts those first in which something was signed when they came in.
    pub(super) fn prefer(&mut self, proofs: BTreeSet<Digest>) {
        for (likely, digest) in &mut self.kept {
            likely.is_unproved = !proofs.contains(digest);
        }
        self.proofs = Some(proofs);
    }

    pub(super) fn knows_proofs(&self) -> bool {
        self.proofs.is_some()
    }

    pub(super) fn add(&mut self, referrer: Descriptor) {
        let likely = Likely {
            is_unproved: !self
                .proofs
                .as_ref()
                .is_some_and(|proofs| proofs.contains(&referrer.digest)),
            is_large: referrer.size > ORDINARY_BYTES,
            claim: match claimed_predicate(&referrer.annotations) {
                Some(predicate) if self.wanted.contains(&predicate) => Claim::Wanted,
                Some(_) => Claim::Other,
                None => Claim::Nothing,
            },
        };
        self.kept.push((likely, referrer.digest));
        // Sorted now and then, so that a list of millions costs little memory.
        if self.kept.len() >= 2 * ITEMS {
            self.cut();
        }
    }

    /// The likely ones, as many as are read, and how many others there are.
    pub(super) fn best(mut self) -> (Vec<Digest>, usize) {
        self.cut();
        let digests = self.kept.into_iter().map(|(_, digest)| digest);
        (digests.collect(), self.left_out)
    }

    fn cut(&mut self) {
        self.kept.sort();
        self.left_out += self.kept.len().saturating_sub(ITEMS);
        self.kept.truncate(ITEMS);
    }
}

#[cfg(test)]
mod tests {
    use wasmport_artifact::media_type;

    use super::*;

    #[test]
    fn what_claims_to_be_wanted_comes_before_thousands_that_do_not() {
        let mut candidates = Candidates::new(vec!["https://wanted.example"]);
        let bundle = |number: u32, claims: &str| {
            let descriptor = Descriptor::of(media_type::IMAGE_MANIFEST, &number.to_le_bytes());
            descriptor.annotated("dev.sigstore.bundle.predicateType", claims)
        };
        for number in 0..3_000 {
            candidates.add(bundle(number, "https://other.example"));
            if number == 1_500 {
                candidates.add(bundle(u32::MAX, "https://wanted.example"));
                let silent = Descriptor::of(media_type::IMAGE_MANIFEST, b"silent");
                candidates.add(silent);
            }
        }
        let (best, left_out) = candidates.best();
        let first = Digest::of(&u32::MAX.to_le_bytes());
        assert_eq!(best.first(), Some(&first));
        assert_eq!(best.get(1), Some(&Digest::of(b"silent")));
        assert_eq!((best.len(), left_out), (ITEMS, 3_002 - ITEMS));
    }

    #[test]
    fn what_was_proved_comes_first_also_when_that_is_known_later() {
        let mut candidates = Candidates::new(Vec::new());
        let bundle =
            |number: u32| Descriptor::of(media_type::IMAGE_MANIFEST, &number.to_le_bytes());
        let [early, late] = [3, 200].map(|number| bundle(number).digest);
        for number in 0..300 {
            if number == 5 {
                assert!(candidates.are_few(3) && !candidates.are_few(4));
                candidates.prefer(BTreeSet::from([early.clone(), late.clone()]));
            }
            candidates.add(bundle(number));
        }
        let (best, _) = candidates.best();
        let first: BTreeSet<_> = best.into_iter().take(2).collect();
        assert_eq!(first, BTreeSet::from([early, late]));
    }
}
