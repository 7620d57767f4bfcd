//! Where Alibaba Cloud credentials come from, in the order of the vendor's SDKs: environment, OIDC, the `aliyun` CLI's
//! profile, the ini file, the ECS instance role, `ALIBABA_CLOUD_CREDENTIALS_URI`.
//!
//! A source that has nothing is passed over with its reason; a source that is broken stops the search.

pub mod cli_profile;
pub mod ecs;
pub mod environment;
pub mod ini_file;
pub mod sts;
pub mod uri;

use crate::credential::seek::Seek;
use crate::credential::{Credential, Lease, Source};
use crate::error::{Error, Kind};
use crate::provider::{Finding, Found, Origin, Search, first_of};

/// Looks where the profile says, else through the standard sources in order.
pub(super) fn find<'a>(seek: &'a Seek<'a>, search: &'a Search<'a>) -> Finding<'a, Found> {
    Box::pin(async move {
        let source: Source = match search.origin {
            Origin::Standard => return standard(seek).await,
            Origin::Environment => return from_environment(seek).await,
            Origin::CliProfile(name) => cli_profile::find(seek, Some(name)).await?,
            Origin::File { path, section } => {
                ini_file::find_in(seek, path, section.as_deref()).await?
            }
            Origin::Process(argv) => cli_profile::external(seek, argv, "command").await?.into(),
        };
        Ok(source.into())
    })
}

async fn from_environment(seek: &Seek<'_>) -> Result<Found, Error> {
    first_of!(environment::find(seek.env)?, environment::oidc(seek).await?,)
}

async fn standard(seek: &Seek<'_>) -> Result<Found, Error> {
    first_of!(
        environment::find(seek.env)?,
        environment::oidc(seek).await?,
        cli_profile::find(seek, None).await?,
        ini_file::find(seek).await?,
        ecs::find(seek, None).await?,
        uri::find(seek).await?,
    )
}

/// Takes on a role with the credentials of another profile.
pub(super) fn assume<'a>(seek: &'a Seek<'a>, base: &'a Lease, role: &'a str) -> Finding<'a, Lease> {
    Box::pin(async move {
        let source = format!("role {role} by {}", base.source);
        let role = sts::Role {
            arn: role.to_owned(),
            ..sts::Role::default()
        };
        sts::assume_role(seek, base, &role, &source).await
    })
}

/// Temporary keys in the spelling of STS, the metadata service, and everything that imitates them.
#[derive(serde::Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Temporary<'a> {
    #[serde(borrow)]
    code: crate::operation::lenient::Text<'a>,
    access_key_id: crate::operation::lenient::Text<'a>,
    access_key_secret: crate::operation::lenient::Text<'a>,
    security_token: crate::operation::lenient::Text<'a>,
    expiration: crate::operation::lenient::Text<'a>,
}

impl Temporary<'_> {
    fn into_lease(self, what: &str, source: &str) -> Result<Lease, Error> {
        let missing = |key| Error::new(Kind::Answer, what, format!("the answer has no {key}"));
        let lease = Lease::keys(
            self.access_key_id
                .get()
                .ok_or_else(|| missing("AccessKeyId"))?,
            self.access_key_secret
                .get()
                .ok_or_else(|| missing("AccessKeySecret"))?,
            Some(
                self.security_token
                    .get()
                    .ok_or_else(|| missing("SecurityToken"))?,
            ),
            source,
        );
        let expires = self.expiration.get().ok_or_else(|| missing("Expiration"))?;
        let expires = chrono::DateTime::parse_from_rfc3339(expires)
            .map_err(|_| missing("valid Expiration"))?;
        Ok(Lease {
            expires: Some(expires.to_utc()),
            ..lease
        })
    }
}

/// The id of an access key, for cache names and messages.
fn id_of(lease: &Lease) -> &str {
    match &lease.credential {
        Credential::Keys { id, .. } => id,
        Credential::Token(_) => "",
    }
}
