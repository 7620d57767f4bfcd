//! `~/.aliyun/config.json`: the profiles of the `aliyun` CLI, every mode that works without a person.
//!
//! The file is read, never written: the refresh tokens in it rotate, and spending one would sign the user out.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use chrono::DateTime;
use serde::Deserialize;

use super::sts::{self, Role};
use super::{ecs, uri};
use crate::credential::seek::{Seek, line_of, profile_named};
use crate::credential::{Credential, Lease, Source};
use crate::error::{Error, Kind};
use crate::operation::lenient::{Int, Text};

/// The file, as far as it is read.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct File<'a> {
    #[serde(borrow)]
    current: Text<'a>,
    profiles: Vec<Profile<'a>>,
}

impl<'a> File<'a> {
    /// Reads its text.
    ///
    /// # Errors
    /// With the line of what is not as the aliyun CLI writes it; the text itself is not quoted.
    pub fn parse(path: &Path, text: &'a str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| {
            line_of(
                path,
                error.line(),
                "not the JSON that the aliyun CLI writes",
            )
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Profile<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    mode: Text<'a>,
    access_key_id: Text<'a>,
    access_key_secret: Text<'a>,
    sts_token: Text<'a>,
    sts_region: Text<'a>,
    sts_endpoint: Text<'a>,
    /// Unix seconds.
    sts_expiration: Int,
    ram_role_name: Text<'a>,
    ram_role_arn: Text<'a>,
    ram_session_name: Text<'a>,
    /// NOTE: The Python library's spelling of the session name for OIDC; CLI and Go have `ram_session_name`.
    role_session_name: Text<'a>,
    external_id: Text<'a>,
    expired_seconds: Int,
    policy: Text<'a>,
    source_profile: Text<'a>,
    process_command: Text<'a>,
    credentials_uri: Text<'a>,
    oidc_provider_arn: Text<'a>,
    oidc_token_file: Text<'a>,
    region_id: Text<'a>,
}

/// The profile of this name; without one, the one that the environment names, else the file's current one.
pub(super) async fn find(seek: &Seek<'_>, name: Option<&str>) -> Result<Source, Error> {
    let nothing = |why: String| Ok(Source::Nothing(why));
    if name.is_none() && seek.env.is_on("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") {
        return nothing("aliyun CLI profile: ALIBABA_CLOUD_CLI_PROFILE_DISABLED is set".into());
    }
    let moved = seek.env.get("ALIBABA_CLOUD_CONFIG_FILE").map(PathBuf::from);
    let is_moved = moved.is_some();
    let Some(path) = moved.or_else(|| seek.home(".aliyun/config.json")) else {
        return nothing("~/.aliyun/config.json: there is no home folder".into());
    };
    let shown = path.display();
    let Some(text) = seek.read(&path)? else {
        if name.is_some() || is_moved {
            return Err(Error::new(
                Kind::Config,
                shown.to_string(),
                "does not exist",
            ));
        }
        return nothing(format!("{shown}: does not exist"));
    };
    let file = File::parse(&path, &text)?;
    if file.profiles.is_empty() {
        return nothing(format!("{shown}: has no profiles"));
    }
    let variables = [
        "ALIBABA_CLOUD_PROFILE",
        "ALIBABACLOUD_PROFILE",
        "ALICLOUD_PROFILE",
    ];
    let from_env = seek.env.first(&variables).map(|(_, name)| name);
    let wanted = name
        .or(from_env)
        .or(file.current.get())
        .unwrap_or("default");
    let mut visited = Vec::new();
    let lease = resolve(seek, &path, &file, wanted, &mut visited).await;
    // Here, because the profile knows the region whatever it signs with.
    let lease = seek.or_stand_in(lease, Credential::stand_in())?;
    let region = file
        .profiles
        .iter()
        .find(|profile| profile.name.get() == Some(wanted))
        .and_then(|profile| profile.region_id.owned());
    Ok(Lease { region, ..lease }.into())
}

type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Lease, Error>> + 'a>>;

/// A profile's keys; a chained profile first gets those of its source.
fn resolve<'a>(
    seek: &'a Seek<'a>,
    path: &'a Path,
    file: &'a File,
    name: &'a str,
    visited: &'a mut Vec<&'a str>,
) -> Resolving<'a> {
    Box::pin(async move {
        let profile = profile_named(path, &file.profiles, |profile| profile.name.get(), name)?;
        if visited.contains(&name) {
            visited.push(name);
            return Err(Error::new(
                Kind::Config,
                path.display().to_string(),
                format!("the profiles form a loop: {}", visited.join(" → ")),
            ));
        }
        visited.push(name);
        let mode = profile.mode();
        let place = format!("{} profile {name} ({mode})", path.display());
        match mode {
            "ChainableRamRoleArn" => {
                let source = need(&profile.source_profile, &place, "source_profile")?;
                let base = resolve(seek, path, file, source, visited).await?;
                sts::assume_role(seek, &base, &profile.role(&place)?, &place).await
            }
            mode => profile.lease(seek, mode, &place).await,
        }
    })
}

