//! What somebody wants to do in a repository, and sets of that.

use serde::{Deserialize, Serialize};

/// What somebody wants to do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Read what the policy lets out.
    Pull,
    /// Upload blobs and manifests, and read what is held.
    Push,
    /// Delete tags, manifests and blobs.
    Delete,
    /// Everything, and what the admin API does.
    Admin,
}

/// Several of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Actions(u8);

impl Action {
    const ALL: [Self; 4] = [Self::Pull, Self::Push, Self::Delete, Self::Admin];

    /// Its name in rules and in the scopes of tokens.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Pull => 1,
            Self::Push => 2,
            Self::Delete => 4,
            Self::Admin => 8,
        }
    }
}

impl Actions {
    pub(super) fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What a scope asks for; what is not known is left out, and `*` is all.
    pub(super) fn of_scope(text: &str) -> Self {
        let known = |name: &str| {
            let named = Action::ALL
                .into_iter()
                .filter(|it| it.as_str() == name || name == "*");
            named.collect::<Self>()
        };
        text.split(',').map(known).fold(Self::default(), Self::with)
    }

    pub(super) fn names(self) -> Vec<&'static str> {
        let contained = Action::ALL
            .into_iter()
            .filter(|action| self.contains(*action));
        contained.map(Action::as_str).collect()
    }
}

/// Who may administer may do everything.
impl FromIterator<Action> for Actions {
    fn from_iter<T: IntoIterator<Item = Action>>(actions: T) -> Self {
        let bits = actions
            .into_iter()
            .fold(0, |bits, action| bits | action.bit());
        Self(if bits & Action::Admin.bit() == 0 {
            bits
        } else {
            0b1111
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_is_everything_and_push_is_not_pull() {
        let admin: Actions = [Action::Admin].into_iter().collect();
        assert_eq!(admin.names(), ["pull", "push", "delete", "admin"]);
        let push: Actions = [Action::Push].into_iter().collect();
        assert!(!push.contains(Action::Pull) && !push.contains(Action::Delete));
    }

    #[test]
    fn a_scope_names_what_is_known_and_a_star_is_all() {
        assert_eq!(Actions::of_scope("pull,push,fly").names(), ["pull", "push"]);
        assert_eq!(Actions::of_scope("*").names().len(), 4);
        assert!(Actions::of_scope("").is_empty());
    }
}
