//! A cloud as plain data and pure functions: its operations, its endpoints, how it signs and how it fails.
//!
//! Operations, endpoints, signing and failures are plain data and pure functions. Only the sources of credentials do any
//! input or output, and only by what [`Seek`] gives them. Nothing here knows of the command line, of rendering or of the
//! sandbox.

pub mod aliyun;
mod endpoint;
pub mod huawei;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::credential::seek::Seek;
use crate::credential::{Credential, Lease, Source};
use crate::error::{Error, Kind};
use crate::operation::{Entry, Meta, Params};
pub use endpoint::{Endpoint, is_loopback};

/// Every cloud.
pub static PROVIDERS: &[&Provider] = &[&aliyun::ALIYUN, &huawei::HUAWEI];

/// A cloud.
pub struct Provider {
    /// Its name in commands and results.
    pub id: &'static str,
    /// Its name in prose.
    pub name: &'static str,
    /// Its operations.
    pub operations: &'static [Entry],
    /// Every region that it knows.
    pub regions: fn() -> Vec<&'static str>,
    /// Where a region is served. None: not a region of this cloud.
    pub site: fn(&str) -> Option<Site>,
    /// The same inside a virtual private cloud, where the cloud has such addresses.
    pub vpc_site: Option<fn(&str) -> Option<Site>>,
    /// The centres or regions asked where none is set: by a provider command the first, by `tasks` all.
    pub default_regions: &'static [&'static str],
    /// Variables that name a region, first one wins.
    pub region_variables: &'static [&'static str],
    /// The variable for another service address.
    pub endpoint_variable: &'static str,
    /// Variables that name a project, where the cloud has such a thing; first one wins.
    pub project_variables: &'static [&'static str],
    /// Asks the cloud for the project id of a region, where it has such a thing.
    pub find_project: Option<Ask<String>>,
    /// Whether a profile can have its credentials in a profile of the `aliyun` CLI.
    pub has_cli_profiles: bool,
    /// Finds credentials.
    pub credential: for<'a> fn(&'a Seek<'a>, &'a Search<'a>) -> Finding<'a, Found>,
    /// Takes on a role with the credentials of another profile, where the cloud has roles.
    pub assume: Option<Ask<Lease>>,
    /// Turns the parameters of an operation into a request.
    pub build: fn(&Meta, &Params, &Scope) -> Result<Request, Error>,
    /// Signs a request.
    pub sign: fn(&Request, &Signing<'_>) -> Signed,
    /// Reads an answer that is no success, or is one by its status only.
    pub failure: fn(&Answer<'_>) -> Option<Failure>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Provider {
    /// The operation by its readable or its API name.
    pub fn operation(&self, name: &str) -> Option<&'static Entry> {
        let operations: &'static [Entry] = self.operations;
        operations
            .iter()
            .find(|entry| entry.meta.command == name || entry.meta.api == name)
    }
}

/// The cloud by its id.
pub fn by_id(id: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.id == id)
}

/// Every operation of every cloud.
pub fn operations() -> impl Iterator<Item = (&'static Provider, &'static Entry)> {
    PROVIDERS
        .iter()
        .flat_map(|provider| provider.operations.iter().map(|entry| (*provider, entry)))
}

/// The operation by its API name, which no two clouds share.
pub fn operation(api: &str) -> Option<&'static Entry> {
    operations()
        .map(|(_, entry)| entry)
        .find(|entry| entry.meta.api == api)
}

/// What the functions of a provider that ask the network give back.
pub type Finding<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// A question to the cloud by someone who has signed in: about a region, or a role.
pub type Ask<T> = for<'a> fn(&'a Seek<'a>, &'a Lease, &'a str) -> Finding<'a, T>;

/// Where to look for credentials, and for which region.
pub struct Search<'a> {
    /// Where.
    pub origin: &'a Origin,
    /// The region that will be asked, if it is known: some clouds sign in by region.
    pub region: Option<&'a str>,
}

/// Where a profile has its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// The cloud's standard sources, in order.
    #[default]
    Standard,
    /// The environment only.
    Environment,
    /// A profile of the `aliyun` CLI.
    CliProfile(String),
    /// A section of an ini file.
    File {
        /// The file.
        path: PathBuf,
        /// The section; none for the cloud's usual one.
        section: Option<String>,
    },
    /// What a command prints.
    Process(Vec<String>),
}

/// What a search over all sources came to.
#[derive(Debug)]
pub enum Found {
    /// The first that was found.
    Lease(Box<Lease>),
    /// No source has anything: each with its reason.
    Nothing(Vec<String>),
}

/// One source's answer as the answer of a search.
impl From<Source> for Found {
    fn from(source: Source) -> Self {
        match source {
            Source::Lease(lease) => Found::Lease(lease),
            Source::Nothing(reason) => Found::Nothing(vec![reason]),
        }
    }
}

