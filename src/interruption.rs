//! The moment at which the process is told to end.

/// Completes at Ctrl-C, or at SIGTERM, as when a CI job is cancelled.
///
/// A closed terminal (SIGHUP) ends it without ceremony, unless `nohup` says otherwise: that is not ours to undo.
pub(crate) async fn interruption() {
    tokio::select! {
        () = ctrl_c() => {}
        () = terminated() => {}
    }
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the signal ends the process by itself.
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
