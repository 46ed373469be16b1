//! Signers: whom rules can ask for signatures and attestations.

use jiff::civil::Date;

use crate::finding::Place;

/// A signer that rules can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Its name in this policy.
    pub name: String,
    /// What its signatures are checked with.
    pub trust: Trust,
    /// The first day on which it is believed, in UTC.
    pub not_before: Option<Date>,
    /// The last day on which it is believed, in UTC. A signature has no time that can be
    /// trusted, so one that was made before that day is not believed after it either.
    pub not_after: Option<Date>,
    /// Where the policy names it.
    pub place: Place,
}

/// What the signatures of a signer are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The path of its public key, relative to the policy file, or the key itself as PEM.
    Key(String),
    /// Who a certificate must be for.
    Identity {
        /// The issuer of the token that the certificate was given for.
        issuer: String,
        /// The identity in it; `*` stands for anything but `/`, `**` for anything.
        identity: String,
        /// The path of the roots that certificates must come from, relative to the policy
        /// file.
        trusted_root: String,
    },
}

impl Signer {
    /// Whether it is believed on this day.
    pub fn is_believed(&self, today: Date) -> bool {
        self.not_before.is_none_or(|first| first <= today)
            && self.not_after.is_none_or(|last| today <= last)
    }
}
