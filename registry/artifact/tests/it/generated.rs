//! Modules and components that nobody would write, and what is left of them when bytes change.

use arbitrary::Unstructured;
use proptest::collection::vec;
use proptest::prelude::*;
use wasm_smith::{Component, Config, Module};

use super::composed::composed;
use super::judge::{Verdict, judge};

fn module(seed: &[u8]) -> Option<Vec<u8>> {
    let config = Config {
        max_imports: 20,
        threads_enabled: true,
        memory64_enabled: true,
        compact_imports_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    };
    let module = Module::new(config, &mut Unstructured::new(seed)).ok()?;
    Some(module.to_bytes())
}

fn component(seed: &[u8]) -> Option<Vec<u8>> {
    let component = Component::new(Config::default(), &mut Unstructured::new(seed)).ok()?;
    Some(component.to_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn generated_modules_are_valid_and_inspected(seed in vec(any::<u8>(), 0..4096)) {
        if let Some(bytes) = module(&seed) {
            prop_assert_eq!(judge(&bytes), Ok(Verdict::Valid));
        }
    }

    #[test]
    fn generated_components_are_judged_alike(seed in vec(any::<u8>(), 0..4096)) {
        if let Some(bytes) = component(&seed) {
            prop_assert!(judge(&bytes).is_ok(), "{:?}", judge(&bytes));
        }
    }

    #[test]
    fn composed_components_are_judged_alike(seed in vec(any::<u8>(), 0..600)) {
        if let Ok(text) = composed(&mut Unstructured::new(&seed)) {
            let bytes = wat::parse_str(&text).unwrap();
            prop_assert!(judge(&bytes).is_ok(), "{text}\n{:?}", judge(&bytes));
        }
    }

    #[test]
    fn changed_bytes_are_judged_alike(
        seed in vec(any::<u8>(), 0..2048),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        is_component in any::<bool>(),
    ) {
        let bytes = if is_component { component(&seed) } else { module(&seed) };
        if let Some(mut bytes) = bytes {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            prop_assert!(judge(&bytes).is_ok(), "{:?}", judge(&bytes));
        }
    }
}
