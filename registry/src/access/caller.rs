//! Who sent a request, and what they may do.

use std::sync::Arc;

use wasmport_artifact::RepositoryName;

use super::Asker;
use super::action::{Action, Actions};
use super::identity::Identity;
use super::load::Loaded;
use super::login::Login;
use super::scope::{self, Scope};
use crate::audit;
use crate::error::ApiError;

/// Who sent a request, and what they may do.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: Arc<str>,
    loaded: Arc<Loaded>,
    pub(super) login: Arc<Login>,
    challenge: Challenge,
}

/// How to log in.
#[derive(Clone, Debug, Default)]
pub(super) struct Challenge {
    realm: Arc<str>,
    service: Arc<str>,
    /// A second repository that the request is about, which a token should be for as well.
    source: Option<RepositoryName>,
}

impl Caller {
    pub(super) fn new(loaded: Arc<Loaded>, login: Login, challenge: Challenge) -> Self {
        let name: Arc<str> = login.identity.to_string().into();
        audit::identified(&name);
        Self {
            name,
            loaded,
            login: Arc::new(login),
            challenge,
        }
    }

    /// Anyone, where everyone may do everything.
    pub(super) fn open(loaded: Arc<Loaded>) -> Self {
        Self {
            name: "anonymous".into(),
            loaded,
            login: Arc::new(Login::of(Identity::Anonymous)),
            challenge: Challenge::default(),
        }
    }

    /// The name for logs and the audit log.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name of who has shown who they are.
    pub(crate) fn identity(&self) -> Option<String> {
        let is_known = self.login.identity != Identity::Anonymous;
        is_known.then(|| self.name.to_string())
    }

    /// Whether they may do this here.
    pub(crate) fn may(&self, action: Action, repository: &RepositoryName) -> bool {
        self.loaded.is_open() || self.actions(repository).contains(action)
    }

    /// Whether they may read here what is held: who may push may, also with a token to pull
    /// with. That is what clients ask for to read what they want to sign.
    pub(crate) fn may_see_held(&self, repository: &RepositoryName) -> bool {
        self.may(Action::Push, repository)
            || (self.may(Action::Pull, repository)
                && self.is_allowed(repository).contains(Action::Push))
    }

    /// Whether they may take a blob from here into a repository that they may push to, without
    /// having named this one: the rules decide, and not what a token is for. No client can ask
    /// for a token for a source that only the registry knows, and a challenge that names it
    /// would come too late for those that ask for one token only. They could as well pull it
    /// from there and push it.
    pub(crate) fn may_take_from(&self, repository: &RepositoryName) -> bool {
        self.loaded.is_open() || self.is_allowed(repository).contains(Action::Pull)
    }

    /// Whether they may take a blob from the repository that they name into `target`. An error is
    /// the answer where a token for both would help, which the challenge asks for.
    pub(crate) fn may_take_from_named(
        &self,
        source: &RepositoryName,
        target: &RepositoryName,
    ) -> Result<bool, ApiError> {
        if self.may(Action::Pull, source) {
            return Ok(true);
        }
        if !self.may_take_from(source) {
            return Ok(false);
        }
        let needed = scope::needed(Action::Push, target);
        let value = self.challenge.value(&needed, Some("insufficient_scope"));
        let message = "the token is not for the repository to mount from";
        Err(ApiError::unauthorized(message, value))
    }

    /// Whether a list of repositories may name this one: a token for the list is for none of
    /// them, but who has it may pull from some.
    pub(crate) fn may_see(&self, repository: &RepositoryName) -> bool {
        let scopes = self.login.scopes.as_deref().unwrap_or_default();
        let lists = scopes.contains(&Scope::Catalog);
        self.may(Action::Pull, repository)
            || (lists && self.is_allowed(repository).contains(Action::Pull))
    }

