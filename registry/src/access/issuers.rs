//! Identities of workloads: tokens that others issue (`OpenID` Connect Core, section 3.1.3.7).

use std::collections::{BTreeMap, BTreeSet};

use jsonwebtoken::jwk::{JwkSet, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};
use thiserror::Error;

use super::identity::Identity;
use super::jwks::{Keys, KeysError};
use super::load::{LoadAccessError, read};
use super::settings::IssuerSettings;

/// Only signatures with a pair of keys: with a shared secret, who can check could also issue,
/// and a public key could be taken for the secret ("algorithm confusion").
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// How far the clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// Longest token, in bytes. GitHub's have 2 KiB.
const TOKEN_BYTES: usize = 16 * 1024;

/// An issuer, and its keys.
#[derive(Debug)]
pub(super) struct Issuer {
    settings: IssuerSettings,
    keys: Keys,
}

/// Why a token says nothing.
#[derive(Debug, Error)]
pub(super) enum TokenError {
    #[error("it has {0} bytes, expected at most {TOKEN_BYTES}")]
    TooLong(usize),
    #[error("it is not a token: {0}")]
    Malformed(jsonwebtoken::errors::Error),
    #[error("its algorithm `{0:?}` is not one with a pair of keys")]
    Algorithm(Algorithm),
    #[error("the issuer has no key for it")]
    NoKey,
    #[error("it is not valid: {0}")]
    Invalid(jsonwebtoken::errors::Error),
    #[error("it has no claim `{0}`")]
    NoName(String),
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// The issuer that a token says it is from. Nothing is checked yet.
pub(super) fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claimed {
        iss: String,
    }
    if token.len() > TOKEN_BYTES {
        return None;
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(token);
    claims.ok().map(|claimed| claimed.iss)
}

impl Issuer {
    /// Reads the keys, if they are in a file.
    pub(super) fn load(settings: &IssuerSettings, service: &str) -> Result<Self, LoadAccessError> {
        let wrong = |why: String| LoadAccessError::Issuer {
            name: settings.name.clone(),
            why,
        };
        if settings.audience.is_empty() {
            return Err(wrong("it has no `audience`".to_owned()));
        }
        if settings.url == service {
            return Err(wrong("it is the registry itself".to_owned()));
        }
        let keys = match &settings.jwks_file {
            Some(path) => {
                let text = read("keys", path)?;
                let set: JwkSet = serde_json::from_slice(&text)
                    .map_err(|error| wrong(format!("`{}`: {error}", path.display())))?;
                Keys::Fixed(set)
            }
            None => Keys::discover(&settings.url).map_err(|error| wrong(error.to_string()))?,
        };
        Ok(Self {
            settings: settings.clone(),
            keys,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.settings.url
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Who a token is from, with those of its claims that are `wanted`, and until when we take
    /// it, in seconds since 1970.
    pub(super) async fn check(
        &self,
        token: &str,
        wanted: &BTreeSet<&str>,
    ) -> Result<(Identity, u64), TokenError> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenError::TooLong(token.len()));
        }
        let header = decode_header(token).map_err(TokenError::Malformed)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(TokenError::Algorithm(header.alg));
        }
        let keys = self.keys.with(header.kid.as_deref()).await?;
        let key = key_for(&keys, &header).ok_or(TokenError::NoKey)?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.url]);
        validation.set_audience(&self.settings.audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let token = decode::<Map<String, Value>>(token, &key, &validation);
        let claims = token.map_err(TokenError::Invalid)?.claims;
        let name_claim = &self.settings.name_claim;
        let name = claims.get(name_claim).and_then(text);
        let identity = Identity::Oidc {
            issuer: self.settings.name.clone(),
            name: name.ok_or_else(|| TokenError::NoName(name_claim.clone()))?,
            claims: pick(&claims, wanted),
        };
        Ok((identity, expiry(&claims).saturating_add(LEEWAY)))
    }
}

fn pick(claims: &Map<String, Value>, wanted: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let wanted = wanted.iter();
    let picked = wanted.filter_map(|name| {
        let value = value_at(claims, name)?;
        Some(((*name).to_owned(), text(value)?))
    });
    picked.collect()
}

/// A claim by its name, or one within another: Kubernetes has `kubernetes.io` with a
/// `namespace`, which is `kubernetes.io/namespace` here.
fn value_at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let mut splits = name.match_indices('/');
    splits.find_map(|(at, _)| {
        let (outer, inner) = (name.get(..at)?, name.get(at + 1..)?);
        value_at(claims.get(outer)?.as_object()?, inner)
    })
}

/// When a token expires. What may be a fraction is rounded down.
fn expiry(claims: &Map<String, Value>) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates"
    )]
    let whole = |seconds: f64| seconds as u64;
    let expiry = claims.get("exp");
    let expiry = expiry.and_then(|value| value.as_u64().or(value.as_f64().map(whole)));
    expiry.unwrap_or_default()
}

/// Lists have no one text, and so fit nothing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The key that the header names, or the only one if it names none; for signatures, and for
/// this algorithm.
fn key_for(keys: &JwkSet, header: &Header) -> Option<DecodingKey> {
    let key = match &header.kid {
        Some(kid) => keys.find(kid)?,
        None => keys.keys.first().filter(|_| keys.keys.len() == 1)?,
    };
    let common = &key.common;
    let is_other_use = common
        .public_key_use
        .as_ref()
        .is_some_and(|it| *it != PublicKeyUse::Signature);
    let operations = common.key_operations.as_ref();
    let cannot_verify = operations.is_some_and(|them| !them.contains(&KeyOperations::Verify));
    let is_other = common
        .key_algorithm
        .is_some_and(|it| it.to_string() != format!("{:?}", header.alg));
    if is_other_use || cannot_verify || is_other {
        return None;
    }
    DecodingKey::from_jwk(key).ok()
}
