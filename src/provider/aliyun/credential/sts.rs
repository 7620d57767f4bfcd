//! STS (2015-04-01): temporary keys for a role, with keys of one's own or with an identity provider's token.
//!
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::{error, sign};
use super::{Temporary, id_of};
use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::encoding;
use crate::error::{Error, Kind};
use crate::provider::{Answer, Endpoint, Failure, Request, Scheme, Signed, Signing};

const VERSION: &str = "2015-04-01";

/// Seconds that temporary keys last where nothing says otherwise.
const DEFAULT_SECONDS: i64 = 3600;

/// The shortest that STS gives.
const SHORTEST_SECONDS: i64 = 900;

/// A role to take on.
#[derive(Debug, Clone, Default)]
pub(super) struct Role {
    /// `acs:ram::<account>:role/<name>`.
    pub(super) arn: String,
    /// Name of the session in audit logs.
    pub(super) session: Option<String>,
    /// Agreed with the owner of the role.
    pub(super) external_id: Option<String>,
    /// How long the keys last.
    pub(super) seconds: Option<i64>,
    /// Narrows what the keys may do.
    pub(super) policy: Option<String>,
    /// Region of STS.
    pub(super) region: Option<String>,
    /// Address of STS.
    pub(super) endpoint: Option<String>,
}

impl Role {
    /// Role's own address, variables, role's region, the global address.
    fn sts(&self, seek: &Seek<'_>) -> Result<Endpoint, Error> {
        let env = seek.env;
        if let Some(address) = self.endpoint.as_deref() {
            return Endpoint::parse("sts_endpoint", address);
        }
        if let Some(address) = env.get("ALIBABA_CLOUD_STS_ENDPOINT") {
            return Endpoint::parse("ALIBABA_CLOUD_STS_ENDPOINT", address);
        }
        let region = self
            .region
            .as_deref()
            .or_else(|| env.get("ALIBABA_CLOUD_STS_REGION"));
        let host = match region {
            Some(region) if env.is_on("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED") => {
                format!("sts-vpc.{region}.aliyuncs.com")
            }
            Some(region) => format!("sts.{region}.aliyuncs.com"),
            None => "sts.aliyuncs.com".to_owned(),
        };
        Endpoint::parse("sts_region", &host)
    }

    fn params(&self) -> Result<Vec<(String, String)>, Error> {
        let seconds = self
            .seconds
            .filter(|seconds| *seconds > 0)
            .unwrap_or(DEFAULT_SECONDS);
        if seconds < SHORTEST_SECONDS {
            return Err(Error::new(
                Kind::Config,
                "expired_seconds",
                format!("must be {SHORTEST_SECONDS} or more: {seconds}"),
            ));
        }
        let session = self.session.as_deref().unwrap_or("scanq");
        let mut params = vec![
            ("RoleArn".to_owned(), self.arn.clone()),
            ("RoleSessionName".to_owned(), session.to_owned()),
            ("DurationSeconds".to_owned(), seconds.to_string()),
        ];
        let optional = [("ExternalId", &self.external_id), ("Policy", &self.policy)];
        params.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))),
        );
        Ok(params)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed<'a> {
    #[serde(borrow)]
    credentials: Temporary<'a>,
}

/// Temporary keys for a role, by keys of one's own. Kept between runs.
pub(super) async fn assume_role(
    seek: &Seek<'_>,
    base: &Lease,
    role: &Role,
    source: &str,
) -> Result<Lease, Error> {
    let endpoint = role.sts(seek)?;
    let params = role.params()?;
    let (origin, query) = (endpoint.origin(), encoding::canonical_query(&params));
    let who = ["aliyun", "AssumeRole", &origin, id_of(base), &query];
    let sign_in = async {
        let request = Request {
            api: "AssumeRole",
            version: VERSION,
            method: "POST",
            path: "/".into(),
            query: params,
            body: None,
            project_id: None,
        };
        let signed = |now| {
            let signing = Signing {
                endpoint: &endpoint,
                credential: &base.credential,
                now,
                nonce: &crate::provider::nonce(),
                scheme: Scheme::Rpc,
            };
            sign::rpc(&request, &signing)
        };
        answer(seek, "AssumeRole", signed, source).await
    };
    seek.cache
        .lease(&who, seek.now(), seek.ui, source, sign_in)
        .await
}

/// Temporary keys for a role, by an identity provider's token. Kept between runs; the token is read again each time.
pub(super) async fn assume_role_with_oidc(
    seek: &Seek<'_>,
    role: &Role,
    provider: &str,
    token_file: &Path,
    source: &str,
) -> Result<Lease, Error> {
    let endpoint = role.sts(seek)?;
    let params = role.params()?;
    let (origin, query) = (endpoint.origin(), encoding::canonical_query(&params));
    let file = token_file.display().to_string();
    let who = [
        "aliyun",
        "AssumeRoleWithOIDC",
        &origin,
        provider,
        &file,
        &query,
    ];
    let sign_in = async {
        let token = seek.read(token_file)?.ok_or_else(|| {
            Error::new(
                Kind::Config,
                &*file,
                "the file of the OIDC token does not exist",
            )
        })?;
        let signed = |now| {
            let mut form = params.clone();
            let mut push = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
            push("Action", "AssumeRoleWithOIDC");
            push("Version", VERSION);
            push("Format", "JSON");
            push("Timestamp", &sign::timestamp(now));
            push("SignatureNonce", &crate::provider::nonce());
            push("OIDCProviderArn", provider);
            // NOTE: Neither SDK trims the token; a file that was written by `echo` ends in a newline.
            push("OIDCToken", token.trim());
            let pairs = form
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            Signed {
                method: "POST",
                url: format!("{}/", endpoint.origin()),
                headers: vec![
                    (
                        "content-type",
                        "application/x-www-form-urlencoded".to_owned(),
                    ),
                    ("accept", "application/json".to_owned()),
                ],
                // In the body, not in the query: a token has no place in access logs.
                body: encoding::query(pairs).into_bytes(),
                connect_timeout: None,
            }
        };
        answer(seek, "AssumeRoleWithOIDC", signed, source).await
    };
    seek.cache
        .lease(&who, seek.now(), seek.ui, source, sign_in)
        .await
}

async fn answer(
    seek: &Seek<'_>,
    what: &str,
    signed: impl Fn(DateTime<Utc>) -> Signed,
    source: &str,
) -> Result<Lease, Error> {
    let permission = format!("sts:{what}");
    let reply = seek.ask(what, signed, failure, &permission).await?;
    let assumed: Assumed = serde_json::from_slice(&reply.body)
        .map_err(|_| Error::new(Kind::Answer, what, "the answer has no Credentials"))?;
    assumed.credentials.into_lease(what, source)
}

/// What STS refuses is about who signs in, whatever its status: a role that does not exist can't be taken on.
fn failure(answer: &Answer<'_>) -> Option<Failure> {
    let mut failure = error::failure(answer)?;
    if failure.kind == Kind::Refused {
        failure.kind = Kind::Credential;
    }
    Some(failure)
}
