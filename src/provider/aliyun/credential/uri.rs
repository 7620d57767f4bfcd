//! `ALIBABA_CLOUD_CREDENTIALS_URI`: a local service that hands out temporary keys.

use url::Url;

use super::Temporary;
use crate::credential::seek::Seek;
use crate::credential::{Lease, Source};
use crate::error::{Error, Kind};
use crate::provider::{Answer, Failure, Retry, Signed, bare_status, is_loopback};

/// The variable's keys, if it is set.
pub(super) async fn find(seek: &Seek<'_>) -> Result<Source, Error> {
    const VARIABLE: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
    match seek.env.get(VARIABLE) {
        None => Ok(Source::Nothing(format!("{VARIABLE}: not set"))),
        Some(uri) => fetch(seek, uri, VARIABLE).await.map(Source::from),
    }
}

/// Asks an address for keys.
pub(super) async fn fetch(seek: &Seek<'_>, uri: &str, source: &str) -> Result<Lease, Error> {
    let url = Url::parse(uri).map_err(|error| Error::new(Kind::Config, source, error))?;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(Error::new(
            Kind::Config,
            source,
            "must be https, or plain http to loopback",
        ));
    }
    let request = |_| Signed {
        method: "GET",
        url: url.to_string(),
        headers: Vec::new(),
        body: Vec::new(),
        connect_timeout: None,
    };
    let reply = seek.ask(source, request, failure, "").await?;
    let keys: Temporary = serde_json::from_slice(&reply.body)
        .map_err(|_| Error::new(Kind::Credential, source, "the answer can't be read"))?;
    match keys.code.get() {
        Some("Success") => keys.into_lease(source, source),
        code => Err(Error::new(
            Kind::Credential,
            source,
            format!("the answer's Code is {}", code.unwrap_or("missing")),
        )),
    }
}

fn failure(answer: &Answer<'_>) -> Option<Failure> {
    (answer.status != 200).then(|| Failure {
        kind: Kind::Credential,
        code: None,
        message: bare_status(answer),
        request_id: None,
        hint: None,
        retry: if answer.status >= 500 {
            Retry::Backoff
        } else {
            Retry::No
        },
    })
}
