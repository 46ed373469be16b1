//! `/metrics`: what Prometheus reads.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::access::Peer;
use crate::app::App;

/// The text format of `OpenMetrics` 1.0, which Prometheus reads, too.
const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// On the address that all clients use: names of findings and the load of a registry are
/// nobody's business, so it answers this machine and administrators only. What comes through
/// a proxy comes from this machine as well, and says so.
pub(crate) async fn guarded(State(app): State<App>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>();
    let is_local = peer.is_some_and(|peer| {
        !peer.is_behind_proxy && peer.address.ip().to_canonical().is_loopback()
    });
    let is_forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    let is_forwarded = is_forwarded
        .iter()
        .any(|name| request.headers().contains_key(*name));
    if app.has_own_metrics_address() {
        return StatusCode::NOT_FOUND.into_response();
    }
    if is_local && !is_forwarded {
        return page(&app);
    }
    if let Err(refusal) = app.admit_address(&request) {
        return refusal.into_response();
    }
    match app.access.authenticate(&request).await {
        // Where there are no rules everyone is allowed everything, and this is too much.
        Ok(caller) if !app.access.is_open() => match caller.require_admin() {
            Ok(()) => page(&app),
            Err(refusal) => refusal.into_response(),
        },
        Err(refusal) => refusal.into_response(),
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

/// On an address of their own.
pub(crate) async fn open(State(app): State<App>) -> Response {
    page(&app)
}

fn page(app: &App) -> Response {
    match app.metrics.encode(app.uploads.open_count()) {
        Ok(page) => ([(header::CONTENT_TYPE, TYPE)], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
