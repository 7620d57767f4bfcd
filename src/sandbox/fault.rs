//! Faults on request: what servers, networks and proxies do to an answer on a bad day.
//!
//! Each `--fault` says what and when; the first whose conditions hold decides a request.

mod spec;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::transport::Reply;
use spec::Kind;
pub use spec::{Fault, names};

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
            *total = total.as_i64().unwrap_or(0).saturating_add(by).max(0).into();
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
    fn a_total_never_drifts_past_what_a_number_can_be() {
        for (by, total) in [(i64::MAX, i64::MAX), (-40, 0), (i64::MIN, 0)] {
            let mut page = json!({"PageInfo": {"TotalCount": 30}});
            drift(&mut page, by);
            assert_eq!(page["PageInfo"]["TotalCount"], total);
        }
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
}
