//! One call: build, sign, send, judge, try again, decode.
//!
//! A read is safe to repeat, so what may pass is tried again, each time with a new nonce, time and signature. A call
//! with all its tries and pauses never takes longer than `timeout × (retries + 1)`.

pub mod http;
pub mod pages;
pub mod tls;

use std::cell::Cell;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::context::{Clock, Level, Ui};
use crate::credential::Credential;
use crate::error::{Error, Kind};
use crate::operation::page::Page;
use crate::operation::{Entry, Params};
use crate::provider::{
    Answer, Endpoint, Failure, Provider, Request, Retry, Scheme, Scope, Signing,
};
use crate::transport::{Reply, Transport};

/// First pause before another try; it doubles with each, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Where requests go and who sends them.
pub struct Target {
    /// The profile.
    pub profile: String,
    /// The cloud.
    pub provider: &'static Provider,
    /// The centre or region that answers.
    pub region: String,
    /// Its address.
    pub endpoint: Endpoint,
    /// Who asks.
    pub credential: Credential,
    /// The project.
    pub scope: Scope,
    /// How far the server's clock is ahead of ours, once that is known to matter.
    pub skew: Cell<TimeDelta>,
}

impl Target {
    /// `profile/region`, as warnings and errors name it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.profile, self.region)
    }
}

/// How hard a call is tried.
#[derive(Debug, Clone, Copy)]
pub struct Tries {
    /// How many more times after the first.
    pub retries: u32,
    /// The longest that one try may take.
    pub timeout: Duration,
    /// Which signature Alibaba Cloud gets.
    pub scheme: Scheme,
}

/// Sends calls.
pub struct Client<'a> {
    transport: &'a dyn Transport,
    clock: &'a Clock,
    ui: &'a Ui,
    tries: Tries,
    /// Requests in flight, over all targets.
    permits: Semaphore,
    concurrency: usize,
}

/// What came of one try.
struct Attempt {
    failure: Failure,
    /// The server's clock, where the answer had a date.
    date: Option<DateTime<Utc>>,
}

impl<'a> Client<'a> {
    /// A client that keeps at most `concurrency` requests in flight.
    pub fn new(
        transport: &'a dyn Transport,
        clock: &'a Clock,
        ui: &'a Ui,
        tries: Tries,
        concurrency: usize,
    ) -> Self {
        Client {
            transport,
            clock,
            ui,
            tries,
            permits: Semaphore::new(concurrency),
            concurrency,
        }
    }

    /// How many requests may be in flight.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Warns on stderr.
    pub fn warn(&self, text: &str) {
        self.ui.warn(text);
    }

    /// Asks one question, and again while that can help.
    ///
    /// # Errors
    /// The last failure, with the vendor's code and request id, the endpoint and what to do next.
    pub async fn call(
        &self,
        target: &Target,
        entry: &Entry,
        params: &Params,
    ) -> Result<Page, Error> {
        let request = (target.provider.build)(entry.meta, params, &target.scope)?;
        let deadline = Instant::now() + self.tries.timeout * (self.tries.retries + 1);
        let mut clock_set = false;
        for attempt in 0.. {
            let failed = match self.attempt(target, entry, &request, attempt).await {
                Ok(page) => return Ok(page),
                Err(failed) => failed,
            };
            let give_up = |failure| Err(error_of(failure, target, entry, attempt));
            if attempt >= self.tries.retries {
                return give_up(failed.failure);
            }
            let pause = match failed.failure.retry {
                Retry::No | Retry::Renew => return give_up(failed.failure),
                Retry::Backoff => backoff(attempt),
                Retry::After(pause) => pause,
                Retry::Clock => match failed.date {
                    Some(date) if !clock_set => {
                        clock_set = true;
                        target.skew.set(date - (self.clock)());
                        Duration::ZERO
                    }
                    _ => return give_up(failed.failure),
                },
            };
            if Instant::now() + pause > deadline {
                let mut failure = failed.failure;
                let asked = format!(
                    "the server asks to wait {} s, longer than this call may take: raise --timeout or try later",
                    pause.as_secs()
                );
                failure.hint = Some(asked);
                return give_up(failure);
            }
            self.ui.trace(Level::Verbose, || {
                format!(
                    "{} {}: {}; trying again in {} ms",
                    target.name(),
                    entry.meta.api,
                    failed.failure.message,
                    pause.as_millis()
                )
            });
            sleep(pause).await;
        }
        unreachable!("the loop only ends by returning")
    }

