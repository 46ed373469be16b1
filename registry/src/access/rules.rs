//! The rules, ready to be asked.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobMatcher};
use wasmport_artifact::RepositoryName;
use wasmport_policies::RepositoryPattern;

use super::action::Actions;
use super::identity::Identity;
use super::load::LoadAccessError;
use super::settings::{AccessSettings, RuleSettings};
use super::subject::Subject;

/// All rules. What one allows is allowed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    groups: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Clone, Debug)]
struct Rule {
    repositories: Vec<RepositoryPattern>,
    who: Vec<Subject>,
    actions: Actions,
    claims: Vec<(String, GlobMatcher)>,
}

impl Rules {
    /// An error where a rule names what there is not.
    pub(super) fn compile(settings: &AccessSettings) -> Result<Self, LoadAccessError> {
        let groups = settings.groups.iter();
        let groups = groups.map(|(name, users)| (name.clone(), users.iter().cloned().collect()));
        let rules = settings.rules.iter().enumerate();
        let rules = rules.map(|(index, rule)| Rule::compile(index + 1, rule, settings));
        Ok(Self {
            groups: groups.collect(),
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Whether there are none, and everyone may do everything.
    pub(super) fn is_open(&self) -> bool {
        self.rules.is_empty()
    }

    /// What somebody may do in a repository.
    pub(super) fn allowed(&self, who: &Identity, repository: &RepositoryName) -> Actions {
        self.sum(who, |pattern| pattern.matches(repository))
    }

    /// What somebody may do everywhere.
    pub(super) fn allowed_everywhere(&self, who: &Identity) -> Actions {
        self.sum(who, |pattern| pattern.as_str() == "**")
    }

    /// The claims of this issuer's identities that rules ask for.
    pub(super) fn claims_of(&self, issuer: &str) -> BTreeSet<&str> {
        let is_named = |rule: &&Rule| {
            let mut who = rule.who.iter();
            who.any(|who| matches!(who, Subject::Oidc(name) if name == issuer))
        };
        let claims = self
            .rules
            .iter()
            .filter(is_named)
            .flat_map(|rule| &rule.claims);
        claims.map(|(name, _)| name.as_str()).collect()
    }

    fn sum(&self, who: &Identity, fits: impl Fn(&RepositoryPattern) -> bool) -> Actions {
        let rules = self.rules.iter();
        let rules =
            rules.filter(|rule| rule.repositories.iter().any(&fits) && self.is_for(rule, who));
        rules.fold(Actions::default(), |sum, rule| sum.with(rule.actions))
    }

    fn is_for(&self, rule: &Rule, identity: &Identity) -> bool {
        rule.who.iter().any(|who| match (who, identity) {
            (Subject::Anonymous, _) => true,
            (Subject::Authenticated, identity) => *identity != Identity::Anonymous,
            (Subject::User(this), Identity::User { name })
            | (Subject::Robot(this), Identity::Robot { name, .. })
            | (Subject::Certificate(this), Identity::Cert { name }) => this == name,
            (Subject::Group(group), Identity::User { name }) => {
                let users = self.groups.get(group);
                users.is_some_and(|users| users.contains(name))
            }
            (Subject::Oidc(this), Identity::Oidc { issuer, claims, .. }) => {
                this == issuer && rule.claims_fit(claims)
            }
            _ => false,
        })
    }
}

impl Rule {
    fn compile(
        number: usize,
        rule: &RuleSettings,
        settings: &AccessSettings,
    ) -> Result<Self, LoadAccessError> {
        for who in &rule.who {
            check(number, who, rule, settings)?;
        }
        let has_oidc = rule.who.iter().any(|who| matches!(who, Subject::Oidc(_)));
        if !rule.claims.is_empty() && !has_oidc {
            return Err(LoadAccessError::UnusedClaims(number));
        }
        let claims = rule.claims.iter().map(|(name, pattern)| {
            let glob = claim_glob(pattern).ok_or_else(|| LoadAccessError::Claim {
                number,
                pattern: pattern.clone(),
            })?;
            Ok((name.clone(), glob))
        });
        Ok(Self {
            repositories: rule.repositories.clone(),
            who: rule.who.clone(),
            actions: rule.allow.iter().copied().collect(),
            claims: claims.collect::<Result<_, _>>()?,
        })
    }

    /// A claim that is not there fits nothing, not even `**`.
    fn claims_fit(&self, claims: &BTreeMap<String, String>) -> bool {
        let mut wanted = self.claims.iter();
        wanted.all(|(name, glob)| claims.get(name).is_some_and(|value| glob.is_match(value)))
    }
}

/// Whom a rule names must be there. Users and robots come and go; the others are a part of
/// the same file.
fn check(
    number: usize,
    who: &Subject,
    rule: &RuleSettings,
    settings: &AccessSettings,
) -> Result<(), LoadAccessError> {
    let (kind, name, known): (_, _, Vec<&String>) = match who {
        Subject::Group(name) => ("group", name, settings.groups.keys().collect()),
        Subject::Oidc(name) => {
            let issuers = settings.issuers.iter().map(|issuer| &issuer.name);
            ("issuer", name, issuers.collect())
        }
        Subject::Certificate(name) => {
            let certificates = settings.certificates.iter().map(|it| &it.name);
            ("certificate", name, certificates.collect())
        }
        _ => return Ok(()),
    };
    if !known.contains(&name) {
        return Err(LoadAccessError::Unknown {
            number,
            kind,
            name: name.clone(),
            known: known.into_iter().cloned().collect(),
        });
    }
    if kind == "issuer" && rule.claims.is_empty() {
        return Err(LoadAccessError::AnyWorkload {
            number,
            issuer: name.clone(),
        });
    }
    Ok(())
}

/// Only the star means something: the other signs of globs are in names of workloads.
fn claim_glob(pattern: &str) -> Option<GlobMatcher> {
    let parts: Vec<String> = pattern.split('*').map(globset::escape).collect();
    let glob = GlobBuilder::new(&parts.join("*"))
        .literal_separator(true)
        .build();
    glob.ok().map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Action;

    fn rules(text: &str) -> Rules {
        Rules::compile(&toml::from_str(text).unwrap()).unwrap()
    }

    fn may(rules: &Rules, who: &Identity, action: Action, repository: &str) -> bool {
        rules
            .allowed(who, &repository.parse().unwrap())
            .contains(action)
    }

    fn user(name: &str) -> Identity {
        Identity::User {
            name: name.to_owned(),
        }
    }

    fn workload(claims: &[(&str, &str)]) -> Identity {
        let claims = claims
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Identity::Oidc {
            issuer: "github".to_owned(),
            name: "x".to_owned(),
            claims: claims.collect(),
        }
    }

    #[test]
    fn a_star_is_one_part_and_two_are_any_number_but_none() {
        let rules = rules(
            "[[rule]]\nrepositories = [\"team/*\"]\nwho = [\"anonymous\"]\nallow = [\"pull\"]\n\
             [[rule]]\nrepositories = [\"deep/**\"]\nwho = [\"anonymous\"]\nallow = [\"pull\"]\n",
        );
        for (repository, expected) in [
            ("team/a", true),
            ("team/a/b", false),
            ("team", false),
            ("teams/a", false),
            ("deep/a/b", true),
            ("deep", false),
            ("x/team/a", false),
        ] {
            let may = may(&rules, &Identity::Anonymous, Action::Pull, repository);
            assert_eq!(may, expected, "{repository}");
        }
    }

    #[test]
    fn rules_add_up_and_what_none_allows_is_refused() {
        let rules = rules(
            "[groups]\ndev = [\"alice\"]\n\
             [[rule]]\nrepositories = [\"**\"]\nwho = [\"authenticated\"]\nallow = [\"pull\"]\n\
             [[rule]]\nrepositories = [\"app\"]\nwho = [\"group:dev\"]\nallow = [\"push\"]\n",
        );
        assert!(may(&rules, &user("alice"), Action::Pull, "app"));
        assert!(may(&rules, &user("alice"), Action::Push, "app"));
        assert!(!may(&rules, &user("alice"), Action::Delete, "app"));
        assert!(!may(&rules, &user("bob"), Action::Push, "app"));
        assert!(!may(&rules, &Identity::Anonymous, Action::Pull, "app"));
    }

    #[test]
    fn a_workload_needs_all_claims_and_a_star_does_not_cross_a_slash() {
        let rules = rules(
            "[[issuer]]\nname = \"github\"\nurl = \"https://x\"\naudience = [\"y\"]\n\
             [[rule]]\nrepositories = [\"**\"]\nwho = [\"oidc:github\"]\nallow = [\"push\"]\n\
             claims = { repository = \"octo/*\", ref = \"refs/heads/main\" }\n",
        );
        let main = ("ref", "refs/heads/main");
        let may = |claims: &[(&str, &str)]| may(&rules, &workload(claims), Action::Push, "app");
        assert!(may(&[("repository", "octo/app"), main]));
        assert!(!may(&[("repository", "octo/app/x"), main]));
        assert!(!may(&[("repository", "evil/octo/app"), main]));
        assert!(!may(&[
            ("repository", "octo/app"),
            ("ref", "refs/heads/main2")
        ]));
        assert!(!may(&[("repository", "octo/app")]));
        assert!(!may(&[]));
    }

    #[test]
    fn signs_of_globs_in_claims_are_letters() {
        let glob = claim_glob("dependabot[bot]?{a}").unwrap();
        assert!(glob.is_match("dependabot[bot]?{a}"));
        assert!(!glob.is_match("dependabotbxa"));
    }

    #[test]
    fn a_rule_for_what_is_not_there_is_refused() {
        let error = |text: &str| {
            let settings: AccessSettings = toml::from_str(text).unwrap();
            Rules::compile(&settings).unwrap_err().to_string()
        };
        let rule = |who: &str| {
            format!("[[rule]]\nrepositories = [\"**\"]\nwho = [\"{who}\"]\nallow = [\"pull\"]\n")
        };
        assert!(error(&rule("group:dev")).contains("no group `dev`"));
        assert!(error(&rule("oidc:github")).contains("no issuer `github`"));
        let issuer = "[[issuer]]\nname = \"github\"\nurl = \"https://x\"\naudience = [\"y\"]\n";
        let any = error(&format!("{issuer}{}", rule("oidc:github")));
        assert!(any.contains("`claims = { sub = \"**\" }`"), "{any}");
    }
}
