//! What may be seen of a request and its answer: `-v`, `-vv` and `--dry-run` all mask here.
//!
//! A header is shown if it is known to be harmless. Bodies are never traced: a sign-in has a password in its own.

use std::time::Duration;

use crate::context::{Level, Ui};
use crate::provider::Signed;
use crate::render::safe;
use crate::transport::Reply;

/// What stands for a secret.
pub const MASK: &str = "****";

const HARMLESS: [&str; 19] = [
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
    "x-acs-signature-nonce",
    "x-acs-version",
    "x-project-id",
    "x-ratelimit-user",
    "x-request-id",
    "x-sdk-date",
];

/// The parameters of an RPC signature that say who asks, or prove it.
const SIGNING: [&str; 3] = ["AccessKeyId", "SecurityToken", "Signature"];

/// The value of a header, if it is harmless.
fn header<'v>(name: &str, value: &'v str) -> &'v str {
    match HARMLESS.contains(&name) {
        true => value,
        false => MASK,
    }
}

/// An address whose query does not tell who asks.
fn url(url: &str) -> String {
    let Some((address, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let masked = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SIGNING.contains(&name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    format!("{address}?{}", masked.collect::<Vec<_>>().join("&"))
}

/// A signed request as it may be shown.
#[derive(Debug, Clone)]
pub struct Masked {
    /// HTTP method.
    pub method: &'static str,
    /// Address with path and query.
    pub url: String,
    /// Headers, `host` left to the transport.
    pub headers: Vec<(&'static str, String)>,
    /// Body, empty where there is none. Operations have no secrets in theirs.
    pub body: Vec<u8>,
}

impl Masked {
    /// Masks a request.
    pub fn of(signed: Signed) -> Self {
        let masked =
            |(name, value): (&'static str, String)| (name, header(name, &value).to_owned());
        Masked {
            method: signed.method,
            url: url(&signed.url),
            headers: signed.headers.into_iter().map(masked).collect(),
            body: signed.body,
        }
    }
}

/// One try of a request, as `-v` tells of it.
pub struct Try<'a> {
    ui: &'a Ui,
    name: &'a dyn Fn() -> String,
    number: u32,
    of: u32,
    sent: usize,
}

impl<'a> Try<'a> {
    /// Tells of a request that is about to be sent: the `number`th try of at most `of`. `name` is who is asked what.
    pub fn begin(
        ui: &'a Ui,
        name: &'a dyn Fn() -> String,
        (number, of): (u32, u32),
        signed: &Signed,
    ) -> Self {
        ui.trace(Level::Headers, || {
            let address = signed.url.split('?').next().unwrap_or_default();
            let headers = signed.headers.iter();
            let headers = headers.map(|(name, value)| (*name, value.as_str()));
            format!("> {} {address}{}", signed.method, lines(headers, ">"))
        });
        Try {
            ui,
            name,
            number,
            of,
            sent: signed.body.len(),
        }
    }

    /// Tells how it ended: with an answer, or without.
    pub fn end(&self, took: Duration, reply: Option<&Reply>) {
        self.ui.trace(Level::Verbose, || {
            let took = took.as_millis();
            let (status, bytes) = match reply {
                Some(reply) => (
                    format!("HTTP {}", reply.status),
                    format!("{:>9} bytes", reply.body.len()),
                ),
                None => ("no answer".to_owned(), String::new()),
            };
            format!(
                "{status:<9} {took:>6} ms {bytes:<15}  {}{}",
                (self.name)(),
                self.remarks(reply)
            )
        });
        let Some(reply) = reply else { return };
        self.ui.trace(Level::Headers, || {
            let headers = reply.headers.iter();
            let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
            format!("< HTTP {}{}", reply.status, lines(headers, "<"))
        });
    }

    fn remarks(&self, reply: Option<&Reply>) -> String {
        let mut remarks = Vec::new();
        if self.number > 1 {
            remarks.push(format!("try {} of {}", self.number, self.of));
        }
        if self.sent > 0 {
            remarks.push(format!("sent {} bytes", self.sent));
        }
        let coding = reply.and_then(|reply| Some((reply, reply.header("content-encoding")?)));
        if let Some((reply, coding)) = coding {
            // Chunked answers don't say how long they are.
            let received = reply
                .header("content-length")
                .map_or(String::new(), |length| {
                    format!(", {length} bytes on the wire")
                });
            remarks.push(format!("{coding}{received}"));
        }
        match remarks.is_empty() {
            true => String::new(),
            false => format!(" ({})", remarks.join("; ")),
        }
    }
}

/// Tells that a request is tried again, and why.
pub fn retry(ui: &Ui, pause: Duration, name: &dyn Fn() -> String, why: &str) {
    ui.trace(Level::Verbose, || {
        format!(
            "{:<9} {:>6} ms {:<15}  {}: {}",
            "retry in",
            pause.as_millis(),
            "",
            name(),
            safe::escape(why)
        )
    });
}

/// Headers, a line each.
fn lines<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>, mark: &str) -> String {
    headers
        .map(|(name, value)| format!("\n{mark} {name}: {}", header(name, value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_in_is_masked_wherever_it_stands() {
        let masked = Masked::of(Signed {
            method: "POST",
            url: "https://a.b/?Action=X&AccessKeyId=LTAI&SecurityToken=t0ken&Signature=s%3D&Timestamp=1".into(),
            headers: vec![
                ("authorization", "ACS3 Credential=LTAI,Signature=s".into()),
                ("x-auth-token", "t0ken".into()),
                ("x-acs-security-token", "t0ken".into()),
                ("x-new", "who knows".into()),
                ("x-acs-action", "X".into()),
            ],
            body: Vec::new(),
            connect_timeout: None,
        });
        assert_eq!(
            masked.url,
            "https://a.b/?Action=X&AccessKeyId=****&SecurityToken=****&Signature=****&Timestamp=1"
        );
        let values: Vec<_> = masked.headers.iter().map(|(_, value)| &**value).collect();
        assert_eq!(values, [MASK, MASK, MASK, MASK, "X"]);
    }
}
