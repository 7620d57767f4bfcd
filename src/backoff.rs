//! The pause before another try: exponential, with full jitter, so that clients that failed together do not come back
//! together.

use std::time::Duration;

/// The longest first pause; it doubles with each try, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// The pause after `attempt`, the first being 0.
pub fn pause(attempt: u32) -> Duration {
    let longest = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_never_longer() {
        for (attempt, longest) in [(0, 500), (1, 1000), (3, 4000), (6, 20_000), (40, 20_000)] {
            let pauses: Vec<_> = (0..200).map(|_| pause(attempt).as_millis()).collect();
            assert!(pauses.iter().all(|pause| *pause <= longest), "{attempt}");
            // Full jitter: anything from none to the bound.
            assert!(pauses.iter().any(|pause| *pause > longest / 2), "{attempt}");
            assert!(pauses.iter().any(|pause| *pause < longest / 2), "{attempt}");
        }
    }
}
