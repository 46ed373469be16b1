//! The policies that come with this version.

/// What the file names of presets begin with.
pub(super) const PREFIX: &str = "preset:";

/// Names, from the one that a server runs without a policy.
pub(super) const NAMES: &[&str] = &["standard", "http-service", "pure", "permissive"];

/// What is to be filled in before it is a policy: it needs keys, which no preset has.
pub(super) const TEMPLATE: &str = "strict";

/// The text of a preset.
pub(super) fn text(name: &str) -> Option<&'static str> {
    match name {
        "standard" => Some(include_str!("../../presets/standard.toml")),
        "http-service" => Some(include_str!("../../presets/http-service.toml")),
        "pure" => Some(include_str!("../../presets/pure.toml")),
        "permissive" => Some(include_str!("../../presets/permissive.toml")),
        _ => None,
    }
}

/// The text of a preset, or of the one that is to be filled in.
pub(super) fn start(name: &str) -> Option<&'static str> {
    if name == TEMPLATE {
        return Some(include_str!("../../presets/strict.toml"));
    }
    text(name)
}
