//! Bodies of requests and answers, which write down who waits for whom.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::flow::Activity;

/// The body of a request.
#[derive(Debug)]
pub(super) struct Sent {
    body: Incoming,
    // Of the connection, or for HTTP/2 of the stream.
    activity: Arc<Activity>,
    has_own_flow: bool,
}

/// The body of an answer. While there is one, the request is under way.
#[derive(Debug)]
pub(super) struct Answered {
    body: Body,
    under_way: UnderWay,
}

/// A request that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    connection: Arc<Activity>,
    /// For HTTP/2.
    stream: Option<Arc<Activity>>,
    all: Arc<AtomicUsize>,
}

impl Sent {
    pub(super) fn new(body: Incoming, under_way: &UnderWay) -> Self {
        let stream = under_way.stream.as_ref();
        Self {
            body,
            activity: Arc::clone(stream.unwrap_or(&under_way.connection)),
            has_own_flow: stream.is_some(),
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let flow = &self.activity.read;
        match &polled {
            Poll::Ready(Some(Ok(frame))) if self.has_own_flow => {
                flow.add(frame.data_ref().map_or(0, Bytes::len));
            }
            _ => flow.wait(polled.is_pending()),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        // Nobody wants the rest.
        self.activity.read.wait(false);
    }
}

impl Answered {
    pub(super) fn new(body: Body, under_way: UnderWay) -> Self {
        Self { body, under_way }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Some(stream) = &self.under_way.stream {
            // HTTP/2 asks for the next piece when the client has made room for it.
            if let Poll::Ready(Some(Ok(frame))) = &polled {
                stream.written.add(frame.data_ref().map_or(0, Bytes::len));
            }
            stream.written.wait(polled.is_ready());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl UnderWay {
    pub(super) fn begin(
        connection: Arc<Activity>,
        stream: Option<Arc<Activity>>,
        all: Arc<AtomicUsize>,
    ) -> Self {
        connection.begin();
        all.fetch_add(1, Relaxed);
        Self {
            connection,
            stream,
            all,
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.connection.end();
        self.all.fetch_sub(1, Relaxed);
    }
}