fn need<'t>(text: &'t Text, place: &str, key: &str) -> Result<&'t str, Error> {
    text.get()
        .ok_or_else(|| Error::new(Kind::Config, place, format!("{key} is missing")))
}

impl Profile<'_> {
    /// The mode, or what the CLI guesses from the keys of a profile without one.
    fn mode(&self) -> &str {
        if let Some(mode) = self.mode.get() {
            return mode;
        }
        match () {
            () if self.ram_role_arn.get().is_some() => "RamRoleArn",
            () if self.ram_role_name.get().is_some() => "EcsRamRole",
            () if self.sts_token.get().is_some() => "StsToken",
            () if self.process_command.get().is_some() => "External",
            () => "AK",
        }
    }

    fn role(&self, place: &str) -> Result<Role, Error> {
        Ok(Role {
            arn: need(&self.ram_role_arn, place, "ram_role_arn")?.to_owned(),
            session: self
                .ram_session_name
                .owned()
                .or_else(|| self.role_session_name.owned()),
            external_id: self.external_id.owned(),
            seconds: self.expired_seconds.0,
            policy: self.policy.owned(),
            region: self.sts_region.owned(),
            endpoint: self.sts_endpoint.owned(),
        })
    }

    fn keys(&self, place: &str, token: Option<&str>) -> Result<Lease, Error> {
        let id = need(&self.access_key_id, place, "access_key_id")?;
        let secret = need(&self.access_key_secret, place, "access_key_secret")?;
        Ok(Lease::keys(id, secret, token, place))
    }

    async fn lease(&self, seek: &Seek<'_>, mode: &str, place: &str) -> Result<Lease, Error> {
        match mode {
            "AK" => self.keys(place, None),
            "StsToken" => self.keys(place, Some(need(&self.sts_token, place, "sts_token")?)),
            "RamRoleArn" => {
                let base = self.keys(place, self.sts_token.get())?;
                sts::assume_role(seek, &base, &self.role(place)?, place).await
            }
            "EcsRamRole" => self.instance_role(seek, place).await,
            // NOTE: Deprecated, but the CLI still takes it: the instance's role first, then another.
            "RamRoleArnWithRoleName" => {
                let base = self.instance_role(seek, place).await?;
                sts::assume_role(seek, &base, &self.role(place)?, place).await
            }
            "OIDC" => {
                let provider = need(&self.oidc_provider_arn, place, "oidc_provider_arn")?;
                let file = need(&self.oidc_token_file, place, "oidc_token_file")?;
                sts::assume_role_with_oidc(seek, &self.role(place)?, provider, Path::new(file), place).await
            }
            "CredentialsURI" => {
                refuse_if_disabled(seek, place)?;
                uri::fetch(seek, need(&self.credentials_uri, place, "credentials_uri")?, place).await
            }
            "External" => {
                let command = need(&self.process_command, place, "process_command")?;
                let argv = shlex::split(command)
                    .ok_or_else(|| Error::new(Kind::Config, place, "process_command has a quote that is not closed"))?;
                external(seek, &argv, place).await
            }
            "CloudSSO" | "OAuth" => self.cached_keys(seek, place),
            other => Err(Error::new(Kind::Config, place, format!("the mode {other} can't sign requests to Security Center"))
                .hint("use a profile of another mode: ALIBABA_CLOUD_PROFILE, or credentials = { aliyun_cli = \"…\" } in a scanq profile")),
        }
    }

    async fn instance_role(&self, seek: &Seek<'_>, place: &str) -> Result<Lease, Error> {
        match ecs::find(seek, Some(self.ram_role_name.get().unwrap_or_default())).await? {
            Source::Lease(lease) => Ok(Lease {
                source: place.to_owned(),
                ..*lease
            }),
            Source::Nothing(why) => Err(Error::new(Kind::Credential, place, why)),
        }
    }

    /// The keys that the CLI got when a person signed in, while they last.
    fn cached_keys(&self, seek: &Seek<'_>, place: &str) -> Result<Lease, Error> {
        let renew = format!(
            "sign in again: aliyun configure --profile {}",
            self.name.get().unwrap_or("default")
        );
        let expired = |why: &str| Error::new(Kind::Credential, place, why).hint(&*renew);
        let Some(token) = self.sts_token.get() else {
            return Err(expired("there are no keys of an earlier sign-in"));
        };
        let expires = self
            .sts_expiration
            .0
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        match expires {
            Some(expires) if expires > seek.now() => Ok(Lease {
                expires: Some(expires),
                ..self.keys(place, Some(token))?
            }),
            _ => Err(expired("the sign-in has ended")),
        }
    }
}

