//! The moment at which the process is told to end.

/// Completes at Ctrl-C, or at SIGTERM, as when a CI job is cancelled. From here on, whoever says it twice is obeyed at
/// once: a reader that does not read holds up the first time.
///
/// A closed terminal (SIGHUP) ends it without ceremony, unless `nohup` says otherwise: that is not ours to undo.
pub(crate) async fn interruption() {
    #[cfg(unix)]
    end_at_the_second();
    tokio::select! {
        () = ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
fn end_at_the_second() {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Once};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_shutdown};

    use crate::error::Kind;

    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let told = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let code = Kind::Interrupted.exit_code().into();
            // In this order: the first signal finds the flag down, and raises it. Where that can't be had, one signal
            // still ends the command in its own time.
            let _ = register_conditional_shutdown(signal, code, Arc::clone(&told))
                .and_then(|_| register(signal, Arc::clone(&told)));
        }
    });
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