    /// An error is an answer: 401 where logging in could help, else 403. Both say nothing
    /// about whether the repository is there.
    pub(crate) fn require(
        &self,
        action: Action,
        repository: &RepositoryName,
    ) -> Result<(), ApiError> {
        if self.may(action, repository) {
            return Ok(());
        }
        let needed = scope::needed(action, repository);
        if self.is_allowed(repository).contains(action) {
            let value = self.challenge.value(&needed, Some("insufficient_scope"));
            return Err(ApiError::unauthorized(
                "the token is for something else",
                value,
            ));
        }
        if self.login.identity == Identity::Anonymous {
            let value = self.challenge.value(&needed, None);
            return Err(ApiError::unauthorized("this needs a login", value));
        }
        audit::permission_refused(self.name(), action, Some(repository));
        let (name, action) = (self.name(), action.as_str());
        let message = format!("`{name}` may not {action} in `{repository}`");
        Err(ApiError::forbidden(message))
    }

    /// An error is an answer, unless they administer the whole registry.
    pub(crate) fn require_admin(&self) -> Result<(), ApiError> {
        let login = &self.login;
        let everywhere = self.loaded.rules.allowed_everywhere(&login.identity);
        // A token for repositories is not one for the registry.
        let may = everywhere.contains(Action::Admin) && login.scopes.is_none();
        if self.loaded.is_open() || may {
            return Ok(());
        }
        if login.identity == Identity::Anonymous {
            let value = "Basic realm=\"wasmport\"".to_owned();
            return Err(ApiError::unauthorized("this needs a login", value));
        }
        audit::permission_refused(self.name(), Action::Admin, None);
        let message = format!("`{}` may not administer the registry", self.name());
        Err(ApiError::forbidden(message))
    }

    /// Clients ask at `/v2/` whether and how to log in, and never later: so that who has not
    /// said anything is told how, also where some things are for everyone.
    pub(super) fn require_login(&self) -> Result<(), ApiError> {
        let login = &self.login;
        let is_silent = login.identity == Identity::Anonymous && login.scopes.is_none();
        if self.loaded.is_open() || !is_silent {
            return Ok(());
        }
        let value = self.challenge.value("", None);
        Err(ApiError::unauthorized("this needs a login", value))
    }

    fn actions(&self, repository: &RepositoryName) -> Actions {
        let allowed = self.is_allowed(repository);
        let Some(scopes) = &self.login.scopes else {
            return allowed;
        };
        let granted = scopes.iter().fold(Actions::default(), |sum, scope| {
            sum.with(scope.actions_in(repository))
        });
        allowed.and(granted)
    }

    /// Whatever a token is for.
    pub(super) fn is_allowed(&self, repository: &RepositoryName) -> Actions {
        let rules = self.loaded.rules.allowed(&self.login.identity, repository);
        let own = self.login.own.iter();
        let own = own.filter(|rule| rule.repositories.iter().any(|it| it.matches(repository)));
        own.fold(rules, |sum, rule| {
            sum.with(rule.allow.iter().copied().collect())
        })
    }
}

impl Challenge {
    /// The value of `WWW-Authenticate` (docker's token authentication).
    pub(super) fn value(&self, scope: &str, error: Option<&str>) -> String {
        let mut value = format!(
            "Bearer realm=\"{}\",service=\"{}\"",
            self.realm, self.service
        );
        if !scope.is_empty() {
            let source = self.source.as_ref();
            let source = source.map(|source| format!(" {}", scope::needed(Action::Pull, source)));
            let source = source.unwrap_or_default();
            value = format!("{value},scope=\"{scope}{source}\"");
        }
        error.map_or(value.clone(), |error| format!("{value},error=\"{error}\""))
    }
}

impl Loaded {
    /// How to log in, for who calls the registry by this name.
    pub(super) fn challenge(&self, asker: &Asker) -> Challenge {
        let host = asker.host.as_deref().unwrap_or("localhost");
        let realm = match &self.external_url {
            Some(url) => format!("{url}/token"),
            None => format!("{}://{host}/token", self.scheme),
        };
        Challenge {
            realm: realm.into(),
            service: self.settings.service.as_str().into(),
            source: asker.source.clone(),
        }
    }
}
