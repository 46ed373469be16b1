//! The requests of HTTP/2 connections: each has a task, and is cut alone when its client is
//! too slow with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::flow::Activity;
use super::watch::{Timeouts, Watch};

/// Runs the requests of one HTTP/2 connection.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    tasks: TaskTracker,
    timeouts: Timeouts,
    next: NextStream,
}

/// What the next stream to be run writes its activity to. Hyper calls the service and runs
/// what it returned at once, so that one place to hand it over is enough.
#[derive(Clone, Debug, Default)]
pub(super) struct NextStream(Arc<Mutex<Option<Arc<Activity>>>>);

pin_project! {
    struct Stream<F> {
        #[pin]
        request: F,
        // There is none until the request has to wait for something.
        #[pin]
        tick: Option<Sleep>,
        watch: Watch,
        timeouts: Timeouts,
    }
}

impl NextStream {
    /// The activity of a stream that is about to be run.
    pub(super) fn open(&self) -> Arc<Activity> {
        let activity = Arc::new(Activity::default());
        activity.begin();
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(Arc::clone(&activity));
        activity
    }

    fn take(&self) -> Option<Arc<Activity>> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        next.take()
    }
}

impl Streams {
    pub(super) fn new(tasks: TaskTracker, timeouts: Timeouts, next: NextStream) -> Self {
        Self {
            tasks,
            timeouts,
            next,
        }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        let Some(activity) = self.next.take() else {
            self.tasks.spawn(request);
            return;
        };
        self.tasks.spawn(Stream {
            request,
            tick: None,
            watch: Watch::new(self.timeouts, activity),
            timeouts: self.timeouts,
        });
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.request.poll(context).is_ready() {
            return Poll::Ready(());
        }
        if this.tick.is_none() {
            this.tick.set(Some(sleep(this.timeouts.tick())));
        } else if this
            .tick
            .as_ref()
            .get_ref()
            .as_ref()
            .is_some_and(|tick| !tick.is_elapsed())
        {
            return Poll::Pending;
        }
        while let Some(mut tick) = this.tick.as_mut().as_pin_mut() {
            if tick.as_mut().poll(context).is_pending() {
                break;
            }
            let now = Instant::now();
            if let Some(overrun) = this.watch.look(now) {
                debug!(?overrun, "cut a request");
                return Poll::Ready(());
            }
            tick.as_mut().reset(now + this.timeouts.tick());
        }
        Poll::Pending
    }
}
