//! Faults on request: what servers, networks and proxies do to an answer on a bad day.
//!
//! `--fault KIND[=VALUE][,CONDITION=VALUE]…`; the first whose conditions hold decides a request.

use std::cell::{Cell, RefCell};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::transport::Reply;

/// A fault and when it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    kind: Kind,
    /// Only requests of this operation.
    on: Option<String>,
    /// Only this often in all.
    times: Option<u64>,
    /// Not the first so many.
    after: u64,
    /// Only every so many-th.
    every: u64,
    /// Only with this chance, decided by the seed.
    chance: f64,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Throttled as the vendor says it; with its header that names the delay, if one is given (milliseconds).
    Throttle(Option<u64>),
    /// This HTTP status, without the vendor's words.
    Status(u16),
    /// A proxy's sign-in page, with status 200.
    Html,
    /// The connection is closed instead of an answer.
    Drop,
    /// The connection is reset instead of an answer.
    Reset,
    /// The answer is cut off in its middle.
    Truncate,
    /// The answer takes this long to come.
    Slow(Duration),
    /// No answer at all.
    Hang,
    /// Content-Length is smaller than the body.
    WrongLength,
    /// The answer is compressed.
    Gzip,
    /// The answer never ends.
    Endless,
    /// The body is no JSON.
    InvalidJson,
    /// Fields have other types than documented.
    WrongTypes,
    /// The last item of a page comes again in its place.
    Duplicates,
    /// A page lacks its last item.
    Losses,
    /// The total grows by this with each answer (or shrinks).
    Drift(i64),
    /// The token has ended.
    ExpiredToken,
    /// The server's clock is off by so many seconds.
    Skew(i64),
    /// A redirect to this address.
    Redirect(String),
    /// The nonce was used before.
    NonceUsed,
}

const KINDS: &str = "throttle[=MS], status=CODE, html, drop, reset, truncate, slow=SPAN, hang, wrong-length, gzip, \
                     endless, invalid-json, wrong-types, duplicates, losses, drift=N, expired-token, skew=±SPAN, \
                     redirect=URL, nonce-used";

/// The names of the faults that there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS
        .split(", ")
        .map(|kind| kind.split(['[', '=']).next().unwrap_or(kind).trim())
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(spec: &str) -> Result<Self, String> {
        let mut parts = spec.split(',');
        let first = parts.next().unwrap_or_default();
        let (name, value) = first
            .split_once('=')
            .map_or((first, None), |(name, value)| (name, Some(value)));
        let kind = Kind::parse(name, value)?;
        let mut fault = Fault {
            kind,
            on: None,
            times: None,
            after: 0,
            every: 1,
            chance: 1.0,
        };
        for part in parts {
            let wrong = || {
                format!(
                    "not a condition: {part}; known are on=OPERATION, times=N, after=N, every=N and p=CHANCE"
                )
            };
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let number = || value.parse::<u64>().map_err(|_| wrong());
            match name {
                "on" => fault.on = Some(value.to_owned()),
                "times" => fault.times = Some(number()?),
                "after" => fault.after = number()?,
                "every" => fault.every = number()?.max(1),
                "p" => {
                    fault.chance = value
                        .parse()
                        .ok()
                        .filter(|p| (0.0..=1.0).contains(p))
                        .ok_or_else(wrong)?
                }
                _ => return Err(wrong()),
            }
        }
        Ok(fault)
    }
}

impl Kind {
    fn parse(name: &str, value: Option<&str>) -> Result<Kind, String> {
        let wrong = || format!("not a fault: {name}; known are {KINDS}");
        let span = |text: &str| humantime::parse_duration(text).map_err(|_| wrong());
        Ok(match (name, value) {
            ("throttle", None) => Kind::Throttle(None),
            ("throttle", Some(ms)) => Kind::Throttle(Some(ms.parse().map_err(|_| wrong())?)),
            ("status", Some(code)) => Kind::Status(
                code.parse()
                    .ok()
                    .filter(|code| (100..600).contains(code))
                    .ok_or_else(wrong)?,
            ),
            ("html", None) => Kind::Html,
            ("drop", None) => Kind::Drop,
            ("reset", None) => Kind::Reset,
            ("truncate", None) => Kind::Truncate,
            ("slow", Some(text)) => Kind::Slow(span(text)?),
            ("hang", None) => Kind::Hang,
            ("wrong-length", None) => Kind::WrongLength,
            ("gzip", None) => Kind::Gzip,
            ("endless", None) => Kind::Endless,
            ("invalid-json", None) => Kind::InvalidJson,
            ("wrong-types", None) => Kind::WrongTypes,
            ("duplicates", None) => Kind::Duplicates,
            ("losses", None) => Kind::Losses,
            ("drift", Some(number)) => Kind::Drift(number.parse().map_err(|_| wrong())?),
            ("expired-token", None) => Kind::ExpiredToken,
            ("skew", Some(text)) => {
                let (sign, text) = match text.strip_prefix('-') {
                    Some(text) => (-1, text),
                    None => (1, text.strip_prefix('+').unwrap_or(text)),
                };
                Kind::Skew(sign * i64::try_from(span(text)?.as_secs()).map_err(|_| wrong())?)
            }
            ("redirect", Some(url)) => Kind::Redirect(url.to_owned()),
            ("nonce-used", None) => Kind::NonceUsed,
            _ => return Err(wrong()),
        })
    }
}

