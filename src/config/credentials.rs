//! Where a profile has its credentials: as the file says it, and as it is meant.
//!
//! Both name places. There is no key for a secret.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::file::clouds_with;
use crate::context::Env;
use crate::provider::{Origin, Provider};

/// Where a profile has its credentials.
#[derive(Debug, Clone, PartialEq)]
pub enum Credentials {
    /// In one of the cloud's places.
    At(Origin),
    /// By taking on a role with the credentials of another profile.
    Role {
        /// The role.
        arn: String,
        /// The other profile.
        source: String,
        /// Where the file names that.
        by: String,
    },
}

impl Credentials {
    /// In words, as `profile show` has it.
    pub fn describe(&self) -> String {
        match self {
            Credentials::At(Origin::Standard) => "the cloud's standard sources".into(),
            Credentials::At(Origin::Environment) => "environment".into(),
            Credentials::At(Origin::CliProfile(name)) => format!("aliyun CLI profile {name}"),
            Credentials::At(Origin::File { path, section }) => {
                let section = section
                    .as_ref()
                    .map_or(String::new(), |name| format!(" section {name}"));
                format!("{}{section}", path.display())
            }
            Credentials::At(Origin::Process(argv)) => {
                format!("command {}", argv.first().map_or("", String::as_str))
            }
            Credentials::Role { arn, source, .. } => format!("role {arn} by profile {source}"),
        }
    }
}

/// `credentials = { … }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    aliyun_cli: Option<String>,
    env: Option<bool>,
    file: Option<PathBuf>,
    section: Option<String>,
    role_arn: Option<String>,
    source: Option<Spanned<String>>,
    command: Option<Vec<String>>,
}

impl Written {
    /// # Errors
    /// What is wrong with it. `role_by` tells where a role's source is named.
    pub(super) fn into_credentials(
        self,
        provider: &Provider,
        env: &Env,
        role_by: impl Fn(&Spanned<String>) -> String,
    ) -> Result<Credentials, String> {
        let one = "credentials must be one of { aliyun_cli }, { env = true }, { file, section }, { role_arn, source } and { command }";
        let at = |origin| Ok(Credentials::At(origin));
        let files = (self.file, self.section);
        let roles = (self.role_arn, self.source);
        match (self.aliyun_cli, self.env, files, roles, self.command) {
            (Some(name), None, (None, None), (None, None), None) => {
                if !provider.has_cli_profiles {
                    let clouds = clouds_with(|cloud| cloud.has_cli_profiles);
                    return Err(format!("aliyun_cli goes with the cloud {clouds}"));
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
                Ok(Credentials::Role {
                    arn,
                    by: role_by(&source),
                    source: source.into_inner(),
                })
            }
            (None, None, (None, None), (None, None), Some(argv)) if !argv.is_empty() => {
                at(Origin::Process(argv))
            }
            _ => Err(one.into()),
        }
    }
}
