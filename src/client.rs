//! One call: build, sign, send, judge, try again, decode.
//!
//! A read is safe to repeat, so what may pass is tried again, each time with a new nonce, time and signature. A call
//! with all its tries and pauses never takes longer than `timeout × (retries + 1)`, not counting the wait for its turn.

pub mod http;
pub mod limits;
pub mod pages;
mod seen;
pub mod session;
pub mod tls;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use limits::Limits;
use session::Session;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::context::Level;
use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::operation::page::Page;
use crate::operation::{Entry, Params};
use crate::provider::{
    self, Answer, Endpoint, Failure, Provider, Request, Retry, Scheme, Scope, Signing,
};
use crate::transport::Reply;

/// First pause before another try; it doubles with each, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The longest that one try may take where neither flag nor profile says so.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

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
    /// Who asks: shared by all targets of the profile.
    pub session: Rc<Session>,
    /// The project.
    pub scope: Scope,
    /// Parameters that the profile sets for every request that does not.
    pub defaults: Params,
    /// The longest that a try may take, if the profile says so.
    pub timeout: Option<Duration>,
    /// The longest that connecting may take, if the profile says so.
    pub connect_timeout: Option<Duration>,
    /// What the profile's account is spared.
    pub limits: Rc<Limits>,
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
    /// The longest that one try may take; none: what the profile says, else [`DEFAULT_TIMEOUT`].
    pub timeout: Option<Duration>,
    /// Which signature Alibaba Cloud gets.
    pub scheme: Scheme,
}