/// What the first source that has something came to; the sources behind it are not asked.
macro_rules! first_of {
    ($($source:expr),+ $(,)?) => {{
        let mut reasons = Vec::new();
        $(match $source {
            crate::credential::Source::Nothing(reason) => reasons.push(reason),
            found => return Ok(found.into()),
        })+
        Ok(crate::provider::Found::Nothing(reasons))
    }};
}
use first_of;

/// Where a region is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The centre that answers for the region; regions of one centre share their data.
    pub centre: &'static str,
    /// The host that serves it.
    pub host: String,
}

/// 128 random bits in hex. A service refuses a nonce that it has seen.
pub fn nonce() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    data_encoding::HEXLOWER.encode(&bytes)
}

/// What a request is about, beside its parameters.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Huawei Cloud's project id.
    pub project_id: Option<String>,
}

/// A request before it is signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The operation's API name.
    pub api: &'static str,
    /// The version of the API.
    pub version: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path, encoded.
    pub path: String,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Body, and what it is.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// The project that it is about, where the cloud signs that.
    pub project_id: Option<String>,
}

/// Which of a cloud's signatures to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// ACS3-HMAC-SHA256, SDK-HMAC-SHA256.
    #[default]
    Current,
    /// Alibaba Cloud's RPC 1.0, HMAC-SHA1.
    Rpc,
}

/// What a signature is made with.
pub struct Signing<'a> {
    /// Where the request goes.
    pub endpoint: &'a Endpoint,
    /// Who asks.
    pub credential: &'a Credential,
    /// The time, as the server is thought to have it.
    pub now: DateTime<Utc>,
    /// A value that is never used twice.
    pub nonce: &'a str,
    /// Which signature.
    pub scheme: Scheme,
}

/// A request ready to be sent. It holds signatures and tokens, so it has no `Debug`.
pub struct Signed {
    /// HTTP method.
    pub method: &'static str,
    /// Address with path and query.
    pub url: String,
    /// Headers, `host` left to the transport.
    pub headers: Vec<(&'static str, String)>,
    /// Body, empty where there is none.
    pub body: Vec<u8>,
    /// The longest that connecting may take, if a profile says so.
    pub connect_timeout: Option<Duration>,
}

/// An answer, as far as judging it needs.
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// A header by its lower-case name.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The body, bounded.
    pub body: &'a [u8],
    /// The permission that the request needs, for hints.
    pub permission: &'a str,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What sort of failure.
    pub kind: Kind,
    /// The vendor's code.
    pub code: Option<String>,
    /// The vendor's words, secrets taken out.
    pub message: String,
    /// The vendor's request id.
    pub request_id: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether asking again can help.
    pub retry: Retry,
}

/// What to do about a redirect: credentials follow none.
const REDIRECTED: &str =
    "redirects are not followed: check --endpoint, and whether a proxy or network wants a sign-in";

/// A success that is longer than this is no error envelope in disguise.
const LONGEST_ENVELOPE: usize = 16 * 1024;

/// Whether asking again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It can't.
    No,
    /// After a pause.
    Backoff,
    /// After the pause that the server names.
    After(Duration),
    /// Once, with the clock set by the answer's `Date` header.
    Clock,
    /// Once, with a renewed credential.
    Renew,
}

/// What an HTTP status means where no code says more.
///
/// A redirect is never followed. NOTE: Alibaba Cloud's STS answers a bare 302 when its limit is reached
/// (RAM role FAQ on help.aliyun.com).
fn classify_status(status: u16) -> (Kind, Retry) {
    match status {
        401 => (Kind::Credential, Retry::No),
        403 => (Kind::Permission, Retry::No),
        302 | 429 => (Kind::Throttled, Retry::Backoff),
        500.. => (Kind::Server, Retry::Backoff),
        _ => (Kind::Refused, Retry::No),
    }
}

/// `Retry-After` in seconds. NOTE: neither vendor documents it, but proxies send it.
fn retry_after(answer: &Answer<'_>) -> Option<Duration> {
    let seconds = (answer.header)("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Words for an answer that has none of the vendor's.
fn bare_status(answer: &Answer<'_>) -> String {
    let start: String = String::from_utf8_lossy(&answer.body[..answer.body.len().min(200)])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if start.is_empty() {
        format!("HTTP status {}", answer.status)
    } else {
        format!(
            "HTTP status {}, not from the service itself: {start}",
            answer.status
        )
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Judges an answer with these headers to a ListAgentlessTask request.
    pub(crate) fn answer(
        status: u16,
        body: &str,
        headers: &[(&str, &str)],
        failure: fn(&Answer<'_>) -> Option<Failure>,
    ) -> Option<Failure> {
        let header = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        failure(&Answer {
            status,
            header: &header,
            body: body.as_bytes(),
            permission: "yundun-sas:ListAgentlessTask",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_do_not_repeat() {
        assert_ne!(nonce(), nonce());
        assert_eq!(nonce().len(), 32);
    }

    #[test]
    fn operations_have_distinct_names() {
        let mut names: Vec<_> = operations().map(|(_, entry)| entry.meta.api).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
