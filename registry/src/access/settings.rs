//! `[access]` of `registry.toml`: who may do what, as it is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wasmport_policies::RepositoryPattern;

use super::Action;
use super::subject::Subject;
use crate::settings::{Timespan, patterns, resolve};

/// `[access]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccessSettings {
    /// The registry's name in its tokens and in what it asks for. Default `wasmport`.
    pub service: String,
    /// A file of users with bcrypt hashes, as `htpasswd -B` writes it. Default: no users.
    pub htpasswd: Option<PathBuf>,
    /// How many wrong passwords an address may send within a minute. Default 20.
    pub attempts: u32,
    /// Names of groups, and the users in them. Default: none.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The tokens that the registry issues.
    pub token: TokenSettings,
    /// Who may do what, all together; what no rule allows is refused. Default: none, and
    /// then everyone may do everything.
    #[serde(rename = "rule")]
    pub rules: Vec<RuleSettings>,
    /// Whose identities of workloads are believed. Default: nobody's.
    #[serde(rename = "issuer")]
    pub issuers: Vec<IssuerSettings>,
    /// Names for client certificates. Default: none.
    #[serde(rename = "certificate")]
    pub certificates: Vec<CertificateSettings>,
}

/// `[access.token]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenSettings {
    /// How long a token is valid. Default `5m`.
    pub lifetime: Timespan,
    /// A file with the secret that tokens are signed with, at least 32 bytes; several
    /// registries behind one name need the same. Default: a random one, kept in the store.
    pub key_file: Option<PathBuf>,
}

/// `[[access.rule]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleSettings {
    /// Patterns: `*` stands for anything within one part of a name, `**` for any number of
    /// parts.
    #[serde(with = "patterns")]
    pub repositories: Vec<RepositoryPattern>,
    /// Who: `anonymous`, `authenticated`, `user:NAME`, `group:NAME`, `robot:NAME`,
    /// `oidc:ISSUER` or `cert:NAME`.
    pub who: Vec<Subject>,
    /// What: `pull`, `push`, `delete` or `admin`, which is all of them.
    pub allow: Vec<Action>,
    /// What the claims of an `oidc` identity must be; `*` stands for anything but `/`, `**`
    /// for anything. Default: nothing.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
}

/// `[[access.issuer]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IssuerSettings {
    /// The name that rules know it by, as in `oidc:NAME`.
    pub name: String,
    /// The `iss` of its tokens; unless there is a `jwks-file`, its keys are found from there
    /// (`OpenID` Connect Discovery).
    pub url: String,
    /// The `aud` that a token must have, one of them.
    pub audience: Vec<String>,
    /// A file with its keys, instead of discovery. Default: discovery.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// The claim that the audit log names its identities by. Default `sub`.
    #[serde(default = "sub")]
    pub name_claim: String,
}

/// `[[access.certificate]]`: fits a certificate that has all that is given.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CertificateSettings {
    /// The name that rules know it by, as in `cert:NAME`.
    pub name: String,
    /// The subject, as RFC 4514 writes it: `CN=builder,O=Octo`. Default: any.
    #[serde(default)]
    pub subject: Option<String>,
    /// A subject alternative name: `DNS:build.example`, `URI:spiffe://…` or
    /// `email:me@example`. Default: any.
    #[serde(default)]
    pub san: Option<String>,
}

impl AccessSettings {
    /// Makes the paths relative to `directory` ones that can be opened from here.
    pub(crate) fn resolve(&mut self, directory: &Path) {
        let issuers = self.issuers.iter_mut();
        let files = issuers.filter_map(|issuer| issuer.jwks_file.as_mut());
        let own = [self.htpasswd.as_mut(), self.token.key_file.as_mut()];
        for path in own.into_iter().flatten().chain(files) {
            resolve(path, directory);
        }
    }

    /// Whether there is something that says who may do what.
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            service: "wasmport".to_owned(),
            htpasswd: None,
            attempts: 20,
            groups: BTreeMap::new(),
            token: TokenSettings::default(),
            rules: Vec::new(),
            issuers: Vec::new(),
            certificates: Vec::new(),
        }
    }
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            lifetime: Timespan::minutes(5),
            key_file: None,
        }
    }
}

fn sub() -> String {
    "sub".to_owned()
}
