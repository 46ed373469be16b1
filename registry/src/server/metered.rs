//! A connection that counts what goes through it, plain or TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::flow::Activity;
use crate::metrics::Metrics;

/// What bytes come and go through.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A transport that writes down what it moves.
#[derive(Debug)]
pub(super) struct Metered {
    pub(super) transport: Transport,
    pub(super) activity: Arc<Activity>,
}

/// Tells the metrics of a connection, and what it has moved.
#[derive(Debug)]
pub(super) struct Meter {
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
    read: u64,
    written: u64,
}

/// Calls a method of the stream that it is.
macro_rules! forward {
    ($self:expr, $stream:ident => $call:expr) => {
        match &mut $self.transport {
            Transport::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Transport::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl Metered {
    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Pending => self.activity.written.wait(true),
            Poll::Ready(Ok(length)) => self.activity.written.add(length),
            Poll::Ready(Err(_)) => {}
        }
        result
    }
}

impl Meter {
    pub(super) fn new(metrics: Arc<Metrics>, activity: Arc<Activity>) -> Self {
        metrics.connected();
        Self {
            metrics,
            activity,
            read: 0,
            written: 0,
        }
    }

    /// Adds what was moved since it was called last.
    pub(super) fn report(&mut self) {
        let (read, written) = (self.activity.read.moved(), self.activity.written.moved());
        self.metrics.moved(read - self.read, written - self.written);
        (self.read, self.written) = (read, written);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.report();
        self.metrics.disconnected();
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = forward!(self, stream => stream.poll_read(context, buffer));
        if result.is_ready() {
            self.activity.read.add(buffer.filled().len() - before);
        }
        result
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = forward!(self, stream => stream.poll_write(context, bytes));
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = forward!(self, stream => stream.poll_write_vectored(context, slices));
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = forward!(self, stream => stream.poll_flush(context));
        // TLS has a buffer of its own, which is written here.
        self.activity.written.wait(result.is_pending());
        result
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = forward!(self, stream => stream.poll_shutdown(context));
        self.activity.written.wait(result.is_pending());
        result
    }
}
