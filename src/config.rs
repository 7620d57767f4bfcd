//! Profiles: the ones that a configuration file names, and the two that need none.
//!
//! A file never needs to hold a secret, and can't: there is no key for one.

mod credentials;
mod file;
mod profile;

use std::path::{Path, PathBuf};

use crate::context::{Env, Folder};
use crate::error::{Error, Kind};
use crate::provider::{self, PROVIDERS, Provider};
pub use credentials::Credentials;
pub use profile::Profile;

/// The profiles that there are.
#[derive(Debug)]
pub struct Config {
    /// The file that was read, if there is one.
    pub path: Option<PathBuf>,
    /// The profile of commands that take one, if several could be meant.
    pub default_profile: Option<String>,
    profiles: Vec<Profile>,
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
        let text = file::Text { path, text };
        let file = text.parse()?;
        let entries = file.profiles.into_iter();
        let profiles = entries.map(|(name, entry)| entry.into_profile(name, &text, env));
        let default = file.default_profile;
        let config = Config {
            path: Some(path.to_owned()),
            default_profile: default.as_ref().map(|name| name.get_ref().clone()),
            profiles: profiles.collect::<Result<_, _>>()?,
        };
        if let Some(name) = &default {
            config.profile(name.get_ref(), &text.place(name.span()))?;
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
    /// A configuration error that names `by`, what asks for it, and lists the known ones.
    pub fn profile(&self, name: &str, by: &str) -> Result<Profile, Error> {
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
        let why = format!("no such profile: {name}");
        Err(Error::new(Kind::Config, by, why)
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
            let profile = self.profile(name, "default_profile")?;
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
        while let Credentials::Role { source, by, .. } = &current.credentials {
            let next = self.profile(source, by)?;
            let broken = |why: String| Err(Error::new(Kind::Config, by, why));
            if next.provider.id != profile.provider.id {
                return broken(format!("the source {source} is of another cloud"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_profiles_of_a_cloud_need_a_choice() {
        let text = "[profiles.a]\ncloud = \"aliyun\"\n[profiles.b]\ncloud = \"aliyun\"";
        let config = Config::parse(Path::new("config.toml"), text, &Env::default()).unwrap();
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
}
