//! The configuration file as it is written: its keys, what each may be, and the line of what is wrong.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::credentials::{Credentials, Written};
use super::profile::Profile;
use crate::context::Env;
use crate::error::{Error, Kind};
use crate::provider::{self, Endpoint, Origin, PROVIDERS, Provider};
use crate::span::positive_span;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) default_profile: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    cloud: Spanned<String>,
    #[serde(default)]
    regions: Vec<Spanned<String>>,
    credentials: Option<Spanned<Written>>,
    project_id: Option<Spanned<String>>,
    enterprise_project_id: Option<Spanned<String>>,
    endpoint: Option<Spanned<String>>,
    endpoint_type: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
    connect_timeout: Option<Spanned<String>>,
    max_concurrency: Option<Spanned<usize>>,
    max_rps: Option<Spanned<f64>>,
}

/// The text of a file, which tells the line of what is wrong in it.
pub(super) struct Text<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
}

impl Text<'_> {
    pub(super) fn parse(&self) -> Result<File, Error> {
        toml::from_str(self.text).map_err(|error| self.mistake(&error))
    }

    /// The file and the line, as errors name them.
    pub(super) fn place(&self, span: Range<usize>) -> String {
        let line = self.text[..span.start].matches('\n').count() + 1;
        format!("{}, line {line}", self.path.display())
    }

    fn wrong<T>(&self, value: &Spanned<T>, why: impl std::fmt::Display) -> Error {
        Error::new(Kind::Config, self.place(value.span()), why)
    }

    /// What is wrong, and the nearest known key. The text itself is not quoted: its neighbour may be a secret.
    fn mistake(&self, error: &toml::de::Error) -> Error {
        let message = error.message().lines().next().unwrap_or_default();
        let place = self.place(error.span().unwrap_or_default());
        let wrong = Error::new(Kind::Config, place, message);
        // serde's words for an unknown key: unknown field `x`, expected one of `a`, `b`.
        let mut names = message.split('`').skip(1).step_by(2);
        match (message.starts_with("unknown field"), names.next()) {
            (true, Some(unknown)) => wrong.did_you_mean(unknown, names),
            _ => wrong,
        }
    }

    fn cloud(&self, id: &Spanned<String>) -> Result<&'static Provider, Error> {
        provider::by_id(id.get_ref()).ok_or_else(|| {
            let known: Vec<_> = PROVIDERS.iter().map(|provider| provider.id).collect();
            let why = format!("unknown cloud {id}; known are {}", known.join(", "));
            self.wrong(id, why).did_you_mean(id.get_ref(), known)
        })
    }

    fn endpoint(&self, url: &Spanned<String>) -> Result<Endpoint, Error> {
        let wrong = |error: Error| self.wrong(url, format!("endpoint: {}", error.why));
        Endpoint::parse("endpoint", url.get_ref()).map_err(wrong)
    }

    fn check_regions(&self, provider: &Provider, regions: &[Spanned<String>]) -> Result<(), Error> {
        let is_unknown = |region: &&Spanned<String>| (provider.site)(region.get_ref()).is_none();
        let Some(region) = regions.iter().find(is_unknown) else {
            return Ok(());
        };
        let known = (provider.regions)();
        Err(self
            .wrong(region, format!("unknown region: {region}"))
            .did_you_mean(region.get_ref(), known.iter().copied())
            .hint(format!("known regions: {}", known.join(", "))))
    }

    fn is_vpc(&self, provider: &Provider, kind: Option<Spanned<String>>) -> Result<bool, Error> {
        let Some(kind) = kind else { return Ok(false) };
        match kind.get_ref().as_str() {
            "public" => Ok(false),
            "vpc" if provider.vpc_site.is_some() => Ok(true),
            other => {
                let clouds = clouds_with(|cloud| cloud.vpc_site.is_some());
                let known = format!("known are public and, for {clouds}, vpc");
                Err(self.wrong(&kind, format!("endpoint_type can't be {other}; {known}")))
            }
        }
    }

    /// A project, where the cloud has such a thing.
    fn project(
        &self,
        provider: &Provider,
        id: Option<Spanned<String>>,
    ) -> Result<Option<String>, Error> {
        match id {
            Some(id) if provider.find_project.is_none() => {
                let clouds = clouds_with(|cloud| cloud.find_project.is_some());
                let why =
                    format!("project_id and enterprise_project_id go with the cloud {clouds}");
                Err(self.wrong(&id, why))
            }
            id => Ok(id.map(Spanned::into_inner)),
        }
    }

    fn span(&self, key: &str, text: Option<Spanned<String>>) -> Result<Option<Duration>, Error> {
        let why = || format!("{key} is no span of time: write 30s or 2m");
        let read = |text: Spanned<String>| {
            positive_span(text.get_ref()).map_err(|_| self.wrong(&text, why()))
        };
        text.map(read).transpose()
    }

    /// A limit that lets something through.
    fn limit<T: Copy>(
        &self,
        value: Option<Spanned<T>>,
        lets_through: fn(T) -> bool,
        why: &str,
    ) -> Result<Option<T>, Error> {
        match value {
            Some(value) if !lets_through(*value.get_ref()) => Err(self.wrong(&value, why)),
            value => Ok(value.map(Spanned::into_inner)),
        }
    }

    fn credentials(
        &self,
        entry: Option<Spanned<Written>>,
        provider: &Provider,
        env: &Env,
    ) -> Result<Credentials, Error> {
        let Some(entry) = entry else {
            return Ok(Credentials::At(Origin::Standard));
        };
        let place = self.place(entry.span());
        let broken = |why| Error::new(Kind::Config, place, why);
        let role_by = |source: &Spanned<String>| self.place(source.span());
        (entry.into_inner().into_credentials(provider, env, role_by)).map_err(broken)
    }
}

