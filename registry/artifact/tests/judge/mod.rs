//! What must hold of any bytes.

mod opinion;

use std::num::NonZeroUsize;

use wasmport_artifact::{
    Comparison, FunctionTypes, InspectError, Inspection, Inspector, ItemKind, Obstacle,
    OriginError, examine, inspect, origins, validate,
};

/// What became of bytes that hold what must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Valid, and so inspected.
    Valid,
    /// Refused.
    Invalid,
}

/// Inspects and validates `bytes`; `Err` tells what does not fit together.
pub(crate) fn judge(bytes: &[u8]) -> Result<Verdict, String> {
    let inspected = inspect(bytes);
    let valid = validate(bytes);
    let examined = examine(bytes, NonZeroUsize::MIN);
    match (&valid, &examined) {
        (Ok(()), Ok(_))
        | (Err(_), Err(_))
        | (_, Err(InspectError::TooDeep | InspectError::TooManyItems)) => {}
        _ => return Err(format!("validate says {valid:?}, and examine {examined:?}")),
    }
    if let Ok(inspected) = &inspected {
        opinion::compare(inspected, bytes)?;
    }
    streamed(bytes, examined.as_ref().ok())?;
    traced(bytes, inspected.as_ref().ok().filter(|_| valid.is_ok()))?;
    let Ok(examined) = examined else {
        return Ok(Verdict::Invalid);
    };
    compared(bytes, &examined)?;
    let inspected = inspected.map_err(|error| format!("valid, and not inspected: {error:?}"))?;
    let is_same = inspected.imports == examined.imports
        && inspected.exports == examined.exports
        && inspected.features.is_subset(&examined.features);
    if is_same {
        Ok(Verdict::Valid)
    } else {
        Err("inspection and examination differ".to_owned())
    }
}

/// What is valid can be traced, and each of its functions is named; other bytes do no harm.
fn traced(bytes: &[u8], valid: Option<&Inspection>) -> Result<(), String> {
    let traced = match (origins(bytes, &[]), valid) {
        (_, None) | (Err(OriginError::TooMuchToLink | OriginError::TooLong), _) => return Ok(()),
        (Err(error), Some(_)) => return Err(format!("valid, and not traced: {error:?}")),
        (Ok(traced), Some(_)) => traced,
    };
    let imports = valid.into_iter().flat_map(|valid| &valid.imports);
    for import in imports.filter(|import| import.kind == ItemKind::Instance) {
        let found = traced.functions.iter();
        let found = found.filter(|origin| origin.import == import.name);
        let named: Vec<_> = found
            .filter_map(|origin| origin.function.as_ref())
            .collect();
        if let Some(missing) = import.functions.iter().find(|name| !named.contains(name)) {
            return Err(format!("`{missing}` of `{}` is not traced", import.name));
        }
    }
    Ok(())
}

/// What is valid has types that can be written out, and differs in nothing from itself.
fn compared(bytes: &[u8], examined: &Inspection) -> Result<(), String> {
    let types = match FunctionTypes::of(bytes, examined) {
        Ok(types) => types,
        Err(InspectError::TooManyItems | InspectError::TooDeep) => return Ok(()),
        Err(error) => return Err(format!("valid, and its types are not read: {error:?}")),
    };
    let found = Comparison::with_types((examined, &types), (examined, &types));
    // Of some imports nobody can say what they ask for, and so neither that it is the same.
    let is_unknown = |obstacle: &Obstacle| matches!(obstacle, Obstacle::ImportGrew { functions, .. } if functions.is_empty());
    let can_replace = found.obstacles.iter().all(is_unknown);
    if can_replace && found.imports.is_empty() && found.exports.is_empty() {
        Ok(())
    } else {
        Err(format!("it differs from itself: {found:?}"))
    }
}

/// In pieces it is what it is in one.
fn streamed(bytes: &[u8], examined: Option<&Inspection>) -> Result<(), String> {
    let mut inspector = Inspector::new();
    let mut pieces = bytes.chunks(bytes.len() / 7 + 1);
    let pushed = pieces.try_for_each(|piece| inspector.push(piece));
    let inspected = pushed.and_then(|()| inspector.finish());
    if inspected.as_ref().ok() == examined {
        Ok(())
    } else {
        Err(format!(
            "in pieces it is {inspected:?}, and in one {examined:?}"
        ))
    }
}
