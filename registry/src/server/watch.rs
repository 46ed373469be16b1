//! Cuts connections whose client is too slow. Nothing is armed per request: each connection
//! looks at itself now and then, at what it has moved since it looked last.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::flow::{Activity, Window};
use super::metered::Meter;
use super::settings::ServerSettings;
use super::stop::Stop;

/// How long the registry waits, for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) header: Duration,
    pub(super) keep_alive: Duration,
    pub(super) stall: Duration,
    pub(super) min_bytes: u64,
    pub(super) request: Duration,
}

/// Why a connection was ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overrun {
    /// No request came for too long. This is ordinary.
    KeepAlive,
    /// The headers took too long.
    Header,
    /// The client sent a body too slowly.
    SlowSender,
    /// The client read its answer too slowly.
    SlowReader,
    /// We worked too long at a request.
    Request,
}

pin_project! {
    /// A connection that is cut when its client is too slow, and ends when the server stops.
    pub(super) struct Watched<C> {
        #[pin]
        connection: C,
        #[pin]
        tick: Sleep,
        #[pin]
        stopped: WaitForCancellationFutureOwned,
        stop: Stop,
        watch: Watch,
        meter: Meter,
        // Timer and stop signal know this task.
        is_armed: bool,
        is_closing: bool,
    }
}

/// What a connection looked like when it looked at itself last.
#[derive(Debug)]
pub(super) struct Watch {
    timeouts: Timeouts,
    activity: Arc<Activity>,
    phase: Phase,
    since: Instant,
    sending: Window,
    reading: Window,
}

/// When this stays the same, nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between requests; so many have come.
    Idle(u64),
    /// Something was read since the last request ended, or none came yet.
    Header(u64),
    /// Requests are under way, and so many bytes went in and out.
    Request(u64),
}

impl Timeouts {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        Self {
            header: settings.header_timeout.duration(),
            keep_alive: settings.keep_alive_timeout.duration(),
            stall: settings.stall_timeout.duration(),
            min_bytes: settings.min_bytes.bytes(),
            request: settings.request_timeout.duration(),
        }
    }

    /// How often to look: a quarter of the shortest, and neither busily nor hardly ever.
    pub(super) fn tick(&self) -> Duration {
        let shortest = self.header.min(self.keep_alive).min(self.stall);
        let shortest = shortest.min(self.request) / 4;
        shortest.clamp(Duration::from_millis(5), Duration::from_secs(5))
    }
}

impl Overrun {
    /// Its name in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::KeepAlive => "keep-alive",
            Self::Header => "header",
            Self::SlowSender => "slow-sender",
            Self::SlowReader => "slow-reader",
            Self::Request => "request",
        }
    }
}

impl<C> Watched<C> {
    pub(super) fn new(connection: C, watch: Watch, meter: Meter, stop: Stop) -> Self {
        Self {
            connection,
            tick: sleep(watch.timeouts.tick()),
            stopped: stop.stopped(),
            stop,
            watch,
            meter,
            is_armed: false,
            is_closing: false,
        }
    }
}

impl<C: GracefulConnection> Future for Watched<C> {
    /// What the connection ended with, or what was overrun.
    type Output = Result<Result<(), C::Error>, Overrun>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let first = !std::mem::replace(this.is_armed, true);
        if !*this.is_closing
            && (first || this.stop.is_stopping())
            && this.stopped.as_mut().poll(context).is_ready()
        {
            *this.is_closing = true;
            this.connection.as_mut().graceful_shutdown();
        }
        if first || this.tick.is_elapsed() {
            while this.tick.as_mut().poll(context).is_ready() {
                this.meter.report();
                let now = Instant::now();
                match this.watch.look(now) {
                    None => {}
                    Some(Overrun::KeepAlive) if !*this.is_closing => {
                        *this.is_closing = true;
                        this.connection.as_mut().graceful_shutdown();
                    }
                    Some(overrun) => return Poll::Ready(Err(overrun)),
                }
                let next = now + this.watch.timeouts.tick();
                this.tick.as_mut().reset(next);
            }
        }
        this.connection.poll(context).map(Ok)
    }
}

impl Watch {
    pub(super) fn new(timeouts: Timeouts, activity: Arc<Activity>) -> Self {
        let now = Instant::now();
        Self {
            timeouts,
            activity,
            phase: Phase::Header(0),
            since: now,
            sending: Window::new(now),
            reading: Window::new(now),
        }
    }

    /// Whether the connection has overrun a time.
    pub(super) fn look(&mut self, now: Instant) -> Option<Overrun> {
        let (activity, timeouts) = (&self.activity, &self.timeouts);
        let (stall, least) = (timeouts.stall, timeouts.min_bytes);
        if self.sending.has_stalled(&activity.read, now, stall, least) {
            return Some(Overrun::SlowSender);
        }
        if self
            .reading
            .has_stalled(&activity.written, now, stall, least)
        {
            return Some(Overrun::SlowReader);
        }
        let phase = self.phase();
        if phase != self.phase {
            self.phase = phase;
            self.since = now;
            return None;
        }
        let is_client_late = self.activity.read.is_waiting() || self.activity.written.is_waiting();
        let (limit, overrun) = match phase {
            Phase::Idle(_) => (self.timeouts.keep_alive, Overrun::KeepAlive),
            Phase::Header(_) => (self.timeouts.header, Overrun::Header),
            // The windows above are for this.
            Phase::Request(_) if is_client_late => return None,
            Phase::Request(_) => (self.timeouts.request, Overrun::Request),
        };
        (now.duration_since(self.since) >= limit).then_some(overrun)
    }

    fn phase(&self) -> Phase {
        let activity = &self.activity;
        let started = activity.started.load(Relaxed);
        if activity.under_way.load(Relaxed) > 0 {
            let moved = activity.read.moved() + activity.written.moved();
            return Phase::Request(moved);
        }
        if started == 0 || activity.has_begun_to_ask() {
            return Phase::Header(started);
        }
        Phase::Idle(started)
    }
}
