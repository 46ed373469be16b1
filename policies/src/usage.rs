//! Which parts of a policy some artifacts need, and which nothing needs any more.

use std::collections::BTreeSet;

use jiff::civil::Date;
use wasmport_artifact::{Import, ItemKind};

use crate::decide::{Judge, Ruling};
use crate::facts::Facts;
use crate::finding::Place;
use crate::needs::{Identity, Need, Opened, groups};
use crate::policy::{Allow, Lint, Novelty, Policy, PolicyWarning};

/// What artifacts need of a policy: those that were looked at.
#[derive(Debug)]
pub struct Usage<'a> {
    policy: &'a Policy,
    today: Date,
    /// Entries that admit something.
    needed: BTreeSet<Place>,
    /// Lists of rules and exceptions that are for one of the artifacts.
    asked: BTreeSet<Place>,
    /// Those of them that are for no other artifact.
    own: BTreeSet<Place>,
}

impl<'a> Usage<'a> {
    /// Of no artifact yet.
    pub fn of(policy: &'a Policy, today: Date) -> Self {
        Self {
            policy,
            today,
            needed: BTreeSet::new(),
            asked: BTreeSet::new(),
            own: BTreeSet::new(),
        }
    }

    /// Looks at one more artifact.
    pub fn add(&mut self, facts: &Facts) {
        let rule = self.policy.rule(&facts.repository);
        let judge = Judge::new(self.policy, rule, facts, self.today);
        self.asked.extend(rule.map(|rule| rule.allow.place.clone()));
        let exceptions = self.policy.exceptions().iter();
        for exception in exceptions.filter(|it| it.is_for(&facts.repository, &facts.digest)) {
            self.asked.insert(exception.allow.place.clone());
            let digests = exception.digests.as_ref();
            if digests.is_some_and(|digests| digests.len() == 1) {
                self.own.insert(exception.allow.place.clone());
            }
        }
        for (_, inspection) in facts.content.inspections() {
            let opened = Opened::of(inspection);
            for import in groups(inspection).into_iter().flatten() {
                self.add_import(&judge, import, &opened);
            }
        }
    }

    fn add_import(&mut self, judge: &Judge<'_>, import: &Import, opened: &Opened) {
        let is_callable = matches!(
            import.kind,
            ItemKind::Instance | ItemKind::Func | ItemKind::Core
        );
        for name in Identity::all_of(import).iter().filter(|_| is_callable) {
            for need in name.needs(import, opened) {
                self.add_need(judge, import, name, &need);
            }
        }
    }

    fn add_need(&mut self, judge: &Judge<'_>, import: &Import, name: &Identity, need: &Need) {
        let ruling = judge.rule_on(import, name, need);
        let novelty = judge.rule.and_then(|rule| rule.new_capabilities.as_ref());
        // What is allowed may be new, and pass by an exception as such.
        let may_be_new = novelty.is_some_and(|novelty| novelty.value != Novelty::Allow);
        if may_be_new || matches!(ruling, Ruling::Excepted(..)) {
            let entries = judge.excepting(import, name, need);
            self.needed.extend(entries.map(|entry| entry.place.clone()));
        }
        let rule = judge.rule.filter(|_| matches!(ruling, Ruling::Allowed(_)));
        let entries = rule.into_iter().flat_map(|rule| &rule.allow.entries);
        let entries = entries.filter(|entry| entry.admits(import, name, need));
        self.needed.extend(entries.map(|entry| entry.place.clone()));
    }

    /// What makes no sense in the policy by itself, and exceptions for one artifact alone that
    /// it does not need: other artifacts say nothing about these.
    pub fn warnings(&self) -> Vec<PolicyWarning> {
        let mut found = self.plain();
        let exceptions = self.policy.exceptions().iter();
        for exception in exceptions.filter(|it| self.own.contains(&it.allow.place)) {
            let why = "the artifact that this exception is for";
            self.not_needed(
                &exception.allow,
                &format!("{why} does not need"),
                &mut found,
            );
        }
        sorted(found)
    }

    /// The same, and what none of the artifacts needs: as good as never needed, where these are
    /// all that there are.
    pub fn warnings_of_all(&self) -> Vec<PolicyWarning> {
        let mut found = self.plain();
        let holding = self.policy.exceptions().iter();
        for exception in holding.filter(|exception| exception.holds(self.today)) {
            if self.asked.contains(&exception.allow.place) {
                let who = "nothing that was looked at needs, by this exception,";
                self.not_needed(&exception.allow, who, &mut found);
            } else {
                let message = "nothing that was looked at is what this exception is for";
                found.push(not_needed(&exception.allow.place, message.to_owned()));
            }
        }
        let rules = self.policy.rules().iter();
        for rule in rules.filter(|_| !self.policy.is_preset()) {
            if self.asked.contains(&rule.allow.place) {
                self.not_needed(&rule.allow, "nothing that was looked at needs", &mut found);
            } else {
                let message = format!("nothing that was looked at is for rule `{}`", rule.id);
                found.push(not_needed(&rule.place, message));
            }
        }
        sorted(found)
    }

    /// Without names that are not known, and needed nevertheless.
    fn plain(&self) -> Vec<PolicyWarning> {
        let mut found = self.policy.warnings(self.today);
        found.retain(|it| it.code != Lint::UnknownName || !self.needed.contains(&it.place));
        found
    }

    fn not_needed(&self, allow: &Allow, who: &str, found: &mut Vec<PolicyWarning>) {
        let entries = allow.entries.iter();
        for entry in entries.filter(|entry| !self.needed.contains(&entry.place)) {
            let message = format!("{who} `{}`", entry.text);
            found.push(not_needed(&entry.place, message));
        }
    }
}

fn not_needed(place: &Place, message: String) -> PolicyWarning {
    PolicyWarning::new(place.clone(), Lint::NotNeeded, message)
}

fn sorted(mut found: Vec<PolicyWarning>) -> Vec<PolicyWarning> {
    // Of what is said of one place, that it ended or has no effect says more.
    let said: BTreeSet<Place> = found
        .iter()
        .filter(|it| it.code != Lint::NotNeeded)
        .map(|it| it.place.clone())
        .collect();
    found.retain(|it| it.code != Lint::NotNeeded || !said.contains(&it.place));
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
