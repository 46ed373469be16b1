//! A value of a policy file together with its place.

use crate::finding::Place;

/// A value, and where the file says it.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) place: Place,
    pub(crate) value: T,
}
