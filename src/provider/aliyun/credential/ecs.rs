//! The role of an ECS instance, from its metadata service: IMDSv2, with the first version as a fallback.

use super::Temporary;
use crate::credential::Source;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::transport::Reply;

/// Only reachable from the instance itself, always by plain http.
const ADDRESS: &str = "http://100.100.100.200";

/// The keys of the instance's role. `role`: the role that a profile names; then the service must be there.
pub(super) async fn find(seek: &Seek<'_>, role: Option<&str>) -> Result<Source, Error> {
    let nothing = |why: &str| Ok(Source::Nothing(format!("ECS instance role: {why}")));
    if seek.env.is_on("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
        return nothing("ALIBABA_CLOUD_ECS_METADATA_DISABLED is set");
    }
    let named = role
        .or_else(|| seek.env.get("ALIBABA_CLOUD_ECS_METADATA"))
        .filter(|role| !role.is_empty());
    if role.is_none() && named.is_none() && !seek.may_run_on("alibaba") {
        return nothing("this machine is not an ECS instance");
    }
    let token = token(seek).await?;
    let headers = || {
        token
            .iter()
            .map(|token| ("x-aliyun-ecs-metadata-token", token.clone()))
            .collect::<Vec<_>>()
    };
    let get = async |path: String| {
        let url = format!("{ADDRESS}/latest/meta-data/ram/security-credentials/{path}");
        seek.metadata("GET", &url, headers()).await.map(text)
    };
    let name = match named {
        Some(name) => name.to_owned(),
        None => match get(String::new()).await? {
            Some(name) if !name.is_empty() => name,
            _ => {
                return nothing(
                    "the metadata service does not answer, or the instance has no role",
                );
            }
        },
    };
    let what = format!("ECS instance role {name}");
    let Some(body) = get(crate::encoding::encode(&name)).await? else {
        return nothing(&format!("the metadata service has no role {name}"));
    };
    let broken = |why: &str| Error::new(Kind::Credential, &*what, why);
    let keys: Temporary = serde_json::from_str(&body)
        .map_err(|_| broken("the metadata service's answer can't be read"))?;
    match keys.code.get() {
        Some("Success") => keys.into_lease(&what, &what).map(Source::from),
        code => Err(broken(&format!(
            "the metadata service says {}",
            code.unwrap_or("nothing")
        ))),
    }
}

/// A session token of IMDSv2; none where only the first version is there.
async fn token(seek: &Seek<'_>) -> Result<Option<String>, Error> {
    let headers = vec![(
        "x-aliyun-ecs-metadata-token-ttl-seconds",
        "21600".to_owned(),
    )];
    let url = format!("{ADDRESS}/latest/api/token");
    seek.metadata("PUT", &url, headers).await.map(text)
}

/// What a service that answers says.
fn text(reply: Option<Reply>) -> Option<String> {
    let reply = reply.filter(|reply| reply.status == 200)?;
    Some(String::from_utf8_lossy(&reply.body).trim().to_owned())
}
