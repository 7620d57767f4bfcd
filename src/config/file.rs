//! The configuration file as it is written: its keys, and what each may be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Credentials, Profile};
use crate::context::Env;
use crate::error::{Error, Kind};
use crate::provider::{self, Endpoint, Origin, PROVIDERS, Provider};
use crate::span::positive_span;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) default_profile: Option<String>,
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    cloud: String,
    #[serde(default)]
    regions: Vec<String>,
    credentials: Option<CredentialsEntry>,
    project_id: Option<String>,
    enterprise_project_id: Option<String>,
    endpoint: Option<String>,
    endpoint_type: Option<String>,
    timeout: Option<String>,
    connect_timeout: Option<String>,
    max_concurrency: Option<usize>,
    max_rps: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsEntry {
    aliyun_cli: Option<String>,
    env: Option<bool>,
    file: Option<PathBuf>,
    section: Option<String>,
    role_arn: Option<String>,
    source: Option<String>,
    command: Option<Vec<String>>,
}

impl Entry {
    pub(super) fn into_profile(
        self,
        name: String,
        place: &str,
        env: &Env,
    ) -> Result<Profile, Error> {
        let broken = |why: String| Error::new(Kind::Config, place, why);
        let provider = provider::by_id(&self.cloud).ok_or_else(|| {
            let known: Vec<_> = PROVIDERS.iter().map(|provider| provider.id).collect();
            broken(format!(
                "unknown cloud {}; known are {}",
                self.cloud,
                known.join(", ")
            ))
            .did_you_mean(&self.cloud, known)
        })?;
        let endpoint = self
            .endpoint
            .as_deref()
            .map(|url| Endpoint::parse(&format!("{place}, endpoint"), url))
            .transpose();
        let endpoint = endpoint.map_err(|error| Error {
            kind: Kind::Config,
            ..error
        })?;
        if endpoint.is_none()
            && let Some(region) = self
                .regions
                .iter()
                .find(|region| (provider.site)(region).is_none())
        {
            let known = (provider.regions)();
            return Err(broken(format!("unknown region: {region}"))
                .did_you_mean(region, known.iter().copied())
                .hint(format!("known regions: {}", known.join(", "))));
        }
        let span = |key: &str, text: Option<String>| match text.as_deref().map(positive_span) {
            None => Ok(None),
            Some(Ok(span)) => Ok(Some(span)),
            Some(Err(_)) => Err(broken(format!("{key} is no span of time: write 30s or 2m"))),
        };
        let vpc = match self.endpoint_type.as_deref() {
            None | Some("public") => false,
            Some("vpc") if provider.vpc_site.is_some() => true,
            Some(other) => {
                return Err(broken(format!(
                    "endpoint_type can't be {other}; known are public and, for aliyun, vpc"
                )));
            }
        };
        if provider.id != "huawei"
            && (self.project_id.is_some() || self.enterprise_project_id.is_some())
        {
            return Err(broken(
                "project_id and enterprise_project_id go with the cloud huawei".into(),
            ));
        }
        // As --concurrency.
        if self
            .max_concurrency
            .is_some_and(|n| !(1..=256).contains(&n))
        {
            return Err(broken("max_concurrency must be from 1 to 256".into()));
        }
        if self
            .max_rps
            .is_some_and(|rps| !(0.001..=10_000.0).contains(&rps))
        {
            return Err(broken("max_rps must be from 0.001 to 10000".into()));
        }
        let credentials = match self.credentials {
            None => Credentials::At(Origin::Standard),
            Some(entry) => entry.into_credentials(provider, env).map_err(broken)?,
        };
        Ok(Profile {
            name,
            provider,
            regions: self.regions,
            credentials,
            project_id: self.project_id,
            enterprise_project_id: self.enterprise_project_id,
            endpoint,
            vpc,
            timeout: span("timeout", self.timeout)?,
            connect_timeout: span("connect_timeout", self.connect_timeout)?,
            max_concurrency: self.max_concurrency,
            max_rps: self.max_rps,
            built_in: false,
        })
    }
}

impl CredentialsEntry {
    fn into_credentials(self, provider: &Provider, env: &Env) -> Result<Credentials, String> {
        let one = "credentials must be one of { aliyun_cli }, { env = true }, { file, section }, { role_arn, source } and { command }";
        let at = |origin| Ok(Credentials::At(origin));
        let files = (self.file, self.section);
        let roles = (self.role_arn, self.source);
        match (self.aliyun_cli, self.env, files, roles, self.command) {
            (Some(name), None, (None, None), (None, None), None) => {
                if provider.id != "aliyun" {
                    return Err("aliyun_cli goes with the cloud aliyun".into());
                }
                at(Origin::CliProfile(name))
            }
            (None, Some(true), (None, None), (None, None), None) => at(Origin::Environment),
            (None, None, (Some(path), section), (None, None), None) => {
                let path = match path.strip_prefix("~") {
                    Ok(below) => env
                        .home()
                        .ok_or("there is no home folder for ~")?
                        .join(below),
                    Err(_) => path,
                };
                at(Origin::File { path, section })
            }
            (None, None, (None, None), (Some(arn), Some(source)), None) => {
                if provider.assume.is_none() {
                    return Err(format!("roles are not known to the cloud {}", provider.id));
                }
                Ok(Credentials::Role { arn, source })
            }
            (None, None, (None, None), (None, None), Some(argv)) if !argv.is_empty() => {
                at(Origin::Process(argv))
            }
            _ => Err(one.into()),
        }
    }
}

/// A mistake in the file: its line, what is wrong, and the nearest known key. The text itself is not quoted.
pub(super) fn mistake(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let line = error
        .span()
        .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
    let message = error.message().lines().next().unwrap_or_default();
    let wrong = crate::credential::seek::line_of(path, line, message);
    // serde's words for an unknown key: unknown field `x`, expected one of `a`, `b`.
    let mut names = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field"), names.next()) {
        (true, Some(unknown)) => wrong.did_you_mean(unknown, names),
        _ => wrong,
    }
}
