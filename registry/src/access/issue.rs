//! Issuing tokens: for what was asked and is allowed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::caller::Caller;
use super::load::Loaded;
use super::scope::{self, Scope};
use super::tokens::{LEEWAY, seconds};
use super::{Access, Asker};
use crate::error::ApiError;

/// What is asked of the token endpoint.
pub(crate) struct TokenRequest {
    /// What the token is for.
    pub(crate) scopes: Vec<String>,
    /// Whose it is for.
    pub(crate) service: Option<String>,
}

impl Access {
    /// Issues a token: for what was asked and is allowed, which may be nothing.
    pub(crate) async fn issue(&self, asker: Asker, wish: TokenRequest) -> Result<Value, ApiError> {
        let loaded = self.loaded.load_full();
        let Some(key) = loaded.token_key.as_ref().filter(|_| !loaded.is_open()) else {
            return Err(ApiError::not_found("this registry needs no tokens"));
        };
        let service = &loaded.settings.service;
        if let Some(other) = wish.service.filter(|it| it != service) {
            let message = format!("the service is `{service}`, not `{other}`");
            return Err(ApiError::bad_request(message));
        }
        let challenge = loaded.challenge(&asker);
        let login = self
            .login(&loaded, &asker.credentials, asker.peer.as_ref())
            .await;
        let login = login.map_err(|refused| refused.answer(&challenge, ""))?;
        let caller = Caller::new(Arc::clone(&loaded), login, challenge);
        let scopes = scope::parse(wish.scopes.iter().map(String::as_str)).into_iter();
        let scopes = scopes.filter_map(|scope| scope.within(|name| caller.is_allowed(name)));
        let scopes: Vec<Scope> = scopes.collect();
        let lifetime = lifetime(&loaded, caller.login.until);
        let token = key.issue(service, caller.login.identity.clone(), &scopes, lifetime);
        let token = token.ok_or_else(|| ApiError::unavailable("a token could not be signed"))?;
        let issued = jiff::Timestamp::from_second(i64::try_from(seconds()).unwrap_or_default());
        Ok(json!({
            "token": token,
            "access_token": token,
            "expires_in": lifetime.as_secs(),
            "issued_at": issued.unwrap_or_default().to_string(),
        }))
    }
}

/// How long a token is good: not longer than what it is issued for, and
/// a workload's token has an end. Ours is taken for some seconds after its end, too.
fn lifetime(loaded: &Loaded, until: Option<u64>) -> Duration {
    let lifetime = loaded.settings.token.lifetime.duration();
    let rest = until.map(|until| until.saturating_sub(seconds() + LEEWAY));
    rest.map_or(lifetime, |rest| lifetime.min(Duration::from_secs(rest)))
}
