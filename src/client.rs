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
mod verdict;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use limits::Limits;
use session::Session;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use crate::backoff;
use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::operation::page::Page;
use crate::operation::{Entry, Params};
use crate::provider::{self, Endpoint, Provider, Request, Retry, Scheme, Scope, Signed, Signing};
use crate::trace::{self, Try};
use crate::transport::Reply;
use verdict::{Attempt, error_of, judge, unanswered};

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
                Retry::Renew if renewed || !target.session.renew(self.seek, &lease).await? => {
                    return give_up(failed.failure);
                }
                Retry::Renew => {
                    renewed = true;
                    Duration::ZERO
                }
                Retry::Backoff => backoff::pause(attempt).min(left / 2),
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
            let name = || called(target, entry);
            trace::retry(self.seek.ui, pause, &name, &failed.failure.message);
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

    /// The longest that one try may take.
    pub(crate) fn timeout(&self, target: &Target) -> Duration {
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
        let turn = target.limits.turn(&self.permits).await;
        let signed = self.sign(target, request, lease);
        let name = || called(target, entry);
        let tries = (attempt + 1, self.tries.retries + 1);
        let told = Try::begin(self.seek.ui, &name, tries, &signed);
        let started = Instant::now();
        let outcome = match self.seek.network(name) {
            Ok(network) => timeout(limit, network.send(signed)).await,
            Err(error) => Ok(Err(error.into())),
        };
        drop(turn);
        let took = started.elapsed();
        let sent = match outcome {
            Ok(sent) => sent.map_err(unanswered),
            Err(_) => {
                let seconds = format!("{:.1}", limit.as_secs_f64());
                let why = format!("no answer within {seconds} s");
                let hint = "raise --timeout, or check the network and a proxy";
                Err(unanswered(
                    Error::new(Kind::Network, "", why).hint(hint).into(),
                ))
            }
        };
        // Where a setting is wrong, nothing was tried.
        if !matches!(&sent, Err(failed) if matches!(failed.failure.kind, Kind::Config | Kind::NotSent))
        {
            told.end(took, sent.as_ref().ok());
        }
        (took, sent)
    }

    fn sign(&self, target: &Target, request: &Request, lease: &Lease) -> Signed {
        let signing = Signing {
            endpoint: &target.endpoint,
            credential: &lease.credential,
            now: self.seek.now() + target.skew.get(),
            nonce: &provider::nonce(),
            scheme: self.tries.scheme,
        };
        Signed {
            connect_timeout: target.connect_timeout,
            ..(target.provider.sign)(request, &signing)
        }
    }

    /// The signed request that a call would send first.
    ///
    /// # Errors
    /// Parameters that make no request.
    pub fn rehearse(
        &self,
        target: &Target,
        entry: &Entry,
        params: &Params,
    ) -> Result<Signed, Error> {
        let request = self.request(target, entry, params)?;
        Ok(self.sign(target, &request, &target.session.lease()))
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

/// What a single request tells of a target.
pub struct Probe {
    /// From sending to the whole answer.
    pub latency: Duration,
    /// How far the server's clock is ahead of ours, if it tells its time.
    pub clock_ahead: Option<TimeDelta>,
}

/// Who is asked what, as `-v` names it.
fn called(target: &Target, entry: &Entry) -> String {
    format!("{} {}", target.name(), entry.meta.api)
}
