//! The network. The only file that uses the HTTP client.

use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use url::Url;

use super::tls;
use crate::context::Env;
use crate::error::{Error, Kind};
use crate::provider::{Signed, is_loopback};
use crate::transport::{LARGEST_BODY, Reply, Sending, Transport, too_large};

/// The longest that connecting may take where nothing else is said.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Variables that name a proxy, first one wins.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// What a client is made for: whether it speaks plain http, whether it stays on this machine, how long it may connect.
type Needs = (bool, bool, Duration);

/// The network.
pub struct Http {
    env: Env,
    connect_timeout: Option<Duration>,
    /// Made when the first request needs one: certificates are only read for https.
    clients: RefCell<Vec<(Needs, reqwest::Client)>>,
}

impl Http {
    /// A transport that gives up connecting after `connect_timeout`, else after what the request says, else after five
    /// seconds.
    pub fn new(env: Env, connect_timeout: Option<Duration>) -> Self {
        Http {
            env,
            connect_timeout,
            clients: RefCell::default(),
        }
    }

    fn client(
        &self,
        url: &Url,
        connect_timeout: Option<Duration>,
    ) -> anyhow::Result<reqwest::Client> {
        let is_plain = url.scheme() == "http";
        let connect_timeout = self
            .connect_timeout
            .or(connect_timeout)
            .unwrap_or(CONNECT_TIMEOUT);
        let is_local = is_loopback(url);
        let key = (is_plain, is_local, connect_timeout);
        if let Some((_, client)) = self
            .clients
            .borrow()
            .iter()
            .find(|(known, _)| *known == key)
        {
            return Ok(client.clone());
        }
        let builder = reqwest::Client::builder()
            .user_agent(concat!("scanq/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect_timeout)
            // Credentials never follow a redirect, and a retry needs a new signature.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // Proxies are taken from our own environment, below.
            .no_proxy()
            .tls_backend_preconfigured(if is_plain {
                tls::without_roots()
            } else {
                tls::config(&self.env)?
            });
        let builder = if is_plain || is_local {
            // What stays on this machine, or on its link, needs no proxy.
            builder
        } else {
            builder.proxy(self.proxy()?)
        };
        let client = builder.build().context("set up the HTTP client")?;
        self.clients.borrow_mut().push((key, client.clone()));
        Ok(client)
    }

    /// `HTTPS_PROXY` and `NO_PROXY`, in either case.
    fn proxy(&self) -> Result<reqwest::Proxy, Error> {
        let Some((name, address)) = self.env.first(&PROXIES) else {
            return Ok(reqwest::Proxy::custom(|_| None::<Url>));
        };
        // The address may hold a password: it is not repeated.
        let proxy = reqwest::Proxy::https(address).map_err(|_| {
            Error::new(Kind::Config, name, "is not the address of a proxy")
                .hint("write it as http://host:port, or unset it")
        })?;
        let exceptions = self.env.first(&["NO_PROXY", "no_proxy"]);
        Ok(proxy.no_proxy(exceptions.and_then(|(_, hosts)| reqwest::NoProxy::from_string(hosts))))
    }

    /// Why there is no answer, and what to do about it. RPC signatures are in the query: the address is not shown.
    fn unanswered(&self, error: reqwest::Error, is_local: bool) -> Error {
        let error = error.without_url();
        let why = causes(&error);
        let proxy = self.env.first(&PROXIES).filter(|_| !is_local);
        let hint = next_step(
            &why,
            proxy.map(|(name, _)| name),
            is_local,
            is_refused(&error),
        );
        Error::new(Kind::Network, "", why).hint(hint)
    }

    async fn exchange(&self, signed: Signed) -> anyhow::Result<Reply> {
        let url = Url::parse(&signed.url)
            .map_err(|_| anyhow!("the request's address can't be parsed"))?;
        let (is_plain, is_local) = (url.scheme() == "http", is_loopback(&url));
        let method = signed.method.parse().context("method")?;
        let mut request = self
            .client(&url, signed.connect_timeout)?
            .request(method, url)
            .body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        // What stays on this machine, or on its link, is not worth compressing.
        if !is_plain && !is_local {
            request = request.header("accept-encoding", "gzip");
        }
        let broken = |error: reqwest::Error| self.unanswered(error, is_local);
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut reply = Reply {
            status,
            headers,
            body: Bytes::new(),
        };
        let is_gzip = reply
            .header("content-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        // As much room as the server says that it needs: a body that grows is copied with every doubling.
        let length = response.content_length().unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(LARGEST_BODY);
        let mut body = Body::new(is_gzip && !is_plain && !is_local, length.min(LARGEST_BODY));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            body.take(&chunk)?;
        }
        reply.body = body.end()?;
        Ok(reply)
    }
}

/// The body of an answer as it arrives.
enum Body {
    Plain(Vec<u8>),
    /// Made with the first bytes: nothing at all is no broken gzip.
    Gzip(Option<Box<MultiGzDecoder<Vec<u8>>>>),
}

impl Body {
    fn new(is_gzip: bool, length: usize) -> Self {
        match is_gzip {
            true => Body::Gzip(None),
            false => Body::Plain(Vec::with_capacity(length)),
        }
    }

    fn take(&mut self, chunk: &[u8]) -> anyhow::Result<()> {
        // Compression makes a thousand times as much of a piece, at most.
        for piece in chunk.chunks(PIECE) {
            check_size(match self {
                Body::Plain(bytes) => {
                    bytes.extend_from_slice(piece);
                    bytes.len()
                }
                Body::Gzip(decoder) => {
                    let decoder =
                        decoder.get_or_insert_with(|| MultiGzDecoder::new(Vec::new()).into());
                    decoder.write_all(piece).context(NOT_GZIP)?;
                    decoder.get_ref().len()
                }
            })?;
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<Bytes> {
        let body = match self {
            Body::Plain(bytes) => bytes.into(),
            Body::Gzip(None) => Bytes::new(),
            Body::Gzip(Some(decoder)) => decoder.finish().context(NOT_GZIP)?.into(),
        };
        check_size(body.len())?;
        Ok(body)
    }
}

fn check_size(size: usize) -> Result<(), Error> {
    match size > LARGEST_BODY {
        true => Err(too_large()),
        false => Ok(()),
    }
}

/// So many bytes are taken before the size is looked at.
const PIECE: usize = 8 * 1024;

const NOT_GZIP: &str = "the answer is not the gzip that it says it is";

impl Transport for Http {
    fn send(&self, request: Signed) -> Sending<'_> {
        Box::pin(self.exchange(request))
    }
}

/// What to do about an address that gives no answer, `proxy` being the variable that names one.
fn next_step(why: &str, proxy: Option<&str>, is_local: bool, is_refused: bool) -> String {
    let step = match proxy {
        _ if why.contains("certificate") => {
            "if a proxy or a private authority signs this connection, name its certificate with SSL_CERT_FILE"
        }
        Some(name) => {
            return format!(
                "{name} names a proxy: check that it answers and lets you through, or name this host in NO_PROXY"
            );
        }
        None if is_local && !is_refused => {
            "the connection to the server on this machine did not hold: see what it logs; --retries tries more often"
        }
        None if is_local => {
            "nothing answers at this address of this machine: check where it is set, and that its server still runs"
        }
        None if why.contains("dns error") => {
            "this name is not known here: check the network and its DNS; behind a proxy, set HTTPS_PROXY"
        }
        None => {
            "check the network and its firewall; behind a proxy, set HTTPS_PROXY; --retries tries more often"
        }
    };
    step.to_owned()
}

/// Words of an error that only say that there are causes.
const HOLLOW: [&str; 4] = [
    "error sending request",
    "client error (Connect)",
    "client error (SendRequest)",
    "failed to create underlying connection",
];

/// Whether nobody listens there.
fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        let error = error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}

/// What caused an error, from the outside in, without saying the same twice.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        // Some causes begin by naming a hollow one themselves.
        let words = HOLLOW.iter().fold(error.to_string(), |words, hollow| {
            words
                .replace(&format!("{hollow}: "), "")
                .replace(hollow, "")
        });
        if !words.is_empty() && !text.contains(&words) {
            let gap = if text.is_empty() { "" } else { ": " };
            text = format!("{}{gap}{words}", text.trim_end_matches([':', ' ']));
        }
        cause = error.source();
    }
    match text.is_empty() {
        true => error.to_string(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(chunks: &[&[u8]]) -> anyhow::Result<Bytes> {
        let mut body = Body::new(true, 0);
        chunks.iter().try_for_each(|chunk| body.take(chunk))?;
        body.end()
    }

    #[test]
    fn compressed_answers_are_read_in_pieces_or_not_at_all() {
        let packed = gzip(b"{\"List\":[]}");
        let (start, rest) = packed.split_at(9);
        assert_eq!(read(&[start, rest]).unwrap(), "{\"List\":[]}");
        assert_eq!(read(&[]).unwrap(), "");
        for broken in [start, b"<html>"] {
            assert!(read(&[broken]).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn each_way_to_reach_nobody_has_a_next_step_of_its_own() {
        let proxy = Some("ALL_PROXY");
        for (why, proxy, is_local, says) in [
            (
                "invalid peer certificate: UnknownIssuer",
                proxy,
                false,
                "SSL_CERT_FILE",
            ),
            (
                "tunnel error: dns error",
                proxy,
                false,
                "ALL_PROXY names a proxy",
            ),
            (
                "dns error: no such name",
                None,
                false,
                "this name is not known here",
            ),
            ("tcp connect error: refused", None, true, "of this machine"),
            ("reset by peer", None, true, "see what it logs"),
            ("tcp connect error: refused", None, false, "its firewall"),
        ] {
            let step = next_step(why, proxy, is_local, why.contains("refused"));
            assert!(step.contains(says), "{why}: {step}");
        }
    }

    #[test]
    fn a_small_answer_that_grows_without_end_is_cut_off() {
        // Compressed files one after the other are one.
        let zeros = gzip(&vec![0; 1 << 20]);
        let members = vec![&*zeros; (LARGEST_BODY >> 20) + 1];
        let error = read(&members).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("the answer is larger than 64 MiB"));
    }
}
