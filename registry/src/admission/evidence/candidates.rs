//! Which referrers are read for signatures when there are more than are ever read.

use wasmport_artifact::{Descriptor, Digest};
use wasmport_signature::claimed_predicate;

use super::reading::ITEMS;

/// The largest manifest of a bundle that is taken for an ordinary one, in bytes. They have
/// about one thousand.
const ORDINARY_BYTES: u64 = 16 * 1024;

/// Referrers that say that they are evidence, the likely ones kept.
#[derive(Debug)]
pub(super) struct Candidates<'a> {
    /// The predicate types that the policy asks for.
    wanted: Vec<&'a str>,
    kept: Vec<(Likely, Digest)>,
    left_out: usize,
}

/// What is less is the more likely to be asked for. All of it is what somebody claims, and only
/// says what to read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likely {
    is_of_another_type: bool,
    says_nothing: bool,
    is_large: bool,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(wanted: Vec<&'a str>) -> Self {
        Self {
            wanted,
            kept: Vec::new(),
            left_out: 0,
        }
    }

    pub(super) fn add(&mut self, referrer: Descriptor) {
        let claimed = claimed_predicate(&referrer.annotations);
        let likely = Likely {
            is_of_another_type: claimed.is_some_and(|it| !self.wanted.contains(&it)),
            says_nothing: claimed.is_none(),
            is_large: referrer.size > ORDINARY_BYTES,
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
}
