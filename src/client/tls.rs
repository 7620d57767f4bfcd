//! TLS: rustls with ring, and the right certificates.
//!
//! The certificates that come with scanq are used unless the environment names others: reading the system's takes
//! milliseconds, and small images have none.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{ErrorKind, load_certs_from_paths};

use crate::context::Env;
use crate::error::{Error, Kind};

/// The configuration for https.
///
/// # Errors
/// If `SSL_CERT_FILE` or `SSL_CERT_DIR` is set, but has no certificates.
pub fn config(env: &Env) -> Result<ClientConfig, Error> {
    let mut roots = RootCertStore::empty();
    let (file, folder) = ("SSL_CERT_FILE", "SSL_CERT_DIR");
    for name in [file, folder] {
        let Some(path) = env.get(name) else { continue };
        let found = match name == file {
            true => load_certs_from_paths(Some(Path::new(path)), None),
            false => load_certs_from_paths(None, Some(Path::new(path))),
        };
        let broken = |why: &dyn Display, path: &dyn Display| {
            Error::new(Kind::Config, name, format!("{why}: {path}")).hint(format!(
                "name certificates in PEM, or unset {name} for those that scanq brings"
            ))
        };
        match found.errors.first().map(|error| &error.kind) {
            Some(ErrorKind::Io { inner, path }) => return Err(broken(inner, &path.display())),
            Some(_) => return Err(broken(&found.errors[0], &path)),
            None => {}
        }
        if roots.add_parsable_certificates(found.certs).0 == 0 {
            return Err(broken(&"no certificate in it", &path));
        }
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(with_roots(roots))
}

/// A configuration for connections that are never encrypted.
pub fn without_roots() -> ClientConfig {
    with_roots(RootCertStore::empty())
}

fn with_roots(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("ring supports the default protocol versions")
        .expect("a fixed configuration")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
