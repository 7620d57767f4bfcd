//! What a request is signed with. Secrets live in one type that can't be printed.

use std::fmt;

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
