//! How a signed request gets to a server and its answer back: what the network, a sandbox and a test have in common.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::error::{Error, Kind};
use crate::provider::Signed;

/// The largest answer that is read.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// An answer.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`LARGEST_BODY`].
    pub body: Bytes,
}

impl Reply {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The server's time, if it tells it.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let date = DateTime::parse_from_rfc2822(self.header("date")?).ok()?;
        Some(date.to_utc())
    }
}

/// What a transport gives back.
pub type Sending<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Reply>> + 'a>>;

/// Something that answers signed requests.
pub trait Transport {
    /// Sends it once. An HTTP error status is an answer, not an error. What knows more than that the connection broke
    /// fails with an [`Error`].
    fn send(&self, request: Signed) -> Sending<'_>;
}

/// What becomes of an answer that is larger: it would be the next time, too.
pub fn too_large() -> Error {
    let why = format!("the answer is larger than {} MiB", LARGEST_BODY >> 20);
    Error::new(Kind::Answer, "", why)
}

/// Why there is no answer, in the transport's own words if it has some.
pub fn unanswered(error: anyhow::Error) -> Error {
    error
        .downcast::<Error>()
        .unwrap_or_else(|error| Error::new(Kind::Network, "", format!("{error:#}")))
}
