//! `~/.alibabacloud/credentials`: the ini file of the vendor's SDKs.
//!
//! NOTE: The Go SDK reads `credentials`, the Python SDK `credentials.ini`: both are looked at.

use std::path::{Path, PathBuf};

use super::ecs;
use super::sts::{self, Role};
use crate::credential::ini::{Ini, Section};
use crate::credential::seek::Seek;
use crate::credential::{Lease, Source};
use crate::error::{Error, Kind};

/// The section of the profile that the environment names, else `default`.
pub(super) async fn find(seek: &Seek<'_>) -> Result<Source, Error> {
    let files = match seek.env.get("ALIBABA_CLOUD_CREDENTIALS_FILE") {
        // Somebody asked for this one: that it is missing is a mistake.
        Some(path) if !Path::new(path).exists() => {
            return Err(Error::new(Kind::Config, path, "does not exist"));
        }
        Some(path) => vec![PathBuf::from(path)],
        None => ["credentials", "credentials.ini"]
            .iter()
            .filter_map(|name| seek.home(&format!(".alibabacloud/{name}")))
            .collect(),
    };
    if files.is_empty() {
        return Ok(Source::nothing(
            "~/.alibabacloud/credentials: there is no home folder",
        ));
    }
    let mut reasons = Vec::new();
    for path in &files {
        match find_in(seek, path, None).await? {
            Source::Nothing(reason) => reasons.push(reason),
            found => return Ok(found),
        }
    }
    Ok(Source::Nothing(reasons.join("; ")))
}

/// A section of a file; without one, the section that the environment names, else `default`.
pub(super) async fn find_in(
    seek: &Seek<'_>,
    path: &Path,
    section: Option<&str>,
) -> Result<Source, Error> {
    let Some(text) = seek.read(path)? else {
        return Ok(Source::Nothing(format!(
            "{}: does not exist",
            path.display()
        )));
    };
    let ini = Ini::parse(path, &text)?;
    let named = section.or_else(|| seek.env.get("ALIBABA_CLOUD_PROFILE"));
    let name = named.unwrap_or("default");
    let Some(section) = ini.section(name) else {
        let why = format!("no section [{name}], only {}", ini.names().join(", "));
        return match named {
            Some(_) => Err(Error::new(Kind::Config, path.display().to_string(), why)),
            None => Ok(Source::Nothing(format!("{}: {why}", path.display()))),
        };
    };
    lease(seek, path, section).await
}

async fn lease(seek: &Seek<'_>, path: &Path, section: Section<'_>) -> Result<Source, Error> {
    let place = format!("{} section {}", path.display(), section.name);
    let broken = |why: String| Error::new(Kind::Config, &*place, why);
    let need = |key: &str| {
        section
            .get(key)
            .ok_or_else(|| broken(format!("{key} is missing")))
    };
    let optional = |key: &str| section.get(key).map(str::to_owned);
    let kind = section.get("type").unwrap_or("access_key");
    let source = format!("{place} ({kind})");
    let role = || -> Result<Role, Error> {
        Ok(Role {
            arn: need("role_arn")?.to_owned(),
            session: optional("role_session_name"),
            policy: optional("policy"),
            ..Role::default()
        })
    };
    let keys = |token| -> Result<Lease, Error> {
        Ok(Lease::keys(
            need("access_key_id")?,
            need("access_key_secret")?,
            token,
            &*source,
        ))
    };
    let lease = match kind {
        "access_key" => keys(None)?,
        "sts" => {
            let token = section
                .get("security_token")
                .or_else(|| section.get("sts_token"));
            keys(Some(
                token.ok_or_else(|| broken("security_token is missing".into()))?,
            ))?
        }
        "ram_role_arn" => {
            sts::assume_role(
                seek,
                &keys(section.get("security_token"))?,
                &role()?,
                &source,
            )
            .await?
        }
        "oidc_role_arn" => {
            let file = section
                .get("oidc_token_file_path")
                .or_else(|| section.get("oidc_token_file"));
            let file = file.ok_or_else(|| broken("oidc_token_file_path is missing".into()))?;
            sts::assume_role_with_oidc(
                seek,
                &role()?,
                need("oidc_provider_arn")?,
                Path::new(file),
                &source,
            )
            .await?
        }
        "ecs_ram_role" => {
            let role = section.get("role_name").unwrap_or_default();
            return match ecs::find(seek, Some(role)).await? {
                Source::Lease(lease) => Ok(Lease { source, ..*lease }.into()),
                Source::Nothing(why) => Err(Error::new(Kind::Credential, place, why)),
            };
        }
        other => {
            let known = "access_key, sts, ram_role_arn, oidc_role_arn, ecs_ram_role";
            return Err(broken(format!(
                "type {other} can't be used here; known are {known}"
            )));
        }
    };
    Ok(lease.into())
}
