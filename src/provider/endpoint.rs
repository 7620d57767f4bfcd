//! The address of a service, and what may be one.

use url::Url;

use crate::error::Error;

/// The address of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// The https address of a host.
    pub fn of_host(host: &str) -> Self {
        Endpoint(Url::parse(&format!("https://{host}/")).expect("hosts in our tables are valid"))
    }

    /// An address that a user names.
    ///
    /// # Errors
    /// A usage error for anything but `https://host[:port]`, or plain http to loopback: credentials, a query or a path
    /// in it, and http to anywhere else, are refused.
    pub fn parse(source: &str, text: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Error::usage(source, format!("{why}: {}", without_userinfo(text)));
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&with_scheme).map_err(|e| refuse(&format!("not a URL ({e})")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("a service address must not hold credentials"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("a service address is scheme, host and port only"));
        }
        let endpoint = Endpoint(url);
        match endpoint.0.scheme() {
            "https" => Ok(endpoint),
            "http" if endpoint.is_loopback() => Ok(endpoint),
            "http" => Err(refuse("plain http is only allowed to loopback, use https")),
            _ => Err(refuse("the scheme must be https")),
        }
    }

    /// Whether it can only be reached from this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// Host, and the port where it is not the scheme's own: the `Host` header.
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Scheme and authority, as errors show it.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.0.scheme(), self.authority())
    }
}

/// Whether an address can only be reached from this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An address as errors may show it: whatever stands before an `@` could be a password.
fn without_userinfo(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in [
            "http://127.0.0.1:8080",
            "http://[::1]:1",
            "http://localhost:9",
            "https://a.b",
            "a.b",
        ] {
            assert!(Endpoint::parse("--endpoint", good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com",
            "http://127.0.0.1.example.com",
            "ftp://a",
            "https://a/p",
            "https://a?x",
            "https://",
        ] {
            let error = Endpoint::parse("--endpoint", bad).unwrap_err();
            assert_eq!(error.kind, Kind::Usage, "{bad}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_showing_it() {
        let error = Endpoint::parse("--endpoint", "https://user:pass-word@host").unwrap_err();
        assert!(!error.to_string().contains("pass-word"), "{error}");
    }

    #[test]
    fn the_host_header_has_a_port_only_where_it_is_not_the_usual_one() {
        let authority = |text| Endpoint::parse("x", text).unwrap().authority();
        assert_eq!(authority("https://a.b:443"), "a.b");
        assert_eq!(authority("http://127.0.0.1:8080/"), "127.0.0.1:8080");
    }
}
