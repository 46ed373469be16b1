//! Answers `GET` with the path that was asked for, and `POST` with the body that was sent.
//!
//! Run it with `wasmtime serve -S cli`: Rust's standard library imports `wasi:cli/environment`
//! and others, which `wasi:http/proxy` by itself does not have.

use std::io::{self, Read, Write};

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

wasip2::http::proxy::export!(Service);

/// No request may send more than this, in bytes.
const BODY_LIMIT: u64 = 1024 * 1024;

struct Service;

impl Guest for Service {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_else(|| "/".to_owned());
        let (status, answer) = match request.method() {
            Method::Get => (200, format!("you asked for {path}\n").into_bytes()),
            Method::Post => match body(&request) {
                Ok(bytes) => (200, bytes),
                Err(error) => (400, format!("{error}\n").into_bytes()),
            },
            _ => (405, b"GET or POST, please\n".to_vec()),
        };
        if let Err(error) = respond(out, status, &answer) {
            eprintln!("the client went away: {error}");
        }
    }
}

fn body(request: &IncomingRequest) -> io::Result<Vec<u8>> {
    let gone = || io::Error::other("the body was taken already");
    let body = request.consume().map_err(|()| gone())?;
    let stream = body.stream().map_err(|()| gone())?;
    let mut bytes = Vec::new();
    stream.take(BODY_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn respond(out: ResponseOutparam, status: u16, answer: &[u8]) -> io::Result<()> {
    let response = OutgoingResponse::new(Fields::new());
    let _ = response.set_status_code(status);
    let body = response.body().expect("a new response has its body");
    ResponseOutparam::set(out, Ok(response));
    let mut stream = body.write().expect("a new body has its stream");
    stream.write_all(answer)?;
    Write::flush(&mut stream)?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| io::Error::other(format!("{code:?}")))
}
