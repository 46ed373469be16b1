//! Every core module of a component made small, without changing what the component asks
//! of its host.

use std::collections::BTreeSet;
use std::time::Instant;

use wasmport_artifact::{Import, Inspection, inspect, validate, with_causes};

use crate::core_modules;
use crate::engine::Optimizer;
use crate::event::Event;
use crate::features;
use crate::options::Names;

/// Below this many bytes a module is the glue that wit-component adds: tables and
/// trampolines, in which there is nothing to gain.
const SMALLEST: usize = 1024;

/// Optimises `component`, which is valid. A module with which anything goes wrong stays as
/// it was, and so does the whole component if the result is not what it must be: an
/// artifact that is larger than it could be is better than none.
pub(crate) fn optimize(
    component: Vec<u8>,
    optimizer: &Optimizer,
    names: Names,
    progress: &mut dyn FnMut(Event),
) -> Vec<u8> {
    let name = match optimizer.describe() {
        Ok(Some(name)) => name,
        Ok(None) => return component,
        Err(error) => {
            progress(kept(&error.to_string()));
            return component;
        }
    };
    let rewritten = core_modules::rewrite(&component, names, |module| {
        optimize_module(module, (optimizer, names), &name, progress)
    });
    let checked = rewritten
        .map_err(|error| error.to_string())
        .and_then(|rewritten| check(&component, rewritten));
    checked.unwrap_or_else(|reason| {
        progress(kept(&reason));
        component
    })
}

fn optimize_module(
    module: Vec<u8>,
    optimizer: (&Optimizer, Names),
    name: &str,
    progress: &mut dyn FnMut(Event),
) -> Vec<u8> {
    if module.len() < SMALLEST {
        return module;
    }
    let before = module.len() as u64;
    progress(Event::Optimizing {
        optimizer: name.to_owned(),
        size: before,
    });
    let started = Instant::now();
    match smaller(&module, optimizer) {
        Ok(small) => {
            progress(Event::Optimized {
                before,
                after: small.len() as u64,
                duration: started.elapsed(),
            });
            small
        }
        Err(reason) => {
            progress(Event::ModuleKept {
                size: before,
                reason,
            });
            module
        }
    }
}

fn kept(reason: &str) -> Event {
    Event::ComponentKept {
        reason: reason.to_owned(),
    }
}

/// The module made smaller, or why it is not.
fn smaller(module: &[u8], (optimizer, names): (&Optimizer, Names)) -> Result<Vec<u8>, String> {
    validate(module)
        .map_err(|error| format!("it is not valid by itself: {}", with_causes(&error)))?;
    let small = optimizer
        .run(module, &features::of(module), names)
        .map_err(|error| error.to_string())?;
    if small.len() >= module.len() {
        return Err("it became no smaller".to_owned());
    }
    validate(&small)
        .map_err(|error| format!("what came back is not valid: {}", with_causes(&error)))?;
    let (before, after) = (read(module)?, read(&small)?);
    if export_names(&before) != export_names(&after) {
        return Err("what came back has other exports".to_owned());
    }
    Ok(small)
}

/// `after`, if it is valid, no larger, and asks and offers exactly what `before` does.
fn check(before: &[u8], after: Vec<u8>) -> Result<Vec<u8>, String> {
    validate(&after).map_err(|error| {
        format!(
            "the optimised component is not valid: {}",
            with_causes(&error)
        )
    })?;
    let (found, expected) = (read(&after)?, read(before)?);
    if after.len() > before.len() {
        return Err("it became no smaller".to_owned());
    }
    if !is_same_world(&expected, &found) {
        return Err("the optimised component has other imports or exports".to_owned());
    }
    Ok(after)
}

fn is_same_world(before: &Inspection, after: &Inspection) -> bool {
    if before.kind == wasmport_artifact::Kind::CoreModule {
        // The optimizer may find that a core module never calls an import.
        let known: BTreeSet<_> = before.imports.iter().flat_map(functions).collect();
        let remain = after.imports.iter().flat_map(functions);
        return export_names(before) == export_names(after)
            && remain.into_iter().all(|import| known.contains(&import));
    }
    before.imports == after.imports && before.exports == after.exports
}

fn functions(import: &Import) -> impl Iterator<Item = (&str, &str)> {
    let names = import.functions.iter();
    names.map(|function| (import.name.as_str(), function.as_str()))
}

fn export_names(inspection: &Inspection) -> BTreeSet<&str> {
    let names = inspection.exports.iter();
    names.map(|export| export.name.as_str()).collect()
}

fn read(bytes: &[u8]) -> Result<Inspection, String> {
    inspect(bytes).map_err(|error| with_causes(&error))
}

#[cfg(test)]
mod tests;
