//! The network. The only file that uses the HTTP client.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use url::Url;

use super::tls;
use crate::context::Env;
use crate::provider::{Signed, is_loopback};
use crate::transport::{Reply, Sending, Transport};

/// The largest answer that is read.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The longest that connecting may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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
            // What stays on this machine, or on its link, needs neither a proxy nor compression.
            builder.gzip(false)
        } else {
            builder.proxy(self.proxy()?)
        };
        let client = builder.build().context("set up the HTTP client")?;
        self.clients.borrow_mut().push((key, client.clone()));
        Ok(client)
    }

    /// `HTTPS_PROXY` and `NO_PROXY`, in either case.
    fn proxy(&self) -> anyhow::Result<reqwest::Proxy> {
        let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        let Some((name, address)) = self.env.first(&variables) else {
            return Ok(reqwest::Proxy::custom(|_| None::<Url>));
        };
        // The address may hold a password: it is not repeated.
        let proxy = reqwest::Proxy::https(address)
            .map_err(|_| anyhow!("{name} is not the address of a proxy"))?;
        let exceptions = self.env.first(&["NO_PROXY", "no_proxy"]);
        Ok(proxy.no_proxy(exceptions.and_then(|(_, hosts)| reqwest::NoProxy::from_string(hosts))))
    }

    async fn exchange(&self, signed: Signed) -> anyhow::Result<Reply> {
        let url = Url::parse(&signed.url)
            .map_err(|_| anyhow!("the request's address can't be parsed"))?;
        let method = signed.method.parse().context("method")?;
        let mut request = self
            .client(&url, signed.connect_timeout)?
            .request(method, url)
            .body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        // RPC signatures are in the query: an error must not show the address.
        let hidden = |error: reqwest::Error| anyhow!(causes(&error.without_url()));
        let mut response = request.send().await.map_err(hidden)?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        // As much room as the server says that it needs: a body that grows is copied with every doubling.
        let length = response.content_length().unwrap_or(0);
        let length = usize::try_from(length).unwrap_or(LARGEST_BODY);
        let mut body = Vec::with_capacity(length.min(LARGEST_BODY));
        while let Some(chunk) = response.chunk().await.map_err(hidden)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                bail!("the answer is larger than {} MiB", LARGEST_BODY >> 20);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            headers,
            body: body.into(),
        })
    }
}

impl Transport for Http {
    fn send(&self, request: Signed) -> Sending<'_> {
        Box::pin(self.exchange(request))
    }
}

/// An error and what caused it, without saying the same twice.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}
