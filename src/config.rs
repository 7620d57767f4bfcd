//! Profiles: the ones that a configuration file names, and the two that need none.
//!
//! A file never needs to hold a secret, and can't: there is no key for one.

mod file;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::context::{Env, Folder};
use crate::error::{Error, Kind};
use crate::provider::{self, Endpoint, Origin, PROVIDERS, Provider};

/// The profiles that there are.
#[derive(Debug)]
pub struct Config {
    /// The file that was read, if there is one.
    pub path: Option<PathBuf>,
    /// The profile of commands that take one, if several could be meant.
    pub default_profile: Option<String>,
    profiles: Vec<Profile>,
}

/// A profile.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its cloud.
    pub provider: &'static Provider,
    /// Its regions, empty if it names none.
    pub regions: Vec<String>,
    /// Where its credentials are.
    pub credentials: Credentials,
    /// Huawei Cloud's project.
    pub project_id: Option<String>,
    /// Huawei Cloud's enterprise project.
    pub enterprise_project_id: Option<String>,
    /// Another service address.
    pub endpoint: Option<Endpoint>,
    /// Whether requests go to the address inside a VPC (Alibaba Cloud).
    pub vpc: bool,
    /// The longest that a try may take.
    pub timeout: Option<Duration>,
    /// The longest that connecting may take.
    pub connect_timeout: Option<Duration>,
    /// Its requests in flight.
    pub max_concurrency: Option<usize>,
    /// Its requests a second.
    pub max_rps: Option<f64>,
    /// Not from a file: one of the two that are always there.
    pub built_in: bool,
}

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
            Credentials::Role { arn, source } => format!("role {arn} by profile {source}"),
        }
    }
}

impl Config {
    /// Where the values of a profile are from: the file, as it is shown.
    pub fn origin(&self, profile: &Profile) -> String {
        match (&self.path, profile.built_in) {
            (Some(path), false) => path.display().to_string(),
            _ => "built in".to_owned(),
        }
    }

    /// The two profiles that need no file.
    pub fn built_in() -> Self {
        Config {
            path: None,
            default_profile: None,
            profiles: Vec::new(),
        }
    }

