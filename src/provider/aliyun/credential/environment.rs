//! Keys, and the variables of an OIDC sign-in, from the environment.

use std::path::PathBuf;

use super::sts::{self, Role};
use crate::context::Env;
use crate::credential::seek::Seek;
use crate::credential::{Source, variables};
use crate::error::Error;

const PREFIXES: [&str; 3] = ["ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_"];

/// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `…_ACCESS_KEY_SECRET` and `…_SECURITY_TOKEN`, with the older prefixes as fallbacks.
pub(super) fn find(env: &Env) -> Result<Source, Error> {
    for prefix in PREFIXES {
        let names = ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"];
        let [id, secret, token] = names.map(|name| format!("{prefix}{name}"));
        if let Some(lease) = variables::keys(env, [&id, &secret, &token])? {
            return Ok(lease.into());
        }
    }
    Ok(Source::Nothing(
        "environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set".to_owned(),
    ))
}

/// The three variables that CI runners and Kubernetes set for a workload's own identity.
pub(super) async fn oidc(seek: &Seek<'_>) -> Result<Source, Error> {
    let env = seek.env;
    let either = |suffix: &str| {
        let names = [
            format!("ALIBABA_CLOUD_{suffix}"),
            format!("ALIBABACLOUD_{suffix}"),
        ];
        names.iter().find_map(|name| env.get(name))
    };
    let (Some(role), Some(provider), Some(file)) = (
        either("ROLE_ARN"),
        either("OIDC_PROVIDER_ARN"),
        either("OIDC_TOKEN_FILE"),
    ) else {
        return Ok(Source::Nothing(
            "OIDC: ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE are not all set"
                .to_owned(),
        ));
    };
    let role = Role {
        arn: role.to_owned(),
        session: either("ROLE_SESSION_NAME").map(str::to_owned),
        ..Role::default()
    };
    let source = format!("OIDC role {}", role.arn);
    let lease =
        sts::assume_role_with_oidc(seek, &role, provider, &PathBuf::from(file), &source).await?;
    Ok(lease.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;

    #[test]
    fn older_prefixes_are_fallbacks_and_are_never_mixed() {
        let env = Env::from_iter([
            ("ALICLOUD_ACCESS_KEY_ID", "old"),
            ("ALICLOUD_ACCESS_KEY_SECRET", "s"),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "of-another"),
        ]);
        let Ok(Source::Lease(lease)) = find(&env) else {
            panic!("the fallback has keys");
        };
        assert!(
            matches!(lease.credential, Credential::Keys { ref id, security_token: None, .. } if id == "old")
        );
    }
}
