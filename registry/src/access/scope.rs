//! Scopes: what a token is for (docker's token authentication, "Token Scope").

use serde::{Deserialize, Serialize};
use wasmport_artifact::RepositoryName;

use super::action::{Action, Actions};

/// How many scopes one token has at most. A copy between repositories needs two.
const SCOPES: usize = 32;

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// To do this in a repository.
    Repository {
        repository: RepositoryName,
        actions: Actions,
    },
    /// To list the repositories.
    Catalog,
}

/// A scope as a token has it ("Token Authentication Implementation": `access`).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct AccessClaim {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

/// Reads `repository:team/app:pull,push registry:catalog:*`. What is about other things, or
/// cannot be read, is left out: a token for less is what the protocol answers with.
pub(super) fn parse<'a>(scopes: impl Iterator<Item = &'a str>) -> Vec<Scope> {
    let scopes = scopes.flat_map(|text| text.split(' '));
    let scopes = scopes.filter_map(|text| {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        Scope::of(kind, name, actions)
    });
    scopes.take(SCOPES).collect()
}

/// The scope that a request needs, for `WWW-Authenticate`. Who pushes pulls, too: clients
/// look whether a blob is there.
pub(super) fn needed(action: Action, repository: &RepositoryName) -> String {
    let actions = match action {
        Action::Push => "pull,push",
        other => other.as_str(),
    };
    format!("repository:{repository}:{actions}")
}

impl Scope {
    fn of(kind: &str, name: &str, actions: &str) -> Option<Self> {
        match (kind, name) {
            ("repository", name) => Some(Self::Repository {
                repository: name.parse().ok()?,
                actions: Actions::of_scope(actions),
            }),
            ("registry", "catalog") => Some(Self::Catalog),
            _ => None,
        }
    }

    /// The part of it that `allowed` allows, if there is one.
    pub(super) fn within(self, allowed: impl Fn(&RepositoryName) -> Actions) -> Option<Self> {
        let Self::Repository {
            repository,
            actions,
        } = self
        else {
            // The list names only what may be pulled.
            return Some(self);
        };
        let actions = actions.and(allowed(&repository));
        (!actions.is_empty()).then_some(Self::Repository {
            repository,
            actions,
        })
    }

    /// What it lets do in a repository.
    pub(super) fn actions_in(&self, here: &RepositoryName) -> Actions {
        match self {
            Self::Repository {
                repository,
                actions,
            } if repository == here => *actions,
            _ => Actions::default(),
        }
    }
}

impl From<&Scope> for AccessClaim {
    fn from(scope: &Scope) -> Self {
        let (kind, name, actions) = match scope {
            Scope::Repository {
                repository,
                actions,
            } => ("repository", repository.as_str(), actions.names()),
            Scope::Catalog => ("registry", "catalog", vec!["*"]),
        };
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            actions: actions.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl AccessClaim {
    pub(super) fn scope(&self) -> Option<Scope> {
        Scope::of(&self.kind, &self.name, &self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_one_by_one_and_what_is_strange_is_left_out() {
        let text = "repository:team/app:pull,push registry:catalog:* repository:Bad:pull x";
        let scopes = parse([text, "repository:b:delete registry:other:*"].into_iter());
        let [app, catalog, b] = scopes.as_slice() else {
            panic!("{scopes:?}");
        };
        let team_app = "team/app".parse().unwrap();
        assert_eq!(app.actions_in(&team_app).names(), ["pull", "push"]);
        assert!(catalog.actions_in(&team_app).is_empty());
        assert!(b.actions_in(&team_app).is_empty());
        assert_eq!(*catalog, Scope::Catalog);
        for scope in [app, catalog, b] {
            assert_eq!(AccessClaim::from(scope).scope().as_ref(), Some(scope));
        }
    }

    #[test]
    fn there_are_only_so_many() {
        let many = "repository:a:pull ".repeat(1000);
        assert_eq!(parse([many.as_str()].into_iter()).len(), SCOPES);
    }
}
