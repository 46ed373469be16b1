//! What the system asks of the process: to read the configuration again, and to stop.
//!
//! Signals are waited for from the call on, and not from the first poll: one that comes
//! before it is waited for ends the process. Only the binaries call this.

use crate::reload::Reloader;

#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

/// Reads the configuration again at each SIGHUP from now on. Never done.
pub fn reload_when_asked(reloader: Reloader) -> impl Future<Output = ()> {
    #[cfg(unix)]
    let hangups = signal(SignalKind::hangup());
    async move {
        #[cfg(unix)]
        if let Ok(mut hangups) = hangups {
            while hangups.recv().await.is_some() {
                reloader.reload().await;
            }
        }
        #[cfg(not(unix))]
        drop(reloader);
        std::future::pending::<()>().await;
    }
}

/// Done when the process is asked to stop from now on, by SIGTERM or by ctrl-C.
#[cfg(unix)]
pub fn asked_to_stop() -> impl Future<Output = ()> + Send + 'static {
    let asked = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    async move {
        let [terminate, interrupt] = asked.map(|signal| async {
            if let Ok(mut signal) = signal
                && signal.recv().await.is_some()
            {
                return;
            }
            // Nobody can ask in this way, and so nobody does.
            std::future::pending::<()>().await;
        });
        tokio::select! {
            () = terminate => {}
            () = interrupt => {}
        }
    }
}

/// Done when the process is asked to stop, by ctrl-C.
#[cfg(not(unix))]
pub async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can ask, and so nobody does.
        std::future::pending::<()>().await;
    }
}
