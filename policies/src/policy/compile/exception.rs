//! Reads one exception.

use std::collections::BTreeSet;

use toml::Spanned;
use wasmport_artifact::Digest;

use super::Reader;
use super::names::day;
use crate::policy::error::{PolicyError, Problem};
use crate::policy::exception::Exception;
use crate::policy::file::ExceptionShape;
use crate::policy::placed::Placed;

impl Reader<'_> {
    pub(super) fn exception(&self, shape: ExceptionShape) -> Result<Exception, PolicyError> {
        if shape.reason.get_ref().trim().is_empty() {
            return Err(self.error(&shape.reason.span(), Problem::NoReason));
        }
        if shape.allow.get_ref().is_empty() {
            return Err(self.error(&shape.allow.span(), Problem::NothingAllowed));
        }
        let digests = shape.digests.as_ref().map(|list| self.digests(list));
        Ok(Exception {
            repositories: self.repositories(&shape.repositories)?,
            digests: digests.transpose()?,
            allow: self.allow(shape.allow)?,
            reason: shape.reason.into_inner(),
            expires: Placed {
                place: self.place(&shape.expires.span()),
                value: day(self.source, &shape.expires)?,
            },
        })
    }

    fn digests(
        &self,
        list: &Spanned<Vec<Spanned<String>>>,
    ) -> Result<BTreeSet<Digest>, PolicyError> {
        if list.get_ref().is_empty() {
            return Err(self.error(&list.span(), Problem::NoDigests));
        }
        let digests = list.get_ref().iter().map(|text| {
            text.get_ref().parse().map_err(|error| {
                let problem = Problem::Digest {
                    text: text.get_ref().clone(),
                    error,
                };
                self.error(&text.span(), problem)
            })
        });
        digests.collect()
    }
}
