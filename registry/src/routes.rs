//! One file for each noun of the API. The numbers are the specification's ("Endpoints").

pub(crate) mod admin;
pub(crate) mod base;
pub(crate) mod blobs;
pub(crate) mod catalog;
pub(crate) mod decision;
pub(crate) mod gc;
pub(crate) mod health;
pub(crate) mod manifests;
pub(crate) mod metrics;
pub(crate) mod quota;
pub(crate) mod referrers;
pub(crate) mod reload;
pub(crate) mod robots;
pub(crate) mod tag_history;
pub(crate) mod tags;
pub(crate) mod token;
pub(crate) mod uploads;
pub(crate) mod wasm_pkg;
