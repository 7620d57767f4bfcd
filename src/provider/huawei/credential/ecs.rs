//! The agency of an ECS instance, from its metadata service.

use super::Temporary;
use crate::credential::Source;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};

/// Only reachable from the instance itself, always by plain http.
const ADDRESS: &str = "http://169.254.169.254";

/// The keys of the instance's agency.
pub(super) async fn find(seek: &Seek<'_>) -> Result<Source, Error> {
    if !seek.may_run_on("huawei") {
        return Ok(Source::nothing(
            "ECS agency: this machine is not an ECS instance",
        ));
    }
    let headers = vec![("x-metadata-token-ttl-seconds", "21600".to_owned())];
    let token = seek
        .metadata(
            "PUT",
            &format!("{ADDRESS}/meta-data/latest/api/token"),
            headers,
        )
        .await?;
    let token = token
        .filter(|reply| reply.status == 200)
        .map(|reply| String::from_utf8_lossy(&reply.body).trim().to_owned());
    let headers = token
        .map(|token| ("x-metadata-token", token))
        .into_iter()
        .collect();
    let reply = seek
        .metadata(
            "GET",
            &format!("{ADDRESS}/openstack/latest/securitykey"),
            headers,
        )
        .await?;
    let Some(reply) = reply.filter(|reply| reply.status == 200) else {
        return Ok(Source::nothing(
            "ECS agency: the metadata service does not answer, or the instance has no agency",
        ));
    };
    let keys: Temporary = serde_json::from_slice(&reply.body).map_err(|_| {
        Error::new(
            Kind::Credential,
            "ECS agency",
            "the metadata service's answer can't be read",
        )
    })?;
    keys.into_lease("ECS agency", "ECS agency")
        .map(Source::from)
}
