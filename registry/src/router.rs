//! The API on one page.

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::Body as _;
use tower_service::Service;

use crate::access::Caller;
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
    beside_distribution(app).merge(distribution)
}

fn beside_distribution(app: App) -> Router {
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
}

/// What answers the requests of a server. It is [`router`] without its way through axum for
/// the distribution API, which cost more there than the answer of a cached manifest.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    app: Arc<App>,
    others: Router,
}

/// An answer that is worked at.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

impl Routes {
    pub(crate) fn new(app: App) -> Self {
        Self {
            others: beside_distribution(app.clone()),
            app: Arc::new(app),
        }
    }

    pub(crate) fn answer(&self, request: Request) -> Answer {
        let path = request.uri().path();
        if !(path == "/v2" || path.starts_with("/v2/")) {
            let answer = self.others.clone().call(request);
            return Box::pin(answer.map(|Ok(response)| response));
        }
        let is_head = request.method() == Method::HEAD;
        let answer = distribution(State(Arc::clone(&self.app)), request);
        if is_head {
            return Box::pin(answer.map(without_body));
        }
        Box::pin(answer)
    }
}

/// An answer to HEAD has the length of its body and not the body.
fn without_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact();
    if let (Some(length), headers) = (length, response.headers_mut()) {
        headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    *response.body_mut() = Body::empty();
    response
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
        ("GET" | "HEAD", E::Manifest(name, reference)) => {
            manifests::get(app, &caller, name, reference, request).await
        }
        // The futures of all others are large, and each request would move them about.
        (_, endpoint) => dispatch_others(app, &caller, asker, endpoint, request).await,
    }
}

/// All but what a pull asks for. It is boxed in here: a future keeps room even for what it has
/// only moved into a box.
fn dispatch_others<'a>(
    app: &'a App,
    caller: &'a Caller,
    asker: Asker<'a>,
    endpoint: Endpoint,
    request: Request,
) -> BoxFuture<'a, Result<Response, ApiError>> {
    Box::pin(async move {
        use Endpoint as E;
        let method = request.method().clone();
        match (method.as_str(), endpoint) {
            ("POST", E::Uploads(name)) => uploads::post(app.clone(), caller, name, request).await,
            ("GET", E::Upload(name, id)) => uploads::get(app, &name, &id).await,
            ("PATCH", E::Upload(name, id)) => {
                uploads::patch(app.clone(), name, id, &asker.to_string(), request).await
            }
            ("PUT", E::Upload(name, id)) => {
                uploads::put(app.clone(), name, id, &asker.to_string(), request).await
            }
            ("DELETE", E::Upload(name, id)) => uploads::delete(app, &name, &id).await,
            ("PUT", E::Manifest(name, reference)) => {
                manifests::put(app.clone(), caller, name, reference, request).await
            }
            ("DELETE", E::Manifest(name, reference)) => {
                manifests::delete(app.clone(), name, reference, request).await
            }
            ("DELETE", E::Blob(name, digest)) => blobs::delete(app, &name, &digest).await,
            ("GET" | "HEAD", E::Catalog) => catalog::list(app, caller, request).await,
            ("GET" | "HEAD", E::Decision(name, reference)) => {
                decision::get(app, caller, &name, &reference).await
            }
            ("GET" | "HEAD", E::TagHistory(name, tag)) => {
                tag_history::list(app, &name, &tag, request).await
            }
            ("GET" | "HEAD", E::Tags(name)) => tags::list(app.clone(), name, request).await,
            ("GET" | "HEAD", E::Referrers(name, subject)) => {
                referrers::list(app.clone(), caller, name, subject, request).await
            }
            (_, endpoint) => Err(ApiError::method_not_allowed(&endpoint)),
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;
    use crate::{LoadedPolicy, storage::Store};

    async fn app() -> App {
        let policy = LoadedPolicy::load("preset:permissive").unwrap();
        App::open(Store::in_memory(), policy).await.unwrap()
    }

    fn request(method: &Method, path: &str) -> Request {
        let request = Request::builder().method(method).uri(path);
        request.body(Body::empty()).unwrap()
    }

    /// The future of a request is allocated and moved for each of them. When it had room for
    /// pushes too, these copies were a quarter of all instructions for a blob from memory.
    #[tokio::test]
    async fn the_future_of_a_request_is_small() {
        let answer = distribution(State(Arc::new(app().await)), Request::default());
        let size = size_of_val(&answer);
        assert!(size <= 3072, "{size}");
    }

    #[tokio::test]
    async fn a_server_answers_what_the_router_answers() {
        let app = app().await;
        let routes = Routes::new(app.clone());
        for path in [
            "/v2",
            "/v2/",
            "/v2/a/tags/list",
            "/v2/a/b/c",
            "/v2x",
            "/healthz",
        ] {
            for method in [Method::GET, Method::HEAD, Method::DELETE] {
                let Ok(expected) = router(app.clone()).call(request(&method, path)).await;
                let served = routes.answer(request(&method, path)).await;
                assert_eq!(served.status(), expected.status(), "{method} {path}");
                if method == Method::HEAD {
                    let length = CONTENT_LENGTH;
                    let (a, b) = (
                        served.headers().get(&length),
                        expected.headers().get(&length),
                    );
                    assert_eq!(a, b, "{method} {path}");
                }
                let served = to_bytes(served.into_body(), 4096).await.unwrap();
                let expected = to_bytes(expected.into_body(), 4096).await.unwrap();
                assert_eq!(served, expected, "{method} {path}");
            }
        }
    }
}
