//! Scopes: what a token is for (docker's token authentication, "Token Scope").

use serde::{Deserialize, Serialize};
use wasmport_artifact::RepositoryName;

use super::action::{Action, Actions};

/// How many scopes one token has at most. A copy between repositories needs two.
const SCOPES: usize = 32;

/// A repository and what a token lets do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) repository: RepositoryName,
    pub(super) actions: Actions,
}

/// A scope as a token has it ("Token Authentication Implementation": `access`).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct AccessClaim {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

/// Reads `repository:team/app:pull,push repository:…`. What is not about a repository, or
/// cannot be read, is left out: a token for less is what the protocol answers with.
pub(super) fn parse<'a>(scopes: impl Iterator<Item = &'a str>) -> Vec<Scope> {
    let scopes = scopes.flat_map(|text| text.split(' '));
    let scopes = scopes.filter_map(|text| {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        (kind == "repository").then_some(Scope {
            repository: name.parse().ok()?,
            actions: Actions::of_scope(actions),
        })
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

impl From<&Scope> for AccessClaim {
    fn from(scope: &Scope) -> Self {
        let actions = scope.actions.names().into_iter();
        Self {
            kind: "repository".to_owned(),
            name: scope.repository.to_string(),
            actions: actions.map(str::to_owned).collect(),
        }
    }
}

impl AccessClaim {
    pub(super) fn scope(&self) -> Option<Scope> {
        (self.kind == "repository").then_some(Scope {
            repository: self.name.parse().ok()?,
            actions: Actions::of_scope(&self.actions.join(",")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_one_by_one_and_what_is_strange_is_left_out() {
        let text = "repository:team/app:pull,push registry:catalog:* repository:Bad:pull x";
        let scopes = parse([text, "repository:b:delete"].into_iter());
        let names: Vec<_> = scopes
            .iter()
            .map(|scope| scope.repository.as_str())
            .collect();
        assert_eq!(names, ["team/app", "b"]);
        assert_eq!(scopes[0].actions.names(), ["pull", "push"]);
        assert_eq!(
            AccessClaim::from(&scopes[0]).scope().as_ref(),
            Some(&scopes[0])
        );
    }

    #[test]
    fn there_are_only_so_many() {
        let many = "repository:a:pull ".repeat(1000);
        assert_eq!(parse([many.as_str()].into_iter()).len(), SCOPES);
    }
}