impl Entry {
    pub(super) fn into_profile(
        self,
        name: String,
        file: &Text<'_>,
        env: &Env,
    ) -> Result<Profile, Error> {
        let provider = file.cloud(&self.cloud)?;
        let endpoint = self.endpoint.map(|url| file.endpoint(&url)).transpose()?;
        if endpoint.is_none() {
            file.check_regions(provider, &self.regions)?;
        }
        Ok(Profile {
            name,
            provider,
            regions: self.regions.into_iter().map(Spanned::into_inner).collect(),
            credentials: file.credentials(self.credentials, provider, env)?,
            project_id: file.project(provider, self.project_id)?,
            enterprise_project_id: file.project(provider, self.enterprise_project_id)?,
            endpoint,
            vpc: file.is_vpc(provider, self.endpoint_type)?,
            timeout: file.span("timeout", self.timeout)?,
            connect_timeout: file.span("connect_timeout", self.connect_timeout)?,
            max_concurrency: file.limit(
                self.max_concurrency,
                // As --concurrency.
                |max| (1..=256).contains(&max),
                "max_concurrency must be from 1 to 256",
            )?,
            max_rps: file.limit(
                self.max_rps,
                |rps| (0.001..=10_000.0).contains(&rps),
                "max_rps must be from 0.001 to 10000",
            )?,
            built_in: false,
        })
    }
}

