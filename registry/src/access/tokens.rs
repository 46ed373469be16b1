//! The tokens that the registry issues: short-lived, and for what was asked and is allowed.
//!
//! They are signed with HMAC: only the registry itself reads them, and to check one costs a
//! microsecond, at each request.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::scope::{AccessClaim, Scope};

/// The shortest key, in bytes: as long as the hash (RFC 7518, section 3.2).
pub(super) const KEY_BYTES: usize = 32;

/// How far the clocks of registries that share a key may be apart, in seconds.
pub(super) const LEEWAY: u64 = 10;

/// What tokens are signed with.
#[derive(Clone)]
pub(super) struct TokenKey {
    sign: EncodingKey,
    verify: DecodingKey,
}

/// What is in a token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    /// For people who look into it.
    sub: String,
    iat: u64,
    nbf: u64,
    pub(super) exp: u64,
    jti: String,
    access: Vec<AccessClaim>,
    /// Who it was issued to. Rules and robots are looked up at each use.
    identity: Identity,
}

/// A token that was checked.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) identity: Identity,
    pub(super) scopes: Vec<Scope>,
}

impl TokenKey {
    /// `None` when it is too short.
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        (secret.len() >= KEY_BYTES).then(|| Self {
            sign: EncodingKey::from_secret(secret),
            verify: DecodingKey::from_secret(secret),
        })
    }

    /// Signs a token for `service`.
    pub(super) fn issue(
        &self,
        service: &str,
        identity: Identity,
        scopes: &[Scope],
        lifetime: Duration,
    ) -> Option<String> {
        let mut number = [0; 16];
        getrandom::fill(&mut number).ok()?;
        let now = seconds();
        let claims = Claims {
            iss: service.to_owned(),
            aud: service.to_owned(),
            sub: identity.to_string(),
            iat: now,
            nbf: now,
            exp: now + lifetime.as_secs(),
            jti: URL_SAFE_NO_PAD.encode(number),
            access: scopes.iter().map(AccessClaim::from).collect(),
            identity,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign).ok()
    }

    /// Checks a token. `None` when it is not ours, not for `service`, or not valid now.
    pub(super) fn check(&self, service: &str, token: &str) -> Option<Issued> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(&[service]);
        validation.set_issuer(&[service]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
        let token = jsonwebtoken::decode::<Claims>(token, &self.verify, &validation).ok()?;
        let scopes = token.claims.access.iter().filter_map(AccessClaim::scope);
        Some(Issued {
            scopes: scopes.collect(),
            identity: token.claims.identity,
        })
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenKey(…)")
    }
}

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> Identity {
        Identity::User {
            name: "alice".to_owned(),
        }
    }

    fn issue(key: &TokenKey, service: &str, lifetime: u64) -> String {
        let scopes = crate::access::scope::parse(["repository:app:pull"].into_iter());
        let lifetime = Duration::from_secs(lifetime);
        key.issue(service, alice(), &scopes, lifetime).unwrap()
    }

    #[test]
    fn a_token_says_who_and_what_to_its_own_service_only() {
        let key = TokenKey::new(&[7; 32]).unwrap();
        let token = issue(&key, "here", 60);
        let issued = key.check("here", &token).unwrap();
        assert_eq!(issued.identity, alice());
        assert_eq!(
            issued.scopes[0].actions_in(&"app".parse().unwrap()).names(),
            ["pull"]
        );
        assert!(key.check("there", &token).is_none());
        assert!(
            TokenKey::new(&[8; 32])
                .unwrap()
                .check("here", &token)
                .is_none()
        );
        assert!(TokenKey::new(&[7; 31]).is_none());
    }

    #[test]
    fn a_token_that_is_old_or_was_changed_is_none() {
        let key = TokenKey::new(&[7; 32]).unwrap();
        let mut claims: serde_json::Value = serde_json::json!({
            "iss": "here", "aud": "here", "sub": "x", "iat": 0, "nbf": 0, "exp": 100,
            "jti": "x", "access": [], "identity": { "kind": "anonymous" },
        });
        let sign = |claims: &serde_json::Value, algorithm| {
            jsonwebtoken::encode(&Header::new(algorithm), claims, &key.sign).unwrap()
        };
        assert!(
            key.check("here", &sign(&claims, Algorithm::HS256))
                .is_none()
        );
        claims["exp"] = (seconds() + 100).into();
        assert!(
            key.check("here", &sign(&claims, Algorithm::HS256))
                .is_some()
        );
        assert!(
            key.check("here", &sign(&claims, Algorithm::HS384))
                .is_none()
        );
        claims["nbf"] = (seconds() + 50).into();
        assert!(
            key.check("here", &sign(&claims, Algorithm::HS256))
                .is_none()
        );
        let token = issue(&key, "here", 60);
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (_, body) = head.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        for forged in [
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
        ] {
            assert!(key.check("here", &forged).is_none());
        }
        let evil = URL_SAFE_NO_PAD.encode(claims.to_string());
        let start = head.split_once('.').unwrap().0;
        assert!(
            key.check("here", &format!("{start}.{evil}.{signature}"))
                .is_none()
        );
    }
}