/// How an answer is put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// As it should be.
    #[default]
    Whole,
    /// Not at all: the connection ends.
    Closed,
    /// Its first half, then the connection ends.
    Half,
    /// In pieces, over this time.
    Slow(Duration),
    /// Never.
    Never,
    /// With a Content-Length that is too small.
    ShortLength,
    /// Compressed.
    Gzip,
    /// Followed by white space without an end.
    Endless,
}

/// The faults of a sandbox, and how often each has met its conditions.
pub struct Faults {
    faults: Vec<(Fault, Cell<u64>, Cell<u64>)>,
    rng: RefCell<Rng>,
    answers: Cell<i64>,
}

impl Faults {
    /// These faults; chances are decided by the seed.
    pub fn new(faults: &[Fault], seed: u64) -> Self {
        Faults {
            faults: faults
                .iter()
                .map(|fault| (fault.clone(), Cell::new(0), Cell::new(0)))
                .collect(),
            rng: RefCell::new(Rng::with_seed(seed)),
            answers: Cell::new(0),
        }
    }

    /// Whether connections are reset instead of closed.
    pub(super) fn resets(&self) -> bool {
        self.faults
            .iter()
            .any(|(fault, ..)| fault.kind == Kind::Reset)
    }

    /// The time that the server thinks it is.
    pub(super) fn now(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let skew = self.faults.iter().find_map(|(fault, ..)| match fault.kind {
            Kind::Skew(seconds) => Some(seconds),
            _ => None,
        });
        now + TimeDelta::seconds(skew.unwrap_or(0))
    }

    /// Does to an answer what is due. `is_huawei` decides in whose words.
    pub(super) fn apply(
        &self,
        operation: &str,
        is_huawei: bool,
        mut reply: Reply,
    ) -> (Reply, Delivery) {
        let Some(kind) = self.due(operation) else {
            return (reply, Delivery::Whole);
        };
        let vendor = |status: u16, aliyun: (&str, &str), huawei: (&str, &str)| {
            let body = if is_huawei {
                json!({"error_code": huawei.0, "error_msg": huawei.1, "request_id": "FAULT"})
            } else {
                json!({"Code": aliyun.0, "Message": aliyun.1, "RequestId": "FAULT", "HostId": "sandbox"})
            };
            (status, Bytes::from(body.to_string()))
        };
        let mut delivery = Delivery::Whole;
        match kind {
            Kind::Throttle(ms) => {
                let status = if is_huawei { 429 } else { 400 };
                (reply.status, reply.body) = vendor(
                    status,
                    (
                        "Throttling.User",
                        "Request was denied due to user flow control.",
                    ),
                    ("APIGW.0308", "The throttling threshold has been reached."),
                );
                if let Some(ms) = ms {
                    let header = if is_huawei {
                        ("retry-after", ms.div_ceil(1000))
                    } else {
                        ("x-acs-retry-after", ms)
                    };
                    reply.headers.push((header.0.into(), header.1.to_string()));
                }
            }
            Kind::Status(status) => (reply.status, reply.body) = (status, Bytes::new()),
            Kind::Html => {
                reply.body = Bytes::from_static(
                    b"<!DOCTYPE html><html><body>Sign in to the network</body></html>",
                );
                reply.headers.retain(|(name, _)| name != "content-type");
                reply
                    .headers
                    .push(("content-type".into(), "text/html".into()));
            }
            Kind::Drop | Kind::Reset => delivery = Delivery::Closed,
            Kind::Truncate => delivery = Delivery::Half,
            Kind::Slow(span) => delivery = Delivery::Slow(span),
            Kind::Hang => delivery = Delivery::Never,
            Kind::WrongLength => delivery = Delivery::ShortLength,
            Kind::Gzip => delivery = Delivery::Gzip,
            Kind::Endless => delivery = Delivery::Endless,
            Kind::InvalidJson => reply.body = Bytes::from_static(b"{\"List\":[{\"TaskId\":"),
            Kind::WrongTypes => change(&mut reply, wrong_types),
            Kind::Duplicates => change(&mut reply, |page| {
                if let Some(list) = list(page)
                    && let [.., before, last] = &mut list[..]
                {
                    *last = before.clone();
                }
            }),
            Kind::Losses => change(&mut reply, |page| {
                list(page).and_then(Vec::pop);
            }),
            Kind::Drift(step) => {
                let answers = self.answers.get() + 1;
                self.answers.set(answers);
                change(&mut reply, |page| drift(page, step.saturating_mul(answers)));
            }
            Kind::ExpiredToken => {
                let status = if is_huawei { 401 } else { 403 };
                (reply.status, reply.body) = vendor(
                    status,
                    (
                        "InvalidSecurityToken.Expired",
                        "Specified SecurityToken is expired.",
                    ),
                    ("APIGW.0307", "The token must be updated."),
                );
            }
            Kind::Redirect(url) => {
                (reply.status, reply.body) = (302, Bytes::new());
                reply.headers.push(("location".into(), url));
            }
            Kind::NonceUsed => {
                (reply.status, reply.body) = vendor(
                    400,
                    (
                        "SignatureNonceUsed",
                        "Specified signature nonce was used already.",
                    ),
                    (
                        "APIGW.0301",
                        "Incorrect IAM authentication information: signature expired",
                    ),
                );
            }
            Kind::Skew(_) => {}
        }
        (reply, delivery)
    }

