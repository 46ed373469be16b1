//! From credentials to an identity.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::caller::Challenge;
use super::certificates;
use super::credentials::Credentials;
use super::identity::Identity;
use super::issuers::claimed_issuer;
use super::load::Loaded;
use super::robots;
use super::scope::Scope;
use super::{Access, Peer};
use crate::audit;
use crate::error::ApiError;
use crate::storage::{Robot, RobotRule, StorageError};

/// Somebody who has shown who they are.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) identity: Identity,
    /// What a robot may do besides the rules.
    pub(super) own: Arc<[RobotRule]>,
    /// What their token is for; `None` without a token of ours.
    pub(super) scopes: Option<Vec<Scope>>,
    /// Until when they are who they are, in seconds since 1970: what they showed expires then.
    pub(super) until: Option<u64>,
}

/// Why nobody was identified.
#[derive(Debug)]
pub(super) enum Refused {
    /// Wrong, for this reason. The log gets it; the client learns only that.
    Wrong {
        who: String,
        why: String,
    },
    /// Too often from there.
    TooOften(Duration),
    Storage(StorageError),
}

impl Login {
    pub(super) fn of(identity: Identity) -> Self {
        Self {
            identity,
            own: Arc::default(),
            scopes: None,
            until: None,
        }
    }

    fn robot(robot: Robot) -> Self {
        Self {
            own: robot.rules.into(),
            ..Self::of(Identity::Robot {
                name: robot.name,
                id: robot.id,
            })
        }
    }
}

impl Refused {
    fn wrong(who: impl Into<String>, why: impl Into<String>) -> Self {
        let (who, why) = (who.into(), why.into());
        Self::Wrong { who, why }
    }

    /// What the client gets.
    pub(super) fn answer(self, challenge: &Challenge, scope: &str) -> ApiError {
        match self {
            Self::Wrong { who, why } => {
                audit::login_refused(&who, &why);
                let value = challenge.value(scope, Some("invalid_token"));
                ApiError::unauthorized("the credentials are not valid", value)
            }
            Self::TooOften(wait) => ApiError::too_many_attempts(wait),
            Self::Storage(error) => error.into(),
        }
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl Access {
    /// Who has these credentials, other than a token of ours.
    pub(super) async fn login(
        &self,
        loaded: &Loaded,
        credentials: &Credentials,
        peer: Option<&Peer>,
    ) -> Result<Login, Refused> {
        match credentials {
            Credentials::None => Ok(Login::of(certified(loaded, peer))),
            Credentials::Malformed => Err(Refused::wrong("unknown", "the header cannot be read")),
            Credentials::Bearer(token) => {
                let login = self.secret(loaded, token).await?;
                login.ok_or_else(|| Refused::wrong("unknown", "nobody known issued the token"))
            }
            Credentials::Basic { name, password } => {
                if let Some(login) = self.secret(loaded, password).await? {
                    return Ok(login);
                }
                self.password(loaded, name, password, peer).await
            }
        }
    }

    /// Who has this token, ours or not.
    pub(super) async fn bearer(&self, loaded: &Loaded, token: &str) -> Result<Login, Refused> {
        if claimed_issuer(token).as_deref() != Some(loaded.settings.service.as_str()) {
            let credentials = Credentials::Bearer(token.to_owned());
            return self.login(loaded, &credentials, None).await;
        }
        let key = loaded.token_key.as_ref();
        let issued = key.and_then(|key| key.check(&loaded.settings.service, token));
        let issued = issued.ok_or_else(|| Refused::wrong("unknown", "the token is not valid"))?;
        let login = self.still_known(loaded, issued.identity).await?;
        Ok(Login {
            scopes: Some(issued.scopes),
            ..login
        })
    }

    /// Whoever was somebody when a token was issued may be nobody now.
    async fn still_known(&self, loaded: &Loaded, identity: Identity) -> Result<Login, Refused> {
        let is_known = match &identity {
            Identity::Robot { name, id } => {
                let robot = robots::by_id(&self.store, name, id).await?;
                let gone = || Refused::wrong(identity.to_string(), "it was revoked");
                return robot.map(Login::robot).ok_or_else(gone);
            }
            Identity::User { name } => loaded.users.contains(name),
            Identity::Oidc { issuer, .. } => loaded.issuers.iter().any(|it| it.name() == issuer),
            Identity::Cert { name } => {
                let mut certificates = loaded.settings.certificates.iter();
                certificates.any(|it| it.name == *name)
            }
            Identity::Anonymous => true,
        };
        if !is_known {
            return Err(Refused::wrong(
                identity.to_string(),
                "is not known any more",
            ));
        }
        Ok(Login::of(identity))
    }

    /// Who has a secret that says by itself whose it is; `None` when it does not.
    async fn secret(&self, loaded: &Loaded, secret: &str) -> Result<Option<Login>, Refused> {
        if let Some(name) = robots::name_in(secret) {
            let robot = robots::by_token(&self.store, secret).await?;
            let who = format!("robot:{name}");
            let robot = robot.ok_or_else(|| Refused::wrong(who, "revoked, expired or wrong"))?;
            return Ok(Some(Login::robot(robot)));
        }
        let issuer = claimed_issuer(secret).and_then(|url| {
            let mut issuers = loaded.issuers.iter();
            issuers.find(|issuer| issuer.url() == url)
        });
        let Some(issuer) = issuer else {
            return Ok(None);
        };
        let wanted = loaded.rules.claims_of(issuer.name());
        let (identity, until) = issuer.check(secret, &wanted).await.map_err(|error| {
            let who = format!("oidc:{}", issuer.name());
            Refused::wrong(who, wasmport_artifact::with_causes(&error))
        })?;
        Ok(Some(Login {
            until: Some(until),
            ..Login::of(identity)
        }))
    }

    async fn password(
        &self,
        loaded: &Loaded,
        name: &str,
        password: &str,
        peer: Option<&Peer>,
    ) -> Result<Login, Refused> {
        let user = Identity::User {
            name: name.to_owned(),
        };
        if self.passwords.remembers(&loaded.users, name, password) {
            return Ok(Login::of(user));
        }
        let here = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let address = peer.map_or(here, |peer| peer.address.ip());
        let limit = loaded.settings.attempts;
        let begun = self.attempts.begin(address, limit, Instant::now());
        begun.map_err(Refused::TooOften)?;
        if !self.passwords.check(&loaded.users, name, password).await {
            return Err(Refused::wrong(
                user.to_string(),
                "unknown, or a wrong password",
            ));
        }
        self.attempts.forgive(address);
        Ok(Login::of(user))
    }
}

/// The owner of the client's certificate, if it has a name here.
fn certified(loaded: &Loaded, peer: Option<&Peer>) -> Identity {
    let certificate = peer.and_then(|peer| peer.certificate.as_deref());
    let entries = &loaded.settings.certificates;
    let name = certificate.and_then(|der| certificates::name_of(entries, der));
    name.map_or(Identity::Anonymous, |name| Identity::Cert {
        name: name.to_owned(),
    })
}
