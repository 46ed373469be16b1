//! Signing in: the token or password that goes with a request.

use oci_client::RegistryOperation;
use oci_client::secrets::RegistryAuth;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Url};
use wasmport_artifact::Reference;

use crate::answer;
use crate::error::Failure;
use crate::registry::Registry;

/// What a request carries.
#[derive(Clone)]
pub(crate) enum Authorization {
    /// Nothing: the registry is open, or we have nothing to show.
    None,
    /// A token of the registry's token server.
    Bearer(String),
    /// User name and password.
    Basic,
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(…)",
            Self::Basic => "Basic",
        })
    }
}

impl Registry {
    /// Gets what requests for `operation` carry, unless we have it; then gives `false`.
    ///
    /// `oci_client` runs the exchange and keeps the token for its own requests too. Left
    /// alone it would pass over errors here and go on anonymously.
    pub(crate) async fn sign_in(&self, operation: RegistryOperation) -> Result<bool, Failure> {
        let mut tokens = self.tokens.lock().await;
        if tokens.contains_key(&operation) {
            return Ok(false);
        }
        self.refuse_cleartext_realm().await?;
        let image = self.image();
        let exchange = self.client.auth(&image, &self.auth, operation);
        let token = self.in_time(exchange).await?.map_err(answer::from_oci)?;
        let authorization = match (token, &self.auth) {
            (Some(token), _) => Authorization::Bearer(token),
            (None, RegistryAuth::Basic(..)) => Authorization::Basic,
            (None, _) => Authorization::None,
        };
        tokens.insert(operation, authorization);
        Ok(true)
    }

    /// Forgets what `sign_in` got, since the registry does not take it any more.
    pub(crate) async fn sign_out(&self, operation: RegistryOperation) {
        self.tokens.lock().await.remove(&operation);
    }

    /// Adds what `sign_in` got.
    pub(crate) async fn authorize(
        &self,
        operation: RegistryOperation,
        request: RequestBuilder,
    ) -> RequestBuilder {
        let tokens = self.tokens.lock().await;
        match (tokens.get(&operation), &self.auth) {
            (Some(Authorization::Bearer(token)), _) => request.bearer_auth(token),
            (Some(Authorization::Basic), RegistryAuth::Basic(username, password)) => {
                request.basic_auth(username, Some(password))
            }
            _ => request,
        }
    }

    /// Credentials go to the token server that the registry names; not in plain text over
    /// a network, unless plain HTTP was asked for.
    async fn refuse_cleartext_realm(&self) -> Result<(), Failure> {
        if self.auth == RegistryAuth::Anonymous || self.plain_http {
            return Ok(());
        }
        let answer = self.in_time(self.ping().send()).await?;
        let answer = answer.map_err(answer::from_transport)?;
        match realm(answer.headers()) {
            Some(realm) if !is_safe(&realm) => Err(Failure::CleartextRealm { realm }),
            _ => Ok(()),
        }
    }
}

/// The token server in a `Bearer` challenge.
fn realm(headers: &HeaderMap) -> Option<String> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    let mut realms = challenges.filter_map(|challenge| {
        let challenge = challenge.to_str().ok()?;
        let (_, realm) = challenge.split_once("realm=\"")?;
        let (realm, _) = realm.split_once('"')?;
        Some(realm.to_owned())
    });
    realms.find(|realm| realm.contains("://"))
}

fn is_safe(realm: &str) -> bool {
    Url::parse(realm).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url))
}

fn is_loopback(url: &Url) -> bool {
    let somewhere = format!("{}/x:x", url.host_str().unwrap_or_default());
    let somewhere: Result<Reference, _> = somewhere.parse();
    somewhere.is_ok_and(|reference| reference.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm_of(challenge: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, challenge.parse().unwrap());
        realm(&headers)
    }

    #[test]
    fn the_token_server_is_read_from_the_challenge() {
        let challenge = r#"Bearer realm="https://auth.example/token",service="registry""#;
        assert_eq!(
            realm_of(challenge).as_deref(),
            Some("https://auth.example/token")
        );
        assert_eq!(realm_of(r#"Basic realm="Registry""#), None);
    }

    #[test]
    fn a_token_server_in_plain_text_is_not_safe() {
        assert!(is_safe("https://auth.example/token"));
        assert!(is_safe("http://localhost:5001/token"));
        assert!(is_safe("http://[::1]:5001/token"));
        assert!(!is_safe("http://auth.example/token"));
        assert!(!is_safe("http://127.0.0.1.auth.example/token"));
        assert!(!is_safe("nonsense"));
    }
}