    async fn attempt(
        &self,
        target: &Target,
        entry: &Entry,
        request: &Request,
        attempt: u32,
    ) -> Result<Page, Attempt> {
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let nonce = nonce();
        let signed = (target.provider.sign)(
            request,
            &Signing {
                endpoint: &target.endpoint,
                credential: &target.credential,
                now: (self.clock)() + target.skew.get(),
                nonce: &nonce,
                scheme: self.tries.scheme,
            },
        );
        let started = Instant::now();
        let outcome = timeout(self.tries.timeout, self.transport.send(signed)).await;
        drop(permit);
        let reply = match outcome {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(unreachable_service(format!("{error:#}"))),
            Err(_) => {
                let seconds = self.tries.timeout.as_secs_f64();
                return Err(unreachable_service(format!("no answer within {seconds} s")));
            }
        };
        self.ui.trace(Level::Verbose, || {
            format!(
                "{} {} try {}: HTTP {}, {} bytes, {} ms",
                target.name(),
                entry.meta.api,
                attempt + 1,
                reply.status,
                reply.body.len(),
                started.elapsed().as_millis()
            )
        });
        judge(target, entry, reply)
    }
}

fn judge(target: &Target, entry: &Entry, reply: Reply) -> Result<Page, Attempt> {
    let header = |name: &str| reply.header(name).map(str::to_owned);
    let date = header("date")
        .and_then(|date| DateTime::parse_from_rfc2822(&date).ok())
        .map(|date| date.to_utc());
    let answer = Answer {
        status: reply.status,
        header: &header,
        body: &reply.body,
        permission: entry.meta.permission,
    };
    if let Some(failure) = (target.provider.failure)(&answer) {
        return Err(Attempt { failure, date });
    }
    Page::decode(entry.meta, reply.body.clone()).map_err(|error| Attempt {
        failure: Failure {
            kind: Kind::Answer,
            code: None,
            message: format!("the answer can't be read: {error}"),
            request_id: header("x-acs-request-id").or_else(|| header("x-request-id")),
            hint: None,
            // A proxy's page, or a body that was cut: both may pass.
            retry: Retry::Backoff,
        },
        date,
    })
}

fn unreachable_service(message: String) -> Attempt {
    Attempt {
        failure: Failure {
            kind: Kind::Network,
            code: None,
            message,
            request_id: None,
            hint: None,
            retry: Retry::Backoff,
        },
        date: None,
    }
}

fn error_of(failure: Failure, target: &Target, entry: &Entry, retried: u32) -> Error {
    let why = match retried {
        0 => failure.message,
        1 => format!("{} (tried twice)", failure.message),
        n => format!("{} (tried {} times)", failure.message, n + 1),
    };
    Error {
        code: failure.code,
        request_id: failure.request_id,
        endpoint: Some(target.endpoint.origin()),
        hints: failure.hint.into_iter().collect(),
        ..Error::new(failure.kind, entry.meta.api, why)
    }
}

/// Exponential backoff with full jitter: clients that failed together do not come back together.
fn backoff(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE
        .saturating_mul(1 << attempt.min(10))
        .min(LONGEST_PAUSE);
    longest.mul_f64(fastrand::f64())
}

/// 128 random bits in hex. The service refuses a nonce that it has seen.
fn nonce() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    data_encoding::HEXLOWER.encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_never_longer() {
        for (attempt, longest) in [(0, 500), (1, 1000), (3, 4000), (6, 20_000), (40, 20_000)] {
            for _ in 0..50 {
                assert!(
                    backoff(attempt) <= Duration::from_millis(longest),
                    "{attempt}"
                );
            }
        }
    }

    #[test]
    fn nonces_do_not_repeat() {
        assert_ne!(nonce(), nonce());
        assert_eq!(nonce().len(), 32);
    }
}
