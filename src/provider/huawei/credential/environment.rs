//! A token or keys from the environment.

use crate::context::Env;
use crate::credential::{Credential, Lease, Secret, Source, variables};
use crate::error::Error;

/// Variables that name a project, first one wins.
pub(in super::super) const PROJECT: &[&str] = &[
    "HUAWEICLOUD_SDK_PROJECT_ID",
    "HW_PROJECT_ID",
    "OS_PROJECT_ID",
];

/// `HUAWEICLOUD_SDK_TOKEN`, else `HUAWEICLOUD_SDK_AK`, `_SK` and `_SECURITY_TOKEN`, else the names that the vendor's
/// Terraform provider has for the same.
pub(super) fn find(env: &Env) -> Result<Source, Error> {
    Ok(match keys(env)? {
        Some(lease) => Lease {
            project_id: env.first(PROJECT).map(|(_, id)| id.to_owned()),
            ..lease
        }
        .into(),
        None => Source::nothing(
            "environment: neither HUAWEICLOUD_SDK_TOKEN nor HUAWEICLOUD_SDK_AK is set",
        ),
    })
}

fn keys(env: &Env) -> Result<Option<Lease>, Error> {
    if let Some((name, token)) = env.first(&["HUAWEICLOUD_SDK_TOKEN", "HW_AUTH_TOKEN"]) {
        let credential = Credential::Token(Secret::new(token));
        return Ok(Some(Lease::new(
            credential,
            format!("environment ({name})"),
        )));
    }
    let families = [
        [
            "HUAWEICLOUD_SDK_AK",
            "HUAWEICLOUD_SDK_SK",
            "HUAWEICLOUD_SDK_SECURITY_TOKEN",
        ],
        ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"],
    ];
    for names in families {
        if let Some(lease) = variables::keys(env, names)? {
            return Ok(Some(lease));
        }
    }
    Ok(None)
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
        let Ok(Source::Lease(lease)) = find(&env) else {
            panic!("there is a token")
        };
        assert!(matches!(lease.credential, Credential::Token(_)));
    }
}
