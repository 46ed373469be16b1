//! What a policy says of one import: which entry admits it, or which refuses it.

use jiff::civil::Date;
use wasmport_artifact::Import;

use crate::facts::Facts;
use crate::needs::{Identity, Need};
use crate::policy::{Allowed, Deny, Exception, Otherwise, Policy, Rule};

/// A policy as it applies to one artifact on one day.
pub(crate) struct Judge<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) facts: &'a Facts,
    /// Exceptions that are for the artifact and hold.
    exceptions: Vec<&'a Exception>,
    /// Exceptions that were for the artifact, and hold no more.
    expired: Vec<&'a Exception>,
    pub(crate) today: Date,
}

/// What the policy says of an import, for one of its needs.
pub(crate) enum Ruling<'a> {
    /// An entry of the rule allows it.
    Allowed(&'a Allowed),
    /// An entry of an exception allows it.
    Excepted(&'a Exception, &'a Allowed),
    /// No rule is for the repository, and what no rule is for is taken.
    Unruled,
    /// An entry denies it, of the rule or, with none, everywhere.
    Denied {
        by: &'a Deny,
        rule: Option<&'a Rule>,
        /// The functions that are denied.
        functions: Vec<String>,
    },
    /// No entry of the rule allows it.
    NotAllowed(&'a Rule),
    /// No rule is for the repository, and what no rule is for is refused.
    NoRule,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        policy: &'a Policy,
        rule: Option<&'a Rule>,
        facts: &'a Facts,
        today: Date,
    ) -> Self {
        let exceptions = policy.exceptions().iter();
        let own = exceptions.filter(|it| it.is_for(&facts.repository, &facts.digest));
        let (exceptions, expired) = own.partition(|exception| exception.holds(today));
        Self {
            policy,
            rule,
            facts,
            exceptions,
            expired,
            today,
        }
    }

    /// What holds for `import`, under the name `identity`, for `need`. What is denied
    /// everywhere comes first; an exception is looked for where the rule refuses.
    pub(crate) fn rule_on(&self, import: &Import, identity: &Identity, need: &Need) -> Ruling<'a> {
        let denied = |deny: &'a [Deny], rule| {
            deny.iter().find_map(|by| {
                let functions = by.denies(import, identity, need)?;
                Some(Ruling::Denied {
                    by,
                    rule,
                    functions,
                })
            })
        };
        if let Some(denied) = denied(&self.policy.always().deny, None) {
            return denied;
        }
        let excepted = || {
            let (exception, entry) = find(&self.exceptions, import, identity, need)?;
            Some(Ruling::Excepted(exception, entry))
        };
        let Some(rule) = self.rule else {
            return match self.policy.default().0 {
                Otherwise::Allow => Ruling::Unruled,
                Otherwise::Deny => Ruling::NoRule,
            };
        };
        if let Some(denied) = denied(&rule.deny, Some(rule)) {
            return excepted().unwrap_or(denied);
        }
        match rule.allow.admitting(import, identity, need) {
            Some(entry) => Ruling::Allowed(entry),
            None => excepted().unwrap_or(Ruling::NotAllowed(rule)),
        }
    }

    /// The exception that lets this pass, whether the rule refuses it or not.
    pub(crate) fn excepted(
        &self,
        import: &Import,
        identity: &Identity,
        need: &Need,
    ) -> Option<&'a Exception> {
        find(&self.exceptions, import, identity, need).map(|(exception, _)| exception)
    }

    /// Every entry of an exception that lets this pass.
    pub(crate) fn excepting<'b>(
        &'b self,
        import: &'b Import,
        identity: &'b Identity,
        need: &'b Need,
    ) -> impl Iterator<Item = &'a Allowed> + use<'a, 'b> {
        let entries = self.exceptions.iter().flat_map(|it| &it.allow.entries);
        entries.filter(|entry| entry.admits(import, identity, need))
    }

    /// The exception that would admit this, had it not ended.
    pub(crate) fn expired_for(
        &self,
        import: &Import,
        identity: &Identity,
        need: &Need,
    ) -> Option<&'a Exception> {
        find(&self.expired, import, identity, need).map(|(exception, _)| exception)
    }
}

fn find<'a>(
    exceptions: &[&'a Exception],
    import: &Import,
    identity: &Identity,
    need: &Need,
) -> Option<(&'a Exception, &'a Allowed)> {
    exceptions.iter().find_map(|exception| {
        let entry = exception.allow.admitting(import, identity, need)?;
        Some((*exception, entry))
    })
}
