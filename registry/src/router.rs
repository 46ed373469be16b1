//! The API on one page.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::app::App;
use crate::audit;
use crate::boundary::{Passage, Seen};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::header;
use crate::metrics::Kind;
use crate::rates::Asker;
use crate::routes::{
    admin, base, blobs, catalog, decision, health, manifests, metrics, referrers, tag_history,
    tags, token, uploads, wasm_pkg,
};

/// All that the registry answers.
pub fn router(app: App) -> Router {
    // Routing copies the state twice for each request, and this one is cheap to copy.
    let distribution = Router::new()
        .route("/v2", any(distribution))
        .route("/v2/", any(distribution))
        .route("/v2/{*path}", any(distribution))
        .with_state(Arc::new(app.clone()));
    Router::new()
        .route(
            "/.well-known/wasm-pkg/registry.json",
            get(wasm_pkg::discover),
        )
        .route("/metrics", get(metrics::guarded))
        .route("/_wasmport/v1/{*path}", any(admin::dispatch))
        .route("/token", get(token::get).post(token::post))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(app)
        .merge(distribution)
}

async fn distribution(State(app): State<Arc<App>>, request: Request) -> Response {
    let mut passage = Passage::begin(&app.metrics, &request);
    // The request goes into the work, and so what it says of its sender is taken before.
    let actor = audit::Actor::of(&app.audit, &request);
    let work = actor.does(dispatch(&app, request, &mut passage.seen));
    let answer = passage.span.around(work).await;
    let mut response = answer.into_response();
    response.headers_mut().insert(
        header::DOCKER_DISTRIBUTION_API_VERSION,
        HeaderValue::from_static("registry/2.0"),
    );
    passage.end(&mut response);
    response
}

/// What there is on an address of its own for metrics.
pub(crate) fn metrics_router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(metrics::open))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(app)
}

/// The distribution API (distribution specification, "Endpoints").
async fn dispatch(app: &App, request: Request, seen: &mut Seen) -> Result<Response, ApiError> {
    use Endpoint as E;
    app.admit_address(&request)?;
    let endpoint = E::parse(request.uri().path())?;
    seen.kind = Kind::of(&endpoint);
    let method = request.method().clone();
    let caller = app
        .access
        .authorize(&request, endpoint.needs(&method))
        .await?;
    seen.caller = Some(caller.clone());
    let asker = Asker::of(&caller, &request);
    app.admit(&method, asker)?;
    match (method.as_str(), endpoint) {
        ("GET" | "HEAD", E::Base) => Ok(base::version()),
        ("GET" | "HEAD", E::Blob(name, digest)) => {
            blobs::get(app, &caller, name, digest, request).await
        }
        ("POST", E::Uploads(name)) => uploads::post(app.clone(), &caller, name, request).await,
        ("GET", E::Upload(name, id)) => uploads::get(app, &name, &id).await,
        ("PATCH", E::Upload(name, id)) => {
            uploads::patch(app.clone(), name, id, &asker.to_string(), request).await
        }
        ("PUT", E::Upload(name, id)) => {
            uploads::put(app.clone(), name, id, &asker.to_string(), request).await
        }
        ("DELETE", E::Upload(name, id)) => uploads::delete(app, &name, &id).await,
        ("GET" | "HEAD", E::Manifest(name, reference)) => {
            manifests::get(app, &caller, name, reference, request).await
        }
        ("PUT", E::Manifest(name, reference)) => {
            manifests::put(app.clone(), name, reference, request).await
        }
        ("DELETE", E::Manifest(name, reference)) => {
            manifests::delete(app.clone(), name, reference, request).await
        }
        ("DELETE", E::Blob(name, digest)) => blobs::delete(app, &name, &digest).await,
        ("GET" | "HEAD", E::Catalog) => catalog::list(app, &caller, request).await,
        ("GET" | "HEAD", E::Decision(name, reference)) => {
            decision::get(app, &caller, &name, &reference).await
        }
        ("GET" | "HEAD", E::TagHistory(name, tag)) => {
            tag_history::list(app, &name, &tag, request).await
        }
        ("GET" | "HEAD", E::Tags(name)) => tags::list(app.clone(), name, request).await,
        ("GET" | "HEAD", E::Referrers(name, subject)) => {
            referrers::list(app.clone(), &caller, name, subject, request).await
        }
        (_, endpoint) => Err(ApiError::method_not_allowed(&endpoint)),
    }
}