/// Sends calls.
pub struct Client<'a> {
    /// Network, clock and the means to sign in again.
    seek: &'a Seek<'a>,
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
    pub fn new(seek: &'a Seek<'a>, tries: Tries, concurrency: usize) -> Self {
        Client {
            seek,
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
        self.seek.ui.warn(text);
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
        let request = self.request(target, entry, params)?;
        let timeout = self.timeout(target);
        // What is left of the call's time; waiting for a turn does not count.
        let mut left = timeout.saturating_mul(self.tries.retries + 1);
        let (mut clock_set, mut renewed) = (false, false);
        for attempt in 0.. {
            let lease = target.session.fresh(self.seek).await;
            let limit = timeout.min(left);
            let (took, sent) = self
                .attempt(target, entry, &request, &lease, attempt, limit)
                .await;
            left = left.saturating_sub(took);
            let failed = match sent.and_then(|reply| judge(target, entry, reply)) {
                Ok(page) => return Ok(page),
                Err(failed) => failed,
            };
            let give_up = |failure| Err(error_of(failure, target, entry, attempt));
            if attempt >= self.tries.retries {
                return give_up(failed.failure);
            }
            let pause = match failed.failure.retry {
                Retry::No => return give_up(failed.failure),
                Retry::Renew if renewed || !target.session.renew(self.seek, &lease).await => {
                    return give_up(failed.failure);
                }
                Retry::Renew => {
                    renewed = true;
                    Duration::ZERO
                }
                Retry::Backoff => backoff(attempt).min(left / 2),
                Retry::After(pause) if pause >= left => {
                    let mut failure = failed.failure;
                    failure.hint = Some(format!(
                        "the server asks to wait {} s, longer than this call may take: raise --timeout or try later",
                        pause.as_secs()
                    ));
                    return give_up(failure);
                }
                Retry::After(pause) => pause,
                Retry::Clock => match failed.date {
                    Some(date) if !clock_set => {
                        clock_set = true;
                        target.skew.set(date - self.seek.now());
                        Duration::ZERO
                    }
                    _ => return give_up(failed.failure),
                },
            };
            if left.is_zero() {
                return give_up(failed.failure);
            }
            left = left.saturating_sub(pause);
            self.seek.ui.trace(Level::Verbose, || {
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

    fn request(&self, target: &Target, entry: &Entry, params: &Params) -> Result<Request, Error> {
        let mut params = params.clone();
        for (name, value) in &target.defaults {
            params.entry(name).or_insert_with(|| value.clone());
        }
        (target.provider.build)(entry.meta, &params, &target.scope)
    }

    fn timeout(&self, target: &Target) -> Duration {
        self.tries
            .timeout
            .or(target.timeout)
            .unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Sends one request once, the answer unjudged, and says how long that took once it had its turn.
    async fn attempt(
        &self,
        target: &Target,
        entry: &Entry,
        request: &Request,
        lease: &Lease,
        attempt: u32,
        limit: Duration,
    ) -> (Duration, Result<Reply, Attempt>) {
        let _turn = target.limits.turn().await;
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let mut signed = (target.provider.sign)(
            request,
            &Signing {
                endpoint: &target.endpoint,
                credential: &lease.credential,
                now: self.seek.now() + target.skew.get(),
                nonce: &provider::nonce(),
                scheme: self.tries.scheme,
            },
        );
        signed.connect_timeout = target.connect_timeout;
        self.seek.ui.trace(Level::Headers, || {
            let headers = signed
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()));
            format!(
                "> {} {}{}",
                signed.method,
                target.endpoint.origin(),
                shown(headers, ">")
            )
        });
        let started = Instant::now();
        let outcome = timeout(limit, self.seek.transport.send(signed)).await;
        drop(permit);
        let took = started.elapsed();
        let reply = match outcome {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return (took, Err(unreachable_service(format!("{error:#}")))),
            Err(_) => {
                let seconds = format!("{:.1}", limit.as_secs_f64());
                let why = format!("no answer within {seconds} s");
                return (took, Err(unreachable_service(why)));
            }
        };
        self.seek.ui.trace(Level::Verbose, || {
            format!(
                "{} {} try {}: HTTP {}, {} bytes, {} ms",
                target.name(),
                entry.meta.api,
                attempt + 1,
                reply.status,
                reply.body.len(),
                took.as_millis()
            )
        });
        self.seek.ui.trace(Level::Headers, || {
            let headers = reply
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            format!("< HTTP {}{}", reply.status, shown(headers, "<"))
        });
        (took, Ok(reply))
    }

    /// Sends one request once, and says how long it took and how far the server's clock is ahead.
    ///
    /// # Errors
    /// The failure, as of a call.
    pub async fn probe(
        &self,
        target: &Target,
        entry: &Entry,
        params: &Params,
    ) -> Result<Probe, Error> {
        let request = self.request(target, entry, params)?;
        let lease = target.session.fresh(self.seek).await;
        let limit = self.timeout(target);
        let (latency, sent) = self
            .attempt(target, entry, &request, &lease, 0, limit)
            .await;
        let failed = |failed: Attempt| error_of(failed.failure, target, entry, 0);
        let reply = sent.map_err(failed)?;
        let clock_ahead = reply.date().map(|date| date - self.seek.now());
        judge(target, entry, reply).map_err(failed)?;
        Ok(Probe {
            latency,
            clock_ahead,
        })
    }
}

/// Headers, a line each; what could sign in is masked, and so is everything that is not known to be harmless.
fn shown<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>, mark: &str) -> String {
    const HARMLESS: [&str; 18] = [
        "accept",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "retry-after",
        "server",
        "via",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-request-id",
        "x-acs-retry-after",
        "x-acs-version",
        "x-project-id",
        "x-ratelimit-user",
        "x-request-id",
        "x-sdk-date",
    ];
    headers
        .map(|(name, value)| match HARMLESS.contains(&name) {
            true => format!("\n{mark} {name}: {value}"),
            false => format!("\n{mark} {name}: ****"),
        })
        .collect()
}

/// What a single request tells of a target.
pub struct Probe {
    /// From sending to the whole answer.
    pub latency: Duration,
    /// How far the server's clock is ahead of ours, if it tells its time.
    pub clock_ahead: Option<TimeDelta>,
}

fn judge(target: &Target, entry: &Entry, mut reply: Reply) -> Result<Page, Attempt> {
    let body = std::mem::take(&mut reply.body);
    let header = |name: &str| reply.header(name).map(str::to_owned);
    let date = reply.date();
    let answer = Answer {
        status: reply.status,
        header: &header,
        body: &body,
        permission: entry.meta.permission,
    };
    if let Some(failure) = (target.provider.failure)(&answer) {
        return Err(Attempt { failure, date });
    }
    Page::decode(entry.meta, body).map_err(|error| Attempt {
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
    let hint = message.contains("certificate").then(|| {
        "if a proxy or a private authority signs this connection, name its certificate with SSL_CERT_FILE".to_owned()
    });
    Attempt {
        failure: Failure {
            kind: Kind::Network,
            code: None,
            message,
            request_id: None,
            hint,
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
}
