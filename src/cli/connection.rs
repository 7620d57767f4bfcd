//! The flags of every command that say whom to ask, and how.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::closed::named;
use super::variable::{self, must_be_one_of};
use crate::client::Tries;
use crate::config::Config;
use crate::context::Env;
use crate::error::Error;
use crate::provider::{self, Endpoint, Scheme};
use crate::render::Format;
use crate::render::request::Form;
use crate::span::positive_span;

const CONNECTION: &str = "Connection";

/// Flags of connections.
#[derive(Args)]
pub(super) struct ConnectionArgs {
    /// Profiles to use; tasks takes several and defaults to all, other commands take one [env: SCANQ_PROFILE]
    #[arg(short, long, global = true, value_name = "NAME", value_delimiter = ',', help_heading = CONNECTION)]
    profile: Vec<String>,
    /// Configuration file [default: scanq/config.toml in the user's configuration folder] [env: SCANQ_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CONNECTION)]
    config: Option<PathBuf>,
    /// Neither use nor keep the sign-ins of other runs
    #[arg(long, global = true, help_heading = CONNECTION)]
    pub(super) no_cache: bool,
    /// Regions to ask; those of one centre are asked once [env: SCANQ_REGION]
    #[arg(short, long, global = true, value_name = "REGION", value_delimiter = ',', help_heading = CONNECTION)]
    region: Vec<String>,
    /// Other service address; plain http only to loopback [env: SCANQ_ALIYUN_ENDPOINT, SCANQ_HUAWEI_ENDPOINT]
    #[arg(long, global = true, value_name = "URL", help_heading = CONNECTION)]
    endpoint: Option<String>,
    /// Alibaba Cloud's signature [default: acs3] [env: SCANQ_ALIYUN_SIGNATURE]
    #[arg(long, global = true, value_name = "SIGNATURE", help_heading = CONNECTION, ignore_case = true, value_parser = named::<Signature>(SIGNATURES))]
    signature: Option<Signature>,
    /// How many more times a call is tried
    #[arg(long, global = true, value_name = "N", default_value_t = 4, help_heading = CONNECTION, value_parser = clap::value_parser!(u32).range(..=20))]
    retries: u32,
    /// The longest that one try may take [default: 30s]
    #[arg(long, global = true, value_name = "D", help_heading = CONNECTION, value_parser = positive_span)]
    timeout: Option<Duration>,
    /// The longest that connecting may take [default: 5s]
    #[arg(long, global = true, value_name = "D", help_heading = CONNECTION, value_parser = positive_span)]
    pub(super) connect_timeout: Option<Duration>,
    /// Requests in flight, in all
    #[arg(long, global = true, value_name = "N", default_value_t = 8, help_heading = CONNECTION, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) concurrency: u16,
    /// Ask a sandbox in this process: no account, no configuration, no network [env: SCANQ_SANDBOX]
    #[arg(long, global = true, help_heading = CONNECTION)]
    sandbox: bool,
    /// Print the signed requests that would be sent first, secrets and signature masked, and send nothing: no sign-in either, and no credential process is run; text, json, or a curl command [default: text; with -o json or jsonl: json]
    #[arg(long, global = true, value_name = "FORM", num_args = 0..=1, require_equals = true, help_heading = CONNECTION, ignore_case = true, value_parser = named::<Form>(Form::NAMES))]
    pub(super) dry_run: Option<Option<Form>>,
}

impl ConnectionArgs {
    pub(super) fn is_sandbox(&self, env: &Env) -> Result<bool, Error> {
        Ok(self.sandbox || variable::is_on(env, "SCANQ_SANDBOX")?)
    }

    /// The profiles that are asked for, and by what.
    pub(super) fn profiles(&self, is_sandbox: bool, env: &Env) -> (Vec<String>, &'static str) {
        let flag = "--profile";
        let (mut names, by) = variable::list(&self.profile, flag, env, "SCANQ_PROFILE");
        if is_sandbox && by != flag {
            // A shell that is set up for real profiles can try a sandbox out all the same.
            names.retain(|name| provider::by_id(name).is_some());
        }
        (names, by)
    }

    /// The regions that are asked for, and by what.
    pub(super) fn regions(&self, env: &Env) -> (Vec<String>, &'static str) {
        variable::list(&self.region, "--region", env, "SCANQ_REGION")
    }

    /// The configuration, for those who need one: neither a sandbox nor a command that asks nobody does, and none can
    /// break it.
    pub(super) fn config(&self, is_needed: bool, env: &Env) -> Result<Config, Error> {
        match is_needed {
            true => Config::read(self.config.as_deref(), env),
            false => Ok(Config::built_in()),
        }
    }

    pub(super) fn endpoint(&self) -> Result<Option<Endpoint>, Error> {
        let url = self.endpoint.as_deref();
        url.map(|url| Endpoint::parse("--endpoint", url))
            .transpose()
    }

    pub(super) fn tries(&self, env: &Env) -> Result<Tries, Error> {
        let signature = match self.signature {
            Some(signature) => Some(signature),
            None => variable::value(env, "SCANQ_ALIYUN_SIGNATURE", SIGNATURES)?,
        };
        Ok(Tries {
            retries: self.retries,
            timeout: self.timeout,
            scheme: signature
                .map(|Signature(scheme)| scheme)
                .unwrap_or_default(),
        })
    }

    /// How requests are printed instead of sent, if they are.
    pub(super) fn rehearsal(&self, format: Format) -> Option<Form> {
        self.dry_run.map(|form| match (form, format) {
            (Some(Form::Json) | None, Format::Jsonl) => Form::Jsonl,
            (None, Format::Json) => Form::Json,
            (form, _) => form.unwrap_or(Form::Text),
        })
    }
}

const SIGNATURES: [&str; 2] = ["acs3", "rpc"];

/// Alibaba Cloud's signatures by name.
#[derive(Debug, Clone, Copy)]
struct Signature(Scheme);

impl FromStr for Signature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "acs3" => Ok(Signature(Scheme::Current)),
            "rpc" => Ok(Signature(Scheme::Rpc)),
            _ => Err(must_be_one_of(SIGNATURES)),
        }
    }
}
