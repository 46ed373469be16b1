//! Findings on what may be asked everywhere: sizes, tags that stay, and what was not seen.

use wasmport_artifact::media_type;

use super::{effect, finding};
use crate::facts::{Content, Facts, Unseen};
use crate::finding::{Code, Effect, Finding};
use crate::policy::{Inspect, Limits, Placed, Policy, Rule, Size};

/// What holds everywhere; no rule and no mode loosens it.
pub(super) fn everywhere(policy: &Policy, facts: &Facts) -> Vec<Finding> {
    all(&policy.always().limits, facts)
}

/// What the rule says. Where it says nothing on what could not be seen, that is a warning.
pub(super) fn of_rule(rule: &Rule, facts: &Facts) -> Vec<Finding> {
    let found = all(&rule.limits, facts).into_iter();
    let mut found: Vec<Finding> = found
        .map(|finding| Finding {
            rule: Some(rule.id.clone()),
            effect: effect(rule, finding.effect),
            ..finding
        })
        .collect();
    if rule.limits.inspect.is_none() {
        found.extend(half_seen(facts));
    }
    found
}

fn all(limits: &Limits, facts: &Facts) -> Vec<Finding> {
    let size = limits.max_size.as_ref().and_then(|max| size(max, facts));
    let mut found: Vec<Finding> = size.into_iter().collect();
    found.extend(tags(limits, facts));
    found.extend(
        limits
            .inspect
            .iter()
            .flat_map(|inspect| seen(inspect, facts)),
    );
    found
}

/// What lies in the layers counts, and what the bytes were found to be where that is more.
fn size(max: &Placed<Size>, facts: &Facts) -> Option<Finding> {
    let inspections = facts.content.inspections();
    let wasm = inspections.map(|(_, inspection)| inspection.size).max();
    let limit = max.value;
    let Some(claimed) = facts.size else {
        return Some(Finding {
            place: Some(max.place.clone()),
            ..finding(
                Code::CannotEvaluate,
                Effect::Deny,
                format!("at most {limit} is taken, and how large this is, is not known"),
                "give the facts a `size`".to_owned(),
            )
        });
    };
    // Files inside layers may be compressed, and so larger than the layers.
    let is_own = matches!(facts.content, Content::Wasm { .. });
    let got = Size(claimed.max(wasm.filter(|_| is_own).unwrap_or_default()));
    if got <= limit {
        return None;
    }
    let help = if is_own {
        "optimise it: `wasmport build` does, and leaves out debug information"
    } else {
        "make it smaller, or push it to where more is taken"
    };
    Some(Finding {
        place: Some(max.place.clone()),
        allowed: [limit.to_string()].into_iter().collect(),
        ..finding(
            Code::TooLarge,
            Effect::Deny,
            format!("this has {got}, and at most {limit} is taken"),
            help.to_owned(),
        )
    })
}

/// Tags that point to something else already, and shall stay there.
fn tags(limits: &Limits, facts: &Facts) -> Vec<Finding> {
    let moved = facts.tags.iter().filter_map(|tag| {
        let place = limits.keep(&tag.name)?;
        let before = tag.points_to.as_ref()?;
        if *before == facts.digest {
            return None;
        }
        let message = format!("the tag `{}` is on `{before}`, and stays there", tag.name);
        let help = "push it under another tag, such as the next version";
        Some(Finding {
            place: Some(place.clone()),
            ..finding(Code::TagImmutable, Effect::Deny, message, help.to_owned())
        })
    });
    moved.collect()
}

/// What could not be looked into, where everything must be.
fn seen(inspect: &Placed<Inspect>, facts: &Facts) -> Vec<Finding> {
    if inspect.value == Inspect::WherePossible {
        return half_seen(facts);
    }
    let place = Some(inspect.place.clone());
    let refused = |message| Finding {
        place: place.clone(),
        ..not_inspected(Effect::Deny, message)
    };
    match &facts.content {
        Content::Image { unseen, .. } => unseen
            .iter()
            .map(|part| Finding {
                path: path(part),
                ..refused(not_seen(part))
            })
            .collect(),
        // An index has no layers of its own, and its parts are judged by themselves.
        Content::Other if !is_index(facts) => vec![refused(not_known(facts))],
        _ => Vec::new(),
    }
}

/// Wasm was found, and beside it something that could not be looked into.
fn half_seen(facts: &Facts) -> Vec<Finding> {
    let Content::Image { wasm, unseen, .. } = &facts.content else {
        return Vec::new();
    };
    let unseen = unseen.iter().filter(|_| !wasm.is_empty());
    let warned = unseen.map(|part| Finding {
        path: path(part),
        ..not_inspected(Effect::Warn, not_seen(part))
    });
    warned.collect()
}

fn not_inspected(effect: Effect, message: String) -> Finding {
    let help = "push the WebAssembly as an artifact of its own: `wasmport push FILE REF`";
    finding(Code::NotInspected, effect, message, help.to_owned())
}

fn is_index(facts: &Facts) -> bool {
    let kind = facts.media_type.as_deref();
    facts.layers.is_empty() && kind.is_some_and(media_type::is_index)
}

fn not_known(facts: &Facts) -> String {
    let of = match (facts.layers.as_slice(), &facts.media_type) {
        ([], None) => return "what it holds is not known".to_owned(),
        ([], Some(kind)) => return format!("what a `{kind}` holds is not known"),
        (layers, _) => layers.join("`, `"),
    };
    format!("what its layers hold is not known (`{of}`)")
}

fn not_seen(part: &Unseen) -> String {
    let what = match part.path.as_str() {
        "" => format!("the layer `{}`", part.layer),
        path => format!("`{path}` in the layer `{}`", part.layer),
    };
    format!("{what} cannot be looked into: {}", part.reason)
}

fn path(part: &Unseen) -> Option<String> {
    Some(part.path.clone()).filter(|path| !path.is_empty())
}
