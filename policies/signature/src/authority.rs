//! Whose signatures count: a key, or somebody whom a certificate names.

#[cfg(feature = "keyless")]
use crate::certified_identity::CertifiedIdentity;
use crate::public_key::PublicKey;

/// What a signature is checked with.
#[derive(Clone, Debug)]
pub enum Authority {
    /// A public key.
    Key(PublicKey),
    /// An identity for which a trusted root's authority gave a certificate.
    #[cfg(feature = "keyless")]
    Identity(CertifiedIdentity),
}

impl Authority {
    /// A name for people and logs, and another one for each other authority: a digest of the
    /// key, or of issuer, identity and trusted root.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Key(key) => key.fingerprint(),
            #[cfg(feature = "keyless")]
            Self::Identity(identity) => identity.fingerprint(),
        }
    }

    /// True when one signature can be by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Key(one), Self::Key(other)) => one == other,
            #[cfg(feature = "keyless")]
            (Self::Identity(one), Self::Identity(other)) => one.overlaps(other),
            #[cfg(feature = "keyless")]
            (Self::Key(_), Self::Identity(_)) | (Self::Identity(_), Self::Key(_)) => false,
        }
    }
}

impl From<PublicKey> for Authority {
    fn from(key: PublicKey) -> Self {
        Self::Key(key)
    }
}
