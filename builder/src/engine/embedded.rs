//! Binaryen 116, compiled in.

use std::collections::BTreeSet;
use std::fs;

use wasm_opt::{Feature, OptimizationOptions, Pass};
use wasmport_artifact::with_causes;

use super::EngineError;
use crate::options::Names;

pub(super) const NAME: &str = "Binaryen 116";

/// `wasm-opt -Oz`. Binaryen is C++ and a failed assertion in it would take the process with
/// it, so it only ever gets modules that are valid.
pub(super) fn run(
    module: &[u8],
    features: &BTreeSet<&'static str>,
    names: Names,
) -> Result<Vec<u8>, EngineError> {
    // Binaryen reads and writes files only.
    let directory = tempfile::tempdir()?;
    let (from, to) = (directory.path().join("in"), directory.path().join("out"));
    fs::write(&from, module)?;
    let mut options = OptimizationOptions::new_optimize_for_size_aggressively();
    options
        .reader_file_type(wasm_opt::FileType::Wasm)
        .writer_file_type(wasm_opt::FileType::Wasm)
        .mvp_features_only();
    match names {
        Names::Dropped => options.add_pass(Pass::StripDebug),
        Names::Kept => options.debug_info(true),
    };
    for name in features {
        options.enable_feature(feature(name)?);
    }
    options
        .run(&from, &to)
        .map_err(|error| EngineError::Binaryen(format!("{NAME}: {}", with_causes(&error))))?;
    Ok(fs::read(&to)?)
}

fn feature(name: &str) -> Result<Feature, EngineError> {
    // The crate has another name for this one than Binaryen has.
    let name = if name == "multimemory" {
        "multi-memory"
    } else {
        name
    };
    name.parse()
        .map_err(|_| EngineError::Binaryen(format!("{NAME} does not know the feature `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_code_goes() {
        let module = wat::parse_str(
            r#"(module
                (func (export "kept") (result i32) (i32.add (i32.const 40) (i32.const 2)))
                (func $dropped (drop (i32.const 7))))"#,
        );
        let module = module.unwrap();
        let optimized = run(&module, &BTreeSet::new(), Names::Dropped).unwrap();
        assert!(optimized.len() < module.len());
        wasmparser::Validator::new()
            .validate_all(&optimized)
            .unwrap();
    }

    #[test]
    fn every_feature_that_we_name_is_known() {
        let module = wat::parse_str(r#"(module (@custom "target_features" "\00"))"#).unwrap();
        for name in crate::features::names() {
            run(&module, &BTreeSet::from([name]), Names::Dropped).unwrap();
        }
    }

    #[test]
    fn a_module_that_binaryen_cannot_read_is_an_error_and_no_crash() {
        let future = wat::parse_str("(module (type (struct (field (mut i31ref)))) (tag))");
        assert!(run(&future.unwrap(), &BTreeSet::new(), Names::Dropped).is_err());
    }
}
