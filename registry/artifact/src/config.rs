//! The config blob of a Wasm artifact, `application/vnd.wasm.config.v0+json`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;
use crate::inspection::{Inspection, Kind};
use crate::limits;

/// What a Wasm artifact says of itself (CNCF TAG Runtime, "Wasm OCI Artifact layout").
///
/// The client writes it and nobody has to believe it: see [`WasmConfig::disagreements`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WasmConfig {
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Always `wasm`.
    pub architecture: String,
    /// `wasip2` for components, `wasip1` for core modules.
    pub os: String,
    /// Digests of the layers in the manifest's order.
    pub layer_digests: Vec<Digest>,
    /// What a component imports and exports. Must be there for `wasip2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentClaim>,
}

/// The names in a component's world, with versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentClaim {
    /// Names of exported interfaces and functions.
    #[serde(default)]
    pub exports: Vec<String>,
    /// Names of imported interfaces and functions.
    #[serde(default)]
    pub imports: Vec<String>,
    /// The world that it targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Why bytes are not a Wasm config.
#[derive(Debug, Error)]
pub enum WasmConfigError {
    /// Larger than the limit.
    #[error("a Wasm config has at most {max} bytes, got {0}", max = limits::CONFIG_BYTES)]
    TooLarge(usize),
    /// Not JSON, or not of this shape.
    #[error("the config is not a valid `application/vnd.wasm.config.v0+json`")]
    Json(#[source] serde_json::Error),
}

/// One way in which the config does not say what the bytes are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Disagreement {
    /// The bytes import it, the config does not say so.
    Undeclared {
        /// Name of the import.
        import: String,
    },
    /// The config says that it is imported, the bytes do not import it.
    NotThere {
        /// Name of the import.
        import: String,
    },
    /// `os` is for another kind of Wasm.
    Os {
        /// What the config says.
        claimed: String,
        /// What the bytes call for.
        actual: String,
    },
    /// A component without `component`.
    NoComponent,
    /// `layerDigests` are not the digests of the layers.
    LayerDigests,
}

impl WasmConfig {
    /// The config that is true for one layer with these bytes' inspection.
    pub fn describe(
        inspection: &Inspection,
        layer: Digest,
        created: Option<String>,
        author: Option<String>,
    ) -> Self {
        let names = |items: BTreeSet<&str>| items.into_iter().map(str::to_owned).collect();
        let component = (inspection.kind != Kind::CoreModule).then(|| ComponentClaim {
            exports: names(inspection.export_names()),
            imports: names(inspection.import_names()),
            target: None,
        });
        Self {
            created,
            author,
            architecture: "wasm".to_owned(),
            os: os(inspection.kind).to_owned(),
            layer_digests: vec![layer],
            component,
        }
    }

    /// Reads a config blob.
    pub fn parse(bytes: &[u8]) -> Result<Self, WasmConfigError> {
        if bytes.len() > limits::CONFIG_BYTES {
            return Err(WasmConfigError::TooLarge(bytes.len()));
        }
        serde_json::from_slice(bytes).map_err(WasmConfigError::Json)
    }

    /// The JSON that is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of strings always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Everything that this config says wrongly about a layer with this digest, sorted.
    pub fn disagreements(&self, inspection: &Inspection, layer: &Digest) -> Vec<Disagreement> {
        let mut found = Vec::new();
        if self.os != os(inspection.kind) {
            let (claimed, actual) = (self.os.clone(), os(inspection.kind).to_owned());
            found.push(Disagreement::Os { claimed, actual });
        }
        if self.layer_digests != [layer.clone()] {
            found.push(Disagreement::LayerDigests);
        }
        match &self.component {
            Some(claim) => found.extend(import_disagreements(claim, inspection)),
            None if inspection.kind == Kind::CoreModule => {}
            None => found.push(Disagreement::NoComponent),
        }
        found.sort();
        found
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared { import } => write!(
                formatter,
                "the bytes import `{import}`, the config does not say so"
            ),
            Self::NotThere { import } => {
                write!(
                    formatter,
                    "the config says that `{import}` is imported, the bytes do not import it"
                )
            }
            Self::Os { claimed, actual } => write!(
                formatter,
                "`os` is `{claimed}`, the bytes are for `{actual}`"
            ),
            Self::NoComponent => {
                formatter.write_str("the config has no `component`, which a component must have")
            }
            Self::LayerDigests => {
                formatter.write_str("`layerDigests` are not the digests of the layers")
            }
        }
    }
}

/// The `os` that the layout document has for this kind; it knows no other than these two.
fn os(kind: Kind) -> &'static str {
    match kind {
        Kind::CoreModule => "wasip1",
        Kind::Component | Kind::WitPackage => "wasip2",
    }
}

fn import_disagreements(claim: &ComponentClaim, inspection: &Inspection) -> Vec<Disagreement> {
    let claimed: BTreeSet<&str> = claim.imports.iter().map(String::as_str).collect();
    let actual = inspection.import_names();
    let undeclared = actual
        .difference(&claimed)
        .map(|import| Disagreement::Undeclared {
            import: (*import).to_owned(),
        });
    let not_there = claimed
        .difference(&actual)
        .map(|import| Disagreement::NotThere {
            import: (*import).to_owned(),
        });
    undeclared.chain(not_there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;

    fn inspection() -> Inspection {
        let bytes = wat::parse_str(
            r#"(component
                (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
                (import "wasi:cli/exit@0.2.6" (instance (export "exit" (func)))))"#,
        );
        inspect(&bytes.unwrap()).unwrap()
    }

    fn config() -> (WasmConfig, Digest) {
        let layer = Digest::of(b"layer");
        (
            WasmConfig::describe(&inspection(), layer.clone(), None, None),
            layer,
        )
    }

    #[test]
    fn imports_are_sorted_and_have_versions() {
        let (config, _) = config();
        let expected = ["wasi:cli/exit@0.2.6", "wasi:cli/stdout@0.2.6"];
        assert_eq!(config.component.unwrap().imports, expected);
    }

    #[test]
    fn what_we_write_agrees_with_the_bytes_after_a_round_trip() {
        let (config, layer) = config();
        let config = WasmConfig::parse(&config.to_bytes()).unwrap();
        assert_eq!(config.disagreements(&inspection(), &layer), []);
    }

    #[test]
    fn every_lie_is_found() {
        let (mut config, _) = config();
        config.os = "wasip1".to_owned();
        let claim = config.component.as_mut().unwrap();
        claim.imports = vec![
            "wasi:cli/stdout@0.2.6".to_owned(),
            "wasi:cli/stdin@0.2.6".to_owned(),
        ];
        let found = config.disagreements(&inspection(), &Digest::of(b"another layer"));
        assert_eq!(
            found,
            [
                Disagreement::Undeclared {
                    import: "wasi:cli/exit@0.2.6".to_owned()
                },
                Disagreement::NotThere {
                    import: "wasi:cli/stdin@0.2.6".to_owned()
                },
                Disagreement::Os {
                    claimed: "wasip1".to_owned(),
                    actual: "wasip2".to_owned()
                },
                Disagreement::LayerDigests,
            ]
        );
    }

    #[test]
    fn a_component_without_a_claim_is_a_disagreement() {
        let (mut config, layer) = config();
        config.component = None;
        assert_eq!(
            config.disagreements(&inspection(), &layer),
            [Disagreement::NoComponent]
        );
    }
}
