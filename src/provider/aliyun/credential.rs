//! Where Alibaba Cloud credentials come from.
//!
//! A source that has nothing is passed over with its reason; a source that is broken stops the search.

use crate::context::Env;
use crate::credential::{Credential, Secret};
use crate::error::{Error, Kind};
use crate::provider::Found;

const PREFIXES: [&str; 3] = ["ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_"];

/// Looks through the sources in order.
pub(super) fn find(env: &Env) -> Result<Found, Error> {
    environment(env)
}

/// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `…_ACCESS_KEY_SECRET` and `…_SECURITY_TOKEN`, with the older prefixes as fallbacks.
fn environment(env: &Env) -> Result<Found, Error> {
    for prefix in PREFIXES {
        let name = |suffix: &str| format!("{prefix}{suffix}");
        let (id, secret) = (name("ACCESS_KEY_ID"), name("ACCESS_KEY_SECRET"));
        match (env.get(&id), env.get(&secret)) {
            (Some(id), Some(secret)) => {
                return Ok(Found::Credential(Credential::Keys {
                    id: id.to_owned(),
                    secret: Secret::new(secret),
                    security_token: env.get(&name("SECURITY_TOKEN")).map(Secret::new),
                }));
            }
            (None, None) => {}
            (Some(_), None) => return Err(half(&id, &secret)),
            (None, Some(_)) => return Err(half(&secret, &id)),
        }
    }
    Ok(Found::Nothing(vec![
        "environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set".to_owned(),
    ]))
}

fn half(set: &str, missing: &str) -> Error {
    Error::new(
        Kind::Credential,
        "environment",
        format!("{set} is set, but {missing} is not"),
    )
    .hint(format!("set {missing}, or unset {set}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_prefixes_are_fallbacks_and_are_never_mixed() {
        let env = Env::from_iter([
            ("ALICLOUD_ACCESS_KEY_ID", "old"),
            ("ALICLOUD_ACCESS_KEY_SECRET", "s"),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "of-another"),
        ]);
        let Ok(Found::Credential(Credential::Keys {
            id, security_token, ..
        })) = find(&env)
        else {
            panic!("the fallback has keys");
        };
        assert_eq!(id, "old");
        assert!(security_token.is_none());
    }

    #[test]
    fn half_a_key_is_broken_not_absent() {
        let env = Env::from_iter([("ALIBABA_CLOUD_ACCESS_KEY_ID", "id")]);
        let error = find(&env).err().unwrap();
        assert_eq!(error.kind, Kind::Credential);
        assert!(error.why.contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"));
    }
}
