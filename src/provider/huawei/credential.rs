//! Where Huawei Cloud credentials come from: environment, password sign-in at IAM, the SDKs' ini file, KooCLI's profile,
//! the ECS agency.
//!
//! A source that has nothing is passed over with its reason; a source that is broken stops the search.

pub mod ecs;
pub mod environment;
pub mod ini_file;
pub mod koocli;

use super::iam;
use crate::credential::seek::Seek;
use crate::credential::{Lease, Source};
use crate::error::{Error, Kind};
use crate::operation::lenient::{Object, Text};
use crate::provider::{Finding, Found, Origin, Search, first_of};

/// Looks where the profile says, else through the standard sources in order.
pub(super) fn find<'a>(seek: &'a Seek<'a>, search: &'a Search<'a>) -> Finding<'a, Found> {
    Box::pin(async move {
        let source: Source = match search.origin {
            Origin::Standard => return standard(seek, search.region).await,
            Origin::Environment => return from_environment(seek, search.region).await,
            Origin::File { path, section } => ini_file::find_in(seek, path, section.as_deref())?,
            Origin::Process(argv) => process(seek, argv).await?.into(),
            Origin::CliProfile(_) => {
                return Err(Error::new(
                    Kind::Config,
                    "credentials",
                    "aliyun_cli does not go with the cloud huawei",
                ));
            }
        };
        Ok(source.into())
    })
}

async fn from_environment(seek: &Seek<'_>, region: Option<&str>) -> Result<Found, Error> {
    first_of!(
        environment::find(seek.env)?,
        iam::password(seek, region).await?,
    )
}

async fn standard(seek: &Seek<'_>, region: Option<&str>) -> Result<Found, Error> {
    first_of!(
        environment::find(seek.env)?,
        iam::password(seek, region).await?,
        ini_file::find(seek)?,
        koocli::find(seek)?,
        ecs::find(seek).await?,
    )
}

/// Temporary keys as IAM, the metadata service and their imitators spell them.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Temporary<'a> {
    #[serde(alias = "accessKeyId", alias = "access_key_id")]
    #[serde(borrow)]
    access: Text<'a>,
    #[serde(alias = "secretAccessKey", alias = "secret_access_key")]
    secret: Text<'a>,
    #[serde(alias = "securityToken", alias = "security_token")]
    securitytoken: Text<'a>,
    #[serde(alias = "expiration")]
    expires_at: Text<'a>,
    /// The keys may stand one level deeper.
    #[serde(alias = "credentials")]
    credential: Object<Box<Temporary<'a>>>,
}

impl Temporary<'_> {
    fn into_lease(self, what: &str, source: &str) -> Result<Lease, Error> {
        if let Some(nested) = self.credential.0 {
            return nested.into_lease(what, source);
        }
        let missing = |key| Error::new(Kind::Credential, what, format!("the answer has no {key}"));
        let lease = Lease::keys(
            self.access.get().ok_or_else(|| missing("access"))?,
            self.secret.get().ok_or_else(|| missing("secret"))?,
            self.securitytoken.get(),
            source,
        );
        let expires = self
            .expires_at
            .get()
            .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        Ok(Lease {
            expires: expires.map(|time| time.to_utc()),
            ..lease
        })
    }
}

async fn process(seek: &Seek<'_>, argv: &[String]) -> Result<Lease, Error> {
    let output = seek.process(argv).await?;
    let printed: Temporary = serde_json::from_str(&output)
        .map_err(|_| Error::new(Kind::Config, "command", "it did not print JSON"))?;
    printed.into_lease("command", "command")
}
