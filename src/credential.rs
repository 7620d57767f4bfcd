//! What a request is signed with, and where it comes from. Secrets live in one type that can't be printed.

pub mod cache;
pub mod ini;
pub mod seek;
pub mod variables;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use secrecy::{ExposeSecret, SecretString};

/// A secret: no `Display`, no `Serialize`, `Debug` says `[redacted]`, its memory is zeroed when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the secret over.
    pub fn new(secret: impl Into<String>) -> Self {
        Secret(SecretString::from(secret.into()))
    }

    /// The secret itself. Only signers, and the sandbox that checks them, have a reason to call this.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An access key, and for temporary keys the security token that belongs to it.
    Keys {
        /// AccessKeyId (Alibaba Cloud) or AK (Huawei Cloud).
        id: String,
        /// AccessKeySecret or SK.
        secret: Secret,
        /// STS security token.
        security_token: Option<Secret>,
    },
    /// A ready-made IAM token (Huawei Cloud's X-Auth-Token).
    Token(Secret),
}

impl Credential {
    /// What a dry run signs with where nothing better is known without asking: of the shape that a sign-in gives.
    pub fn stand_in() -> Self {
        Credential::Keys {
            id: STAND_IN.to_owned(),
            secret: Secret::new(STAND_IN),
            security_token: Some(Secret::new(STAND_IN)),
        }
    }

    /// The same for sign-ins that give a token.
    pub fn stand_in_token() -> Self {
        Credential::Token(Secret::new(STAND_IN))
    }
}

const STAND_IN: &str = "stand-in";

/// Temporary credentials are not used in the last minutes of their life: a request must not outlive them.
const MARGIN: TimeDelta = TimeDelta::minutes(3);

/// A credential that was found, and what its source knows beside it.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Who asks.
    pub credential: Credential,
    /// Where it was found, in words.
    pub source: String,
    /// When it ends, if it does.
    pub expires: Option<DateTime<Utc>>,
    /// The region that the source names.
    pub region: Option<String>,
    /// The project that the source names (Huawei Cloud).
    pub project_id: Option<String>,
}

impl Lease {
    /// A credential that does not end.
    pub fn new(credential: Credential, source: impl Into<String>) -> Self {
        Lease {
            credential,
            source: source.into(),
            expires: None,
            region: None,
            project_id: None,
        }
    }

    /// Long-lived or temporary keys.
    pub fn keys(
        id: impl Into<String>,
        secret: impl Into<String>,
        security_token: Option<&str>,
        source: impl Into<String>,
    ) -> Self {
        let credential = Credential::Keys {
            id: id.into(),
            secret: Secret::new(secret),
            security_token: security_token.map(Secret::new),
        };
        Lease::new(credential, source)
    }

    /// Whether it can still be used at this time.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.expires.is_none_or(|expires| now + MARGIN < expires)
    }
}

/// What one source came to.
#[derive(Debug)]
pub enum Source {
    /// This.
    Lease(Box<Lease>),
    /// It has nothing, for this reason. The next source is asked.
    Nothing(String),
}

impl Source {
    /// It has nothing, for this reason.
    pub fn nothing(reason: impl Into<String>) -> Self {
        Source::Nothing(reason.into())
    }
}

impl From<Lease> for Source {
    fn from(lease: Lease) -> Self {
        Source::Lease(Box::new(lease))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_a_secret() {
        let keys = Credential::Keys {
            id: "AK".into(),
            secret: Secret::new("plain-secret"),
            security_token: Some(Secret::new("plain-token")),
        };
        let shown = format!(
            "{keys:?} {:?}",
            Credential::Token(Secret::new("plain-token"))
        );
        assert!(!shown.contains("plain"), "{shown}");
        assert!(shown.contains("[redacted]"));
    }
}
