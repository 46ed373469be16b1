//! Keys of issuers: from a file, or fetched from where the issuer says (`OpenID` Connect
//! Discovery 1.0, section 4).

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, Url, redirect};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Mutex;
use tracing::warn;
use wasmport_artifact::with_causes;

/// How long one fetch may take. A client waits for it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest answer, in bytes. GitHub's keys have 10 KiB.
const ANSWER_BYTES: usize = 512 * 1024;

/// How old keys may get before they are fetched anew.
const FRESH: Duration = Duration::from_hours(1);

/// How long to wait after a fetch before another one, whatever tokens come.
const PAUSE: Duration = Duration::from_mins(1);

/// The keys of an issuer.
#[derive(Debug)]
pub(super) enum Keys {
    /// From a file.
    Fixed(JwkSet),
    /// From the network.
    Discovered(Discovered),
}

/// Keys that are fetched when they are needed.
#[derive(Debug)]
pub(super) struct Discovered {
    issuer: Url,
    /// As it is written: what the document must say.
    text: String,
    client: Client,
    keys: ArcSwap<JwkSet>,
    /// When they were fetched, and when that was tried last. Held while fetching, so that
    /// only one does.
    fetched: Mutex<(Option<Instant>, Option<Instant>)>,
}

/// Why there are no keys.
#[derive(Debug, Error)]
pub(super) enum KeysError {
    #[error("`{0}` is not an `https` URL")]
    Url(String),
    #[error("failed to fetch `{url}`")]
    Fetch { url: Url, source: reqwest::Error },
    #[error("`{url}` answered with {status}")]
    Status {
        url: Url,
        status: reqwest::StatusCode,
    },
    #[error("`{0}` answered with more than {ANSWER_BYTES} bytes")]
    TooLarge(Url),
    #[error("`{url}` did not answer with what it should")]
    Shape { url: Url, source: serde_json::Error },
    #[error("the document says that its issuer is `{found}`, expected `{expected}`")]
    Issuer { found: String, expected: String },
    #[error("the keys could not be fetched; the next attempt is within a minute")]
    Later,
}

impl Keys {
    /// Keys that are fetched when the first token comes.
    pub(super) fn discover(issuer: &str) -> Result<Self, KeysError> {
        let url = secure(issuer)?;
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT / 2)
            // Where the keys are must not depend on who can make an issuer redirect.
            .redirect(redirect::Policy::none())
            .user_agent("wasmport-registry")
            .build();
        Ok(Self::Discovered(Discovered {
            client: client.map_err(|source| KeysError::Fetch {
                url: url.clone(),
                source,
            })?,
            issuer: url,
            text: issuer.to_owned(),
            keys: ArcSwap::default(),
            fetched: Mutex::default(),
        }))
    }

    /// The keys, fetched anew when they are old or have no `kid`.
    pub(super) async fn with(&self, kid: Option<&str>) -> Result<Arc<JwkSet>, KeysError> {
        match self {
            Self::Fixed(keys) => Ok(Arc::new(keys.clone())),
            Self::Discovered(discovered) => discovered.with(kid).await,
        }
    }
}

impl Discovered {
    async fn with(&self, kid: Option<&str>) -> Result<Arc<JwkSet>, KeysError> {
        let mut fetched = self.fetched.lock().await;
        let (now, keys) = (Instant::now(), self.keys.load_full());
        let is_within = |time: Option<Instant>, span| time.is_some_and(|it| now - it < span);
        let is_known = kid.is_none_or(|kid| keys.find(kid).is_some());
        if (is_within(fetched.0, FRESH) && is_known) || is_within(fetched.1, PAUSE) {
            // Without any keys yet, a token is neither good nor bad.
            return fetched.0.map(|_| keys).ok_or(KeysError::Later);
        }
        fetched.1 = Some(now);
        match self.fetch().await {
            Ok(set) => {
                fetched.0 = Some(now);
                self.keys.store(Arc::new(set));
                Ok(self.keys.load_full())
            }
            Err(error) if fetched.0.is_some() => {
                warn!(issuer = %self.text, error = %with_causes(&error), "kept the keys of an issuer");
                Ok(keys)
            }
            Err(error) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<JwkSet, KeysError> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: String,
        }
        let base = self.issuer.as_str().trim_end_matches('/');
        let url = secure(&format!("{base}/.well-known/openid-configuration"))?;
        let document: Document = self.get(&url).await?;
        if document.issuer != self.text {
            return Err(KeysError::Issuer {
                found: document.issuer,
                expected: self.text.clone(),
            });
        }
        self.get(&secure(&document.jwks_uri)?).await
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, url: &Url) -> Result<T, KeysError> {
        let failed = |source| KeysError::Fetch {
            url: url.clone(),
            source,
        };
        let mut response = self.client.get(url.clone()).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(KeysError::Status {
                url: url.clone(),
                status: response.status(),
            });
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_BYTES {
                return Err(KeysError::TooLarge(url.clone()));
            }
        }
        serde_json::from_slice(&body).map_err(|source| KeysError::Shape {
            url: url.clone(),
            source,
        })
    }
}

/// Who can change keys on their way is everyone; only this machine needs no TLS.
fn secure(text: &str) -> Result<Url, KeysError> {
    let url: Url = text.parse().map_err(|_| KeysError::Url(text.to_owned()))?;
    let is_loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let is_plain = url.scheme() == "http" && is_loopback;
    if url.scheme() == "https" || is_plain {
        return Ok(url);
    }
    Err(KeysError::Url(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_tls_but_for_this_machine() {
        for text in [
            "https://token.example",
            "http://127.0.0.1:9/x",
            "http://localhost:9",
        ] {
            assert!(secure(text).is_ok(), "{text}");
        }
        for text in [
            "http://token.example",
            "file:///etc/passwd",
            "token.example",
            "http://127.0.0.1.evil",
        ] {
            assert!(secure(text).is_err(), "{text}");
        }
    }
}
