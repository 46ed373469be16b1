//! Who somebody is, once they have shown it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Identity {
    /// They did not say.
    Anonymous,
    /// A user of the htpasswd file.
    User { name: String },
    /// A robot. Its number tells it from a later one of the same name.
    Robot { name: String, id: String },
    /// A workload, and those of its claims that rules ask for.
    Oidc {
        issuer: String,
        name: String,
        claims: BTreeMap<String, String>,
    },
    /// The owner of a client certificate that has a name here.
    Cert { name: String },
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("anonymous"),
            Self::User { name } => write!(formatter, "user:{name}"),
            Self::Robot { name, .. } => write!(formatter, "robot:{name}"),
            Self::Oidc { issuer, name, .. } => write!(formatter, "oidc:{issuer}:{name}"),
            Self::Cert { name } => write!(formatter, "cert:{name}"),
        }
    }
}
