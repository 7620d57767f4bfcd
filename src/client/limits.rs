//! What an account is spared: no more requests at once, and no more a second, than its profile allows.
//!
//! Every target of a profile shares these, so one account's limit holds over all its centres and operations, and slows
//! no other account.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The limits of a profile.
pub struct Limits {
    permits: Semaphore,
    /// Time between two requests.
    spacing: Option<Duration>,
    /// When the next request may go.
    next: Cell<Option<Instant>>,
}

impl Limits {
    /// At most so many requests in flight, and so many a second.
    pub fn new(max_concurrency: Option<usize>, max_rps: Option<f64>) -> Self {
        Limits {
            permits: Semaphore::new(max_concurrency.unwrap_or(Semaphore::MAX_PERMITS)),
            spacing: max_rps.map(|rps| Duration::from_secs_f64(1.0 / rps)),
            next: Cell::new(None),
        }
    }

    /// Waits for a turn, which lasts until it is dropped.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        if let Some(spacing) = self.spacing {
            let now = Instant::now();
            let at = self.next.get().unwrap_or(now).max(now);
            self.next.set(Some(at + spacing));
            sleep_until(at).await;
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced_over_everyone_who_asks() {
        let limits = Limits::new(None, Some(2.0));
        let started = Instant::now();
        join_all((0..5).map(|_| limits.turn())).await;
        assert_eq!(started.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_in_flight_than_allowed() {
        let limits = Limits::new(Some(2), None);
        let (_one, _two) = (limits.turn().await, limits.turn().await);
        let third = tokio::time::timeout(Duration::from_secs(1), limits.turn()).await;
        assert!(third.is_err());
    }
}
