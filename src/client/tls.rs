//! TLS: rustls with ring, and the right certificates.
//!
//! The certificates that come with scanq are used unless the environment names others: reading the system's takes
//! milliseconds, and small images have none.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::{ClientConfig, RootCertStore};

use crate::context::Env;

/// The configuration for https.
///
/// # Errors
/// If `SSL_CERT_FILE` or `SSL_CERT_DIR` is set, but has no certificates.
pub fn config(env: &Env) -> anyhow::Result<ClientConfig> {
    let Some((name, path)) = env.first(&["SSL_CERT_FILE", "SSL_CERT_DIR"]) else {
        let built_in = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        return Ok(with_roots(RootCertStore { roots: built_in }));
    };
    let file = env.get("SSL_CERT_FILE").map(std::path::Path::new);
    let folder = env.get("SSL_CERT_DIR").map(std::path::Path::new);
    let found = rustls_native_certs::load_certs_from_paths(file, folder);
    if let Some(error) = found.errors.first() {
        bail!("{name}: {error}");
    }
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        bail!("{name}: no certificate in {path}");
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