    /// The first fault whose conditions this request meets.
    fn due(&self, operation: &str) -> Option<Kind> {
        for (fault, seen, done) in &self.faults {
            if matches!(fault.kind, Kind::Skew(_))
                || fault.on.as_deref().is_some_and(|on| on != operation)
            {
                continue;
            }
            let count = seen.get() + 1;
            seen.set(count);
            let is_due = count > fault.after
                && (count - fault.after).is_multiple_of(fault.every)
                && fault.times.is_none_or(|times| done.get() < times)
                && (fault.chance >= 1.0 || self.rng.borrow_mut().f64() < fault.chance);
            if is_due {
                done.set(done.get() + 1);
                return Some(fault.kind.clone());
            }
        }
        None
    }
}

fn change(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
    if let Ok(mut value) = serde_json::from_slice(&reply.body) {
        change(&mut value);
        reply.body = Bytes::from(value.to_string());
    }
}

/// The items of a page: its only list.
fn list(page: &mut Value) -> Option<&mut Vec<Value>> {
    page.as_object_mut()?
        .values_mut()
        .find_map(Value::as_array_mut)
}

fn drift(page: &mut Value, by: i64) {
    for pointer in ["/PageInfo/TotalCount", "/total_num"] {
        if let Some(total) = page.pointer_mut(pointer) {
            *total = (total.as_i64().unwrap_or(0) + by).max(0).into();
        }
    }
}

/// Numbers become strings, strings become lists, objects become null: what a careless release does.
fn wrong_types(page: &mut Value) {
    for item in list(page).into_iter().flatten() {
        for value in item
            .as_object_mut()
            .into_iter()
            .flat_map(|object| object.values_mut())
        {
            *value = match value.take() {
                Value::Number(number) => Value::String(number.to_string()),
                Value::String(text) if text.len() < 30 => json!([text]),
                Value::Object(_) => Value::Null,
                other => other,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happens(spec: &str, requests: usize) -> Vec<bool> {
        let faults = Faults::new(&[spec.parse().unwrap()], 1);
        (0..requests)
            .map(|_| faults.due("ListAgentlessTask").is_some())
            .collect()
    }

    #[test]
    fn conditions_decide_when() {
        assert_eq!(happens("drop", 3), [true; 3]);
        assert_eq!(happens("drop,times=2", 3), [true, true, false]);
        assert_eq!(happens("drop,after=1", 3), [false, true, true]);
        assert_eq!(happens("drop,every=2", 4), [false, true, false, true]);
        assert_eq!(happens("drop,on=ListTasks", 2), [false; 2]);
        assert_eq!(happens("drop,p=0.5", 64), happens("drop,p=0.5", 64));
        let often = happens("drop,p=0.5", 200)
            .iter()
            .filter(|happens| **happens)
            .count();
        assert!((50..150).contains(&often), "{often}");
    }

    #[test]
    fn what_is_no_fault_says_what_is() {
        for spec in [
            "explode",
            "status",
            "status=99",
            "slow",
            "slow=soon",
            "drop=1",
            "drop,often",
            "drop,p=2",
            "skew=x",
            "",
        ] {
            assert!(spec.parse::<Fault>().is_err(), "{spec}");
        }
        assert!("explode".parse::<Fault>().unwrap_err().contains("throttle"));
        assert_eq!(
            "skew=-20m".parse::<Fault>().unwrap().kind,
            Kind::Skew(-1200)
        );
    }
}