/// The names of the clouds that have something.
pub(super) fn clouds_with(has: fn(&Provider) -> bool) -> String {
    let clouds = PROVIDERS.iter().filter(|cloud| has(cloud));
    clouds
        .map(|cloud| cloud.id)
        .collect::<Vec<_>>()
        .join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(
            Path::new("config.toml"),
            text,
            &Env::from_iter([("HOME", "/home/me")]),
        )
    }

    #[test]
    fn every_documented_key_is_read() {
        let config = parse(
            r#"
            default_profile = "prod"
            [profiles.prod]
            cloud = "aliyun"
            regions = ["cn-shanghai", "ap-southeast-1"]
            credentials = { aliyun_cli = "prod" }
            endpoint_type = "vpc"
            timeout = "10s"
            connect_timeout = "2s"
            max_concurrency = 4
            max_rps = 2.5
            [profiles.role]
            cloud = "aliyun"
            credentials = { role_arn = "acs:ram::1:role/x", source = "prod" }
            [profiles.hw]
            cloud = "huawei"
            regions = ["cn-north-4"]
            project_id = "p"
            enterprise_project_id = "all_granted_eps"
            credentials = { file = "~/keys", section = "basic" }
            "#,
        )
        .unwrap();
        let prod = config.profile("prod", "--profile").unwrap();
        assert_eq!(
            prod.credentials,
            Credentials::At(Origin::CliProfile("prod".into()))
        );
        assert!(
            prod.vpc && prod.timeout == Some(Duration::from_secs(10)) && prod.max_rps == Some(2.5)
        );
        let hw = config.profile("hw", "--profile").unwrap();
        let path = Path::new("/home/me").join("keys");
        assert_eq!(
            hw.credentials,
            Credentials::At(Origin::File {
                path,
                section: Some("basic".into())
            })
        );
        assert_eq!(config.profiles().len(), 3);
        assert!(config.profile("huawei", "--profile").unwrap().built_in);
        assert_eq!(
            config
                .profile_of(provider::by_id("aliyun").unwrap())
                .unwrap()
                .name,
            "prod"
        );
    }

    #[test]
    fn mistakes_name_line_and_remedy() {
        for (text, says) in [
            (
                "[profiles.a]\ncloud = \"aliyun\"\nregionz = []",
                &["line 3", "unknown field `regionz`", "did you mean regions?"][..],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { aliyuncli = \"x\" }",
                &["line 3", "did you mean aliyun_cli?"],
            ),
            (
                "[profiles.a]\ncloud = \"azure\"",
                &["line 2", "unknown cloud azure"],
            ),
            ("[profiles.a]\ncloud = ", &["line 2"]),
            ("[profiles.a]\nregions = []", &["missing field `cloud`"]),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nregions = [\"cn-nowhere\"]",
                &["line 3", "unknown region: cn-nowhere", "cn-hangzhou"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nproject_id = \"p\"",
                &["line 3", "go with the cloud huawei"],
            ),
            (
                "[profiles.a]\ncloud = \"huawei\"\nendpoint_type = \"vpc\"",
                &["line 3: endpoint_type can't be vpc; known are public and, for aliyun, vpc"],
            ),
            (
                "[profiles.a]\ncloud = \"huawei\"\ncredentials = { aliyun_cli = \"x\" }",
                &["line 3", "goes with the cloud aliyun"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { env = true, file = \"x\" }",
                &["line 3", "must be one of"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nendpoint = \"http://example.com\"",
                &["line 3: endpoint: plain http is only allowed"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ntimeout = \"soon\"",
                &["line 3", "timeout is no span"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nmax_rps = 1e-20",
                &["line 3", "max_rps must be from 0.001 to 10000"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ntimeout = \"1000y\"",
                &["timeout is no span"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nmax_rps = inf",
                &["max_rps must be from 0.001 to 10000"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nmax_concurrency = 9000000000000000000",
                &["max_concurrency must be from 1 to 256"],
            ),
            (
                "default_profile = \"b\"\n[profiles.a]\ncloud = \"aliyun\"",
                &["line 1: no such profile: b", "known profiles: a"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { role_arn = \"r\", source = \"b\" }",
                &["line 3: no such profile: b"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { role_arn = \"r\", source = \"b\" }\n[profiles.b]\ncloud = \"huawei\"",
                &["line 3: the source b is of another cloud"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { role_arn = \"r\", source = \"b\" }\n[profiles.b]\ncloud = \"aliyun\"\ncredentials = { role_arn = \"r\", source = \"a\" }",
                &["line 6: the sources form a loop: a → b → a"],
            ),
        ] {
            let error = parse(text).unwrap_err();
            let shown = format!("{error} {}", error.hints.join(" "));
            assert_eq!(error.kind, Kind::Config, "{shown}");
            for words in says {
                assert!(shown.contains(words), "{text}: {shown}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]={}\"a-z \\n\\PC]{0,80}") {
            let _ = parse(&text);
        }
    }
}
