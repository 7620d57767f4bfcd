//! What an account is spared: no more requests at once, and no more a second, than its profile allows.
//!
//! Every target of a profile shares these, so one account's limit holds over all its centres and operations, and slows
//! no other account.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The limits of a profile.
pub struct Limits {
    permits: Semaphore,
    /// Time between two requests.
    spacing: Option<Duration>,
    /// When the next request may go. Held by the one that goes next.
    next: Mutex<Option<Instant>>,
}

impl Limits {
    /// At most so many requests in flight, and so many a second.
    pub fn new(max_concurrency: Option<usize>, max_rps: Option<f64>) -> Self {
        Limits {
            permits: Semaphore::new(max_concurrency.unwrap_or(Semaphore::MAX_PERMITS)),
            spacing: max_rps.map(|rps| Duration::from_secs_f64(1.0 / rps)),
            next: Mutex::new(None),
        }
    }

    /// Waits for a turn, here and in `all`, the requests of every account. It lasts until it is dropped.
    pub async fn turn<'a>(&'a self, all: &'a Semaphore) -> [SemaphorePermit<'a>; 2] {
        let own = permit(&self.permits).await;
        let Some(spacing) = self.spacing else {
            return [own, permit(all).await];
        };
        let mut next = self.next.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        let turn = [own, permit(all).await];
        // Counted from when it goes: what queues behind other accounts must not leave in a burst.
        *next = Some(Instant::now() + spacing);
        turn
    }
}

async fn permit(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    let permit = semaphore.acquire().await;
    permit.expect("the semaphore is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join, join_all};
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced_over_everyone_who_asks() {
        let (limits, all) = (Limits::new(None, Some(2.0)), Semaphore::new(8));
        let started = Instant::now();
        join_all((0..5).map(|_| limits.turn(&all))).await;
        assert_eq!(started.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_queued_behind_other_accounts_do_not_leave_at_once() {
        let (limits, all) = (Limits::new(None, Some(1.0)), Semaphore::new(1));
        let started = Instant::now();
        let others = all.acquire().await.unwrap();
        let request = async || {
            let _turn = limits.turn(&all).await;
            started.elapsed().as_secs()
        };
        let requests = join_all((0..3).map(|_| request()));
        let (left, ()) = join(requests, async {
            sleep(Duration::from_secs(3)).await;
            drop(others);
        })
        .await;
        assert_eq!(left, [3, 4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_in_flight_than_allowed() {
        let (limits, all) = (Limits::new(Some(2), None), Semaphore::new(8));
        let (_one, _two) = (limits.turn(&all).await, limits.turn(&all).await);
        let third = tokio::time::timeout(Duration::from_secs(1), limits.turn(&all)).await;
        assert!(third.is_err());
    }
}
