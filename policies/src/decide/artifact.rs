//! Findings on an artifact as a whole: what it is, and where it goes.

use wasmport_artifact::{Disagreement, Kind};

use super::{effect, finding};
use crate::decision::Gathered;
use crate::facts::{Content, Facts, Unseen};
use crate::finding::{Code, Effect, Finding};
use crate::policy::{KindShape, Otherwise, Policy, Rule, one_of};

/// What no policy admits: Wasm that cannot be read, or that is not what it says.
pub(super) fn content(facts: &Facts, found: &mut Gathered) {
    match &facts.content {
        Content::Wasm { disagreements, .. } => found.extend(disagreements.iter().map(disagrees)),
        Content::Unreadable { reason } => found.push(finding(
            Code::UnreadableWasm,
            Effect::Deny,
            format!("this claims to be WebAssembly and cannot be read: {reason}"),
            "push the component or module as the compiler made it: in one layer, not \
             compressed and not precompiled"
                .to_owned(),
        )),
        Content::Image { unreadable, .. } => {
            found.extend(unreadable.iter().map(unreadable_inside));
        }
        Content::Attachment | Content::Other => {}
    }
}

/// Wasm in a layer, which a runtime may take differently than we do.
fn unreadable_inside(part: &Unseen) -> Finding {
    let what = match part.path.as_str() {
        "" => format!("the layer `{}`", part.layer),
        path => format!("`{path}` in the layer `{}`", part.layer),
    };
    Finding {
        path: Some(part.path.clone()).filter(|path| !path.is_empty()),
        ..finding(
            Code::UnreadableWasm,
            Effect::Deny,
            format!(
                "{what} is WebAssembly that cannot be judged: {}",
                part.reason
            ),
            "leave it out of the image, or put it there as the compiler made it".to_owned(),
        )
    }
}

fn disagrees(disagreement: &Disagreement) -> Finding {
    let (message, import) = match disagreement {
        Disagreement::Undeclared { import } => (
            format!("the bytes import `{import}`, and the config does not say so"),
            Some(import.clone()),
        ),
        Disagreement::NotThere { import } => (
            format!("the config says that `{import}` is imported, and the bytes do not import it"),
            Some(import.clone()),
        ),
        Disagreement::Os { claimed, actual } => (
            format!("the config says `os` is `{claimed}`, and the bytes are for `{actual}`"),
            None,
        ),
        Disagreement::NoComponent => (
            "the config has no `component`, and the bytes are a component".to_owned(),
            None,
        ),
        Disagreement::LayerDigests => (
            "`layerDigests` of the config are not the digests of the layers".to_owned(),
            None,
        ),
    };
    let help = "write the config from the bytes: `wasmport push FILE REF` does";
    Finding {
        import,
        ..finding(
            Code::ConfigDisagrees,
            Effect::Deny,
            message,
            help.to_owned(),
        )
    }
}

/// No rule is for the repository, and the policy takes nothing there.
pub(super) fn no_rule(policy: &Policy, facts: &Facts) -> Option<Finding> {
    let (Otherwise::Deny, place) = policy.default() else {
        return None;
    };
    let message = format!(
        "no rule is for the repository `{}`, and without one nothing is taken",
        facts.repository
    );
    let help = "push to a repository that a rule is for, or add a `[[rule]]` with this one in \
                its `repositories`";
    Some(Finding {
        place: place.cloned(),
        ..finding(Code::NoRule, Effect::Deny, message, help.to_owned())
    })
}

/// The rule does not take this kind of artifact. Attachments are no kind of their own:
/// where something is taken it can be signed.
pub(super) fn kind(rule: &Rule, facts: &Facts) -> Option<Finding> {
    let kind = match &facts.content {
        Content::Attachment if !facts.is_attached() => KindShape::Other,
        Content::Wasm { inspection, .. } => match inspection.kind {
            Kind::Component => KindShape::Component,
            Kind::CoreModule => KindShape::CoreModule,
            Kind::WitPackage => KindShape::WitPackage,
        },
        Content::Image {
            wasm, unreadable, ..
        } if !wasm.is_empty() || !unreadable.is_empty() => KindShape::WasmImage,
        Content::Image { .. } | Content::Other => KindShape::Other,
        // That it cannot be read is a finding already.
        Content::Unreadable { .. } | Content::Attachment => return None,
    };
    let kinds = rule.kinds.as_ref()?;
    if kinds.value.contains(&kind) {
        return None;
    }
    let names: Vec<&str> = kinds.value.iter().map(|kind| kind.as_str()).collect();
    let what = match kind {
        KindShape::Other => "no WebAssembly",
        KindShape::Component => "a component",
        KindShape::CoreModule => "a core module",
        KindShape::WitPackage => "a WIT package",
        KindShape::WasmImage => "an image with WebAssembly inside",
    };
    let expected = one_of(names.iter().copied());
    let message = format!("this is {what}, and rule `{}` takes {expected}", rule.id);
    let help = match kind {
        KindShape::CoreModule => {
            "build a component: `cargo build --target wasm32-wasip2`, or `wasmport build`"
                .to_owned()
        }
        other => format!(
            "push it elsewhere, or add `\"{}\"` to `kinds` of the rule",
            other.as_str()
        ),
    };
    Some(Finding {
        rule: Some(rule.id.clone()),
        place: Some(kinds.place.clone()),
        allowed: names.iter().copied().collect(),
        ..finding(
            Code::KindNotAllowed,
            effect(rule, Effect::Deny),
            message,
            help,
        )
    })
}
