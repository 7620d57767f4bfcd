//! Both clouds on loopback, or in this process: the documented operations over a seeded world of tasks, behind the
//! signature checks of the real services.
//!
//! It reads the providers' wire facts and signing stages; nothing of the client reads the sandbox.

mod aliyun;
pub mod fault;
mod gate;
mod huawei;
mod identity;
pub mod listener;
pub mod world;

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::context::Clock;
use crate::provider::Signed;
use crate::transport::{Reply, Sending, Transport, too_large};
use fault::{Delivery, Fault, Faults};
use gate::Nonces;
use world::World;

/// Keys that the sandbox takes. They are good for nothing else.
pub mod keys {
    /// Alibaba Cloud, long-lived.
    pub const ALIYUN: (&str, &str) = ("sandbox-access-key-id", "sandbox-access-key-secret");
    /// Alibaba Cloud, temporary: id, secret, security token.
    pub const ALIYUN_STS: (&str, &str, &str) = (
        "STS.sandbox-access-key-id",
        "sandbox-sts-access-key-secret",
        "sandbox-security-token",
    );
    /// Huawei Cloud, long-lived.
    pub const HUAWEI: (&str, &str) = ("SANDBOXACCESSKEY0001", "sandbox-secret-access-key");
    /// The long-lived ones, by the cloud's id.
    pub const OF_CLOUDS: [(&str, (&str, &str)); 2] = [("aliyun", ALIYUN), ("huawei", HUAWEI)];
    /// Huawei Cloud, temporary: AK, SK, security token.
    pub const HUAWEI_STS: (&str, &str, &str) = (
        "SANDBOXTEMPORARYAK01",
        "sandbox-temporary-secret-key",
        "sandbox-huawei-security-token",
    );
    /// Huawei Cloud, an IAM token.
    pub const HUAWEI_TOKEN: &str = "sandbox-x-auth-token";
    /// Huawei Cloud's project.
    pub const HUAWEI_PROJECT: &str = "5a9d0b0c2f0d4c6e9b1c7d3e5f708192";
    /// The regions that the printed environment names.
    pub const REGIONS: (&str, &str) = ("cn-shanghai", "cn-north-4");
}

/// What the sandbox is asked to be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Tasks of each kind.
    pub tasks: u64,
    /// The same seed gives the same world.
    pub seed: u64,
    /// How long each answer takes.
    pub latency: Duration,
    /// The time around which the world is built.
    pub now: DateTime<Utc>,
    /// Whether the metadata services of both clouds answer.
    pub metadata: bool,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// A request, as it came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// HTTP method.
    pub method: String,
    /// Path, encoded.
    pub path: String,
    /// Query, encoded.
    pub query: String,
    /// Names in lower case, `host` among them.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

impl Incoming {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Which of the clouds' sites is asked, as a number: in one process, each has its own data. 0 on loopback, where
    /// there is only one.
    fn site(&self) -> u64 {
        match self.header("host") {
            Some(host) if host.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                host.bytes().fold(0, |sum: u64, byte| {
                    sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
                })
            }
            _ => 0,
        }
    }
}

/// An answer that is an error: HTTP status, vendor's code, vendor's message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    status: u16,
    code: String,
    message: String,
}

fn refuse(status: u16, code: &str, message: impl Into<String>) -> Refusal {
    Refusal {
        status,
        code: code.to_owned(),
        message: message.into(),
    }
}

/// The sandbox itself.
pub struct Sandbox {
    world: World,
    latency: Duration,
    metadata: bool,
    faults: Faults,
    clock: Clock,
    nonces: RefCell<Nonces>,
    requests: RefCell<Vec<String>>,
}

impl Sandbox {
    /// A sandbox with a world of its own.
    pub fn new(settings: &Settings, clock: Clock) -> Self {
        Sandbox {
            world: World::new(settings.seed, settings.tasks, settings.now),
            latency: settings.latency,
            metadata: settings.metadata,
            faults: Faults::new(&settings.faults, settings.seed),
            clock,
            nonces: RefCell::new(Nonces::default()),
            requests: RefCell::new(Vec::new()),
        }
    }

    /// The API operation of each request that came in, in order.
    pub fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    /// Answers a request, and says how the answer is to be delivered.
    pub async fn answer(&self, request: &Incoming) -> (Reply, Delivery) {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let now = self.faults.now((self.clock)());
        let before = self.requests.borrow().len();
        let mut reply =
            identity::answer(self, request, now).unwrap_or_else(|| self.respond(request, now));
        reply.headers.push(("date".to_owned(), http_date(now)));
        // The steps before the keys of a metadata service have no name.
        let operation = self.requests.borrow().get(before).cloned();
        let operation = operation.unwrap_or_default();
        let is_huawei = request.path.starts_with("/v5/") || request.path.starts_with("/v3/");
        self.faults.apply(&operation, is_huawei, reply)
    }

    fn respond(&self, request: &Incoming, now: DateTime<Utc>) -> Reply {
        let (status, id_header, body) = if request.path.starts_with("/v5/") {
            let (status, body) = huawei::answer(self, request, now);
            (status, "x-request-id", body)
        } else {
            let (status, body) = aliyun::answer(self, request, now);
            (status, "x-acs-request-id", body)
        };
        let headers = [
            ("content-type", "application/json;charset=utf-8".to_owned()),
            (id_header, self.request_id()),
        ];
        Reply {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: body.into(),
        }
    }

    fn note(&self, operation: &str) {
        self.requests.borrow_mut().push(operation.to_owned());
    }

    /// An id in the form of the vendors', counted so that the same run has the same ids.
    fn request_id(&self) -> String {
        let count = self.requests.borrow().len();
        format!("5A9DB0C5-{count:04X}-5EC0-9A11-{count:012X}")
    }
}

/// A time as HTTP headers have it.
fn http_date(now: DateTime<Utc>) -> String {
    now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A request goes from the client to the sandbox without a socket.
impl Transport for Sandbox {
    fn send(&self, signed: Signed) -> Sending<'_> {
        Box::pin(async move {
            let url = url::Url::parse(&signed.url)?;
            let mut headers: Vec<_> = signed
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            headers.push(("host".into(), url.authority().to_owned()));
            let request = Incoming {
                method: signed.method.to_owned(),
                path: url.path().to_owned(),
                query: url.query().unwrap_or_default().to_owned(),
                headers,
                body: signed.body.into(),
            };
            let (reply, delivery) = self.answer(&request).await;
            // What the network client would make of it.
            match delivery {
                Delivery::Whole | Delivery::Gzip => {}
                Delivery::Slow(span) => tokio::time::sleep(span).await,
                Delivery::Never => std::future::pending().await,
                Delivery::Closed => anyhow::bail!("connection closed before the answer"),
                Delivery::Half | Delivery::ShortLength => anyhow::bail!("the answer was cut off"),
                Delivery::Endless => return Err(too_large().into()),
            }
            Ok(reply)
        })
    }
}
