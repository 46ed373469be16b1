//! What stands for traces where they are not compiled in.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};

/// There is none.
#[derive(Debug)]
pub(super) struct Exporter(Infallible);

/// The span of a request.
#[derive(Debug)]
pub(crate) struct RequestSpan;

impl Exporter {
    pub(super) fn start(_: &str, _: f64) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Err("they are not compiled in".into())
    }

    pub(super) fn stop(&self, _: Duration) -> Result<(), Infallible> {
        match self.0 {}
    }
}

impl RequestSpan {
    pub(crate) fn begin(_: &Request) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "with traces it is used")]
    pub(crate) fn around<F: Future>(&self, work: F) -> F {
        work
    }

    #[expect(clippy::unused_self, reason = "with traces it is used")]
    pub(crate) fn end(&mut self, _: &str, _: StatusCode, _: &HeaderMap) {}
}

/// `work`, as it is.
pub(crate) fn step<F: Future>(_: &'static str, work: F) -> F {
    work
}

/// `work`, as it is.
pub(crate) fn carried<F: Future>(work: F) -> F {
    work
}
