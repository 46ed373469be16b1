//! The policies that come with this version.

/// What the file names of presets begin with.
pub(super) const PREFIX: &str = "preset:";

/// Names, from the one that a server runs without a policy.
pub(super) const NAMES: &[&str] = &["standard", "http-service", "pure", "permissive"];

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
