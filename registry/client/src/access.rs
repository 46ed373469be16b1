//! How a registry may be reached: scheme, time limits, retries.

use std::time::Duration;

use wasmport_artifact::Reference;

use crate::credentials::Credentials;
use crate::retry::Backoff;

/// How to reach a registry.
///
/// The library reads no environment: what stands in `DOCKER_CONFIG` or on a command line
/// comes in here.
#[derive(Clone, Debug)]
pub struct Access {
    /// Speak plain HTTP to this host. Loopback hosts get plain HTTP by themselves.
    pub plain_http: bool,
    /// Where the user name and password come from.
    pub credentials: Credentials,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long nothing may move on a connection, in either direction.
    pub idle_timeout: Duration,
    /// How often and how fast to try again.
    pub backoff: Backoff,
}

impl Default for Access {
    /// Anonymous, with limits for an ordinary network.
    fn default() -> Self {
        Self {
            plain_http: false,
            credentials: Credentials::Anonymous,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            backoff: Backoff::default(),
        }
    }
}

impl Access {
    /// How to speak to the host of `reference`.
    pub(crate) fn scheme(&self, reference: &Reference) -> Scheme {
        if self.plain_http || reference.is_loopback() {
            Scheme::Http
        } else {
            Scheme::Https
        }
    }
}

/// The scheme of a registry's URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(access: &Access, reference: &str) -> Scheme {
        access.scheme(&reference.parse().unwrap())
    }

    #[test]
    fn plain_http_is_for_loopback_or_when_asked_for() {
        let mut access = Access::default();
        assert_eq!(scheme(&access, "localhost:5000/a:1"), Scheme::Http);
        assert_eq!(scheme(&access, "[::1]:5000/a:1"), Scheme::Http);
        assert_eq!(scheme(&access, "10.0.0.1:5000/a:1"), Scheme::Https);
        assert_eq!(scheme(&access, "localhost.example.com/a:1"), Scheme::Https);
        access.plain_http = true;
        assert_eq!(scheme(&access, "10.0.0.1:5000/a:1"), Scheme::Http);
    }
}
