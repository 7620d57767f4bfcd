//! Where Huawei Cloud credentials come from.
//!
//! A source that has nothing is passed over with its reason; a source that is broken stops the search.

use crate::context::Env;
use crate::credential::{Credential, Secret};
use crate::error::{Error, Kind};
use crate::provider::Found;

/// Looks through the sources in order.
pub(super) fn find(env: &Env) -> Result<Found, Error> {
    environment(env)
}

/// The project id that the environment names.
pub(super) fn project(env: &Env) -> Option<String> {
    env.first(&["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID"])
        .map(|(_, id)| id.to_owned())
}

/// `HUAWEICLOUD_SDK_TOKEN`, else `HUAWEICLOUD_SDK_AK`, `_SK` and `_SECURITY_TOKEN`, else the names that the vendor's
/// Terraform provider has for the same.
fn environment(env: &Env) -> Result<Found, Error> {
    if let Some((_, token)) = env.first(&["HUAWEICLOUD_SDK_TOKEN", "HW_AUTH_TOKEN"]) {
        return Ok(Found::Credential(Credential::Token(Secret::new(token))));
    }
    let families = [
        (
            "HUAWEICLOUD_SDK_AK",
            "HUAWEICLOUD_SDK_SK",
            "HUAWEICLOUD_SDK_SECURITY_TOKEN",
        ),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"),
    ];
    for (id_name, secret_name, token_name) in families {
        match (env.get(id_name), env.get(secret_name)) {
            (Some(id), Some(secret)) => {
                return Ok(Found::Credential(Credential::Keys {
                    id: id.to_owned(),
                    secret: Secret::new(secret),
                    security_token: env.get(token_name).map(Secret::new),
                }));
            }
            (None, None) => {}
            (Some(_), None) => return Err(half(id_name, secret_name)),
            (None, Some(_)) => return Err(half(secret_name, id_name)),
        }
    }
    Ok(Found::Nothing(vec![
        "environment: neither HUAWEICLOUD_SDK_TOKEN nor HUAWEICLOUD_SDK_AK is set".to_owned(),
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
    fn a_token_wins_over_keys() {
        let env = Env::from_iter([
            ("HUAWEICLOUD_SDK_TOKEN", "t"),
            ("HUAWEICLOUD_SDK_AK", "a"),
            ("HUAWEICLOUD_SDK_SK", "s"),
        ]);
        assert!(matches!(
            find(&env),
            Ok(Found::Credential(Credential::Token(_)))
        ));
    }

    #[test]
    fn half_a_key_is_broken_not_absent() {
        let env = Env::from_iter([("HW_SECRET_KEY", "s")]);
        let error = find(&env).err().unwrap();
        assert!(error.why.contains("HW_ACCESS_KEY is not"), "{error}");
    }
}