    /// Reads the file that `--config` or `SCANQ_CONFIG` names, else the usual one if it is there.
    ///
    /// # Errors
    /// A named file that is not there, and every mistake in one, with its line and the nearest known key.
    pub fn read(flag: Option<&Path>, env: &Env) -> Result<Self, Error> {
        let named = flag
            .map(Path::to_owned)
            .or_else(|| env.get("SCANQ_CONFIG").map(PathBuf::from));
        let Some(path) = named
            .clone()
            .or_else(|| Some(env.folder(Folder::Config)?.join("config.toml")))
        else {
            return Ok(Config::built_in());
        };
        match crate::credential::seek::read_text(&path)? {
            Some((text, _)) => Config::parse(&path, &text, env),
            None if named.is_some() => Err(Error::new(
                Kind::Config,
                path.display().to_string(),
                "does not exist",
            )),
            None => Ok(Config::built_in()),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every mistake in it, with its line.
    pub fn parse(path: &Path, text: &str, env: &Env) -> Result<Self, Error> {
        let file: file::File =
            toml::from_str(text).map_err(|error| file::mistake(path, text, &error))?;
        let mut profiles = Vec::new();
        for (name, entry) in file.profiles {
            let place = format!("{}, profile {name}", path.display());
            profiles.push(entry.into_profile(name, &place, env)?);
        }
        let config = Config {
            path: Some(path.to_owned()),
            default_profile: file.default_profile,
            profiles,
        };
        if let Some(name) = &config.default_profile {
            config.profile(name)?;
        }
        for profile in &config.profiles {
            config.check_roles(profile)?;
        }
        Ok(config)
    }

    /// Every profile: those of the file, or the two built-in ones if it names none.
    pub fn profiles(&self) -> Vec<Profile> {
        if self.profiles.is_empty() {
            return PROVIDERS
                .iter()
                .map(|provider| Profile::built_in(provider))
                .collect();
        }
        self.profiles.clone()
    }

    /// A profile by its name; the built-in ones are always there, unless the file has one of that name.
    ///
    /// # Errors
    /// A configuration error that lists the known ones.
    pub fn profile(&self, name: &str) -> Result<Profile, Error> {
        if let Some(profile) = self.profiles.iter().find(|profile| profile.name == name) {
            return Ok(profile.clone());
        }
        if let Some(provider) = provider::by_id(name) {
            return Ok(Profile::built_in(provider));
        }
        let mut known: Vec<_> = self
            .profiles
            .iter()
            .map(|profile| profile.name.as_str())
            .collect();
        known.extend(
            PROVIDERS
                .iter()
                .map(|provider| provider.id)
                .filter(|id| !known.contains(id))
                .collect::<Vec<_>>(),
        );
        Err(Error::new(
            Kind::Config,
            "--profile",
            format!("no such profile: {name}"),
        )
        .did_you_mean(name, known.iter().copied())
        .hint(format!("known profiles: {}", known.join(", "))))
    }

    /// The profile of a command that takes one: the default one if it is of this cloud, else the only one of the cloud,
    /// else the built-in one.
    ///
    /// # Errors
    /// If several could be meant.
    pub fn profile_of(&self, provider: &'static Provider) -> Result<Profile, Error> {
        if let Some(name) = &self.default_profile {
            let profile = self.profile(name)?;
            if profile.provider.id == provider.id {
                return Ok(profile);
            }
        }
        let own: Vec<_> = self
            .profiles
            .iter()
            .filter(|profile| profile.provider.id == provider.id)
            .collect();
        match own[..] {
            [] => Ok(Profile::built_in(provider)),
            [profile] => Ok(profile.clone()),
            _ => {
                let names: Vec<_> = own.iter().map(|profile| profile.name.as_str()).collect();
                Err(Error::new(
                    Kind::Config,
                    "--profile",
                    format!("several profiles of {} could be meant", provider.id),
                )
                .hint(format!(
                    "name one of {}, or set default_profile",
                    names.join(", ")
                )))
            }
        }
    }

    /// A role's source is a profile of the same cloud, and no chain of them comes back to itself.
    fn check_roles(&self, profile: &Profile) -> Result<(), Error> {
        let mut names = vec![profile.name.clone()];
        let mut current = profile.clone();
        while let Credentials::Role { source, .. } = &current.credentials {
            let next = self.profile(source)?;
            let broken = |why: String| {
                Err(Error::new(
                    Kind::Config,
                    format!("profile {}", profile.name),
                    why,
                ))
            };
            if next.provider.id != profile.provider.id {
                return broken(format!("its source {source} is of another cloud"));
            }
            names.push(source.clone());
            if names[..names.len() - 1].contains(source) {
                return broken(format!("the sources form a loop: {}", names.join(" → ")));
            }
            current = next;
        }
        Ok(())
    }
}

impl Profile {
    fn built_in(provider: &'static Provider) -> Self {
        Profile {
            name: provider.id.to_owned(),
            provider,
            regions: Vec::new(),
            credentials: Credentials::At(Origin::Standard),
            project_id: None,
            enterprise_project_id: None,
            endpoint: None,
            vpc: false,
            timeout: None,
            connect_timeout: None,
            max_concurrency: None,
            max_rps: None,
            built_in: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let prod = config.profile("prod").unwrap();
        assert_eq!(
            prod.credentials,
            Credentials::At(Origin::CliProfile("prod".into()))
        );
        assert!(
            prod.vpc && prod.timeout == Some(Duration::from_secs(10)) && prod.max_rps == Some(2.5)
        );
        let hw = config.profile("hw").unwrap();
        let path = Path::new("/home/me").join("keys");
        assert_eq!(
            hw.credentials,
            Credentials::At(Origin::File {
                path,
                section: Some("basic".into())
            })
        );
        assert_eq!(config.profiles().len(), 3);
        assert!(config.profile("huawei").unwrap().built_in);
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
            ("[profiles.a]\ncloud = \"azure\"", &["unknown cloud azure"]),
            ("[profiles.a]\ncloud = ", &["line 2"]),
            ("[profiles.a]\nregions = []", &["missing field `cloud`"]),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nregions = [\"cn-nowhere\"]",
                &["unknown region: cn-nowhere", "cn-hangzhou"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nproject_id = \"p\"",
                &["go with the cloud huawei"],
            ),
            (
                "[profiles.a]\ncloud = \"huawei\"\ncredentials = { aliyun_cli = \"x\" }",
                &["goes with the cloud aliyun"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { env = true, file = \"x\" }",
                &["must be one of"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nendpoint = \"http://example.com\"",
                &["plain http is only allowed"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ntimeout = \"soon\"",
                &["timeout is no span"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ntimeout = \"1000y\"",
                &["timeout is no span"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\nmax_rps = 1e-20",
                &["max_rps must be from 0.001 to 10000"],
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
                &["no such profile: b", "known profiles: a"],
            ),
            (
                "[profiles.a]\ncloud = \"aliyun\"\ncredentials = { role_arn = \"r\", source = \"b\" }\n[profiles.b]\ncloud = \"aliyun\"\ncredentials = { role_arn = \"r\", source = \"a\" }",
                &["form a loop: a → b → a"],
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

    #[test]
    fn several_profiles_of_a_cloud_need_a_choice() {
        let config =
            parse("[profiles.a]\ncloud = \"aliyun\"\n[profiles.b]\ncloud = \"aliyun\"").unwrap();
        let error = config
            .profile_of(provider::by_id("aliyun").unwrap())
            .unwrap_err();
        assert!(error.hints[0].contains("name one of a, b"));
        assert!(
            config
                .profile_of(provider::by_id("huawei").unwrap())
                .unwrap()
                .built_in
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]={}\"a-z \\n\\PC]{0,80}") {
            let _ = parse(&text);
        }
    }
}