fn refuse_if_disabled(seek: &Seek<'_>, place: &str) -> Result<(), Error> {
    const VARIABLE: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";
    if seek.env.is_on(VARIABLE) {
        return Err(Error::new(
            Kind::Config,
            place,
            format!("refused, because {VARIABLE} is set"),
        ));
    }
    Ok(())
}

/// What an external process prints.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Printed<'a> {
    #[serde(borrow)]
    mode: Text<'a>,
    access_key_id: Text<'a>,
    access_key_secret: Text<'a>,
    sts_token: Text<'a>,
    expiration: Text<'a>,
}

/// The keys that a process prints as JSON. A missing `mode` is told by whether there is a token.
pub(super) async fn external(
    seek: &Seek<'_>,
    argv: &[String],
    place: &str,
) -> Result<Lease, Error> {
    refuse_if_disabled(seek, place)?;
    let broken = |why: &str| Error::new(Kind::Config, place, format!("the external process {why}"));
    let output = seek.process(argv).await.map_err(|error| match error.kind {
        Kind::NotSent => error,
        _ => Error {
            what: place.to_owned(),
            why: error.to_string(),
            ..error
        },
    })?;
    let printed: Printed =
        serde_json::from_str(&output).map_err(|_| broken("did not print JSON"))?;
    let token = match (printed.mode.get(), printed.sts_token.get()) {
        (Some("AK"), _) => None,
        (Some("StsToken"), None) => return Err(broken("printed mode StsToken, but no sts_token")),
        (Some("StsToken") | None, token) => token,
        (Some(other), _) => {
            return Err(broken(&format!(
                "printed the mode {other}; known are AK and StsToken"
            )));
        }
    };
    let id = printed
        .access_key_id
        .get()
        .ok_or_else(|| broken("printed no access_key_id"))?;
    let secret = printed
        .access_key_secret
        .get()
        .ok_or_else(|| broken("printed no access_key_secret"))?;
    let expires = printed
        .expiration
        .get()
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let expires = expires.map(|time| time.to_utc());
    if expires.is_some_and(|expires| expires <= seek.now()) {
        return Err(Error::new(
            Kind::Credential,
            place,
            "the external process printed keys that have expired",
        ));
    }
    Ok(Lease {
        expires,
        ..Lease::keys(id, secret, token, place)
    })
}
