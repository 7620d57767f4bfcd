//! `~/.hcloud/config.json`: the profiles of KooCLI.
//!
//! NOTE: Huawei does not document this file; the keys are those that its own Terraform provider reads. Since KooCLI 5.2.7
//! the secrets in it are encrypted unless that is switched off: then it can't be used, and says so.

use std::path::Path;

use serde::Deserialize;

use crate::credential::seek::{Seek, line_of, profile_named};
use crate::credential::{Lease, Source};
use crate::error::{Error, Kind};
use crate::operation::lenient::{Object, Text};

/// The file, as far as it is read.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct File<'a> {
    #[serde(borrow)]
    current: Text<'a>,
    auth_encrypt: Text<'a>,
    profiles: Vec<Profile<'a>>,
}

impl<'a> File<'a> {
    /// Reads its text.
    ///
    /// # Errors
    /// With the line of what is not as KooCLI writes it; the text itself is not quoted.
    pub fn parse(path: &Path, text: &'a str) -> Result<Self, Error> {
        serde_json::from_str(text)
            .map_err(|error| line_of(path, error.line(), "not the JSON that KooCLI writes"))
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Profile<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    mode: Text<'a>,
    access_key_id: Text<'a>,
    secret_access_key: Text<'a>,
    security_token: Text<'a>,
    region: Text<'a>,
    project_id: Text<'a>,
    sso_auth: Object<SsoAuth<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct SsoAuth<'a> {
    #[serde(borrow)]
    sts_token: Object<Keys<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys<'a> {
    #[serde(borrow)]
    access_key_id: Text<'a>,
    secret_access_key: Text<'a>,
    security_token: Text<'a>,
}

/// The current profile.
pub(super) fn find(seek: &Seek<'_>) -> Result<Source, Error> {
    let Some(path) = seek.home(".hcloud/config.json") else {
        return Ok(Source::nothing(
            "~/.hcloud/config.json: there is no home folder",
        ));
    };
    let shown = path.display();
    let nothing = |why: &str| Ok(Source::nothing(format!("{shown}: {why}")));
    let Some(text) = seek.read(&path)? else {
        return nothing("does not exist");
    };
    if text.trim().is_empty() {
        return nothing("is empty");
    }
    let file = File::parse(&path, &text)?;
    let current = file.current.get().unwrap_or("default");
    let profile = profile_named(&path, &file.profiles, |profile| profile.name.get(), current)?;
    if file
        .auth_encrypt
        .get()
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        let why = "its secrets are encrypted (hcloud configure set --cli-auth-encrypt=false keeps them readable)";
        seek.ui.note(format!("{shown} is passed over: {why}"));
        return nothing(why);
    }
    let mode = profile.mode.get().unwrap_or("AKSK");
    let place = format!("{shown} profile {current} ({mode})");
    let (id, secret, token) = match mode {
        "AKSK" => (
            &profile.access_key_id,
            &profile.secret_access_key,
            &profile.security_token,
        ),
        "SSO" => match profile
            .sso_auth
            .0
            .as_ref()
            .and_then(|auth| auth.sts_token.0.as_ref())
        {
            Some(keys) => (
                &keys.access_key_id,
                &keys.secret_access_key,
                &keys.security_token,
            ),
            None => {
                return nothing(&format!(
                    "profile {current}: there are no keys of an earlier sign-in"
                ));
            }
        },
        other => {
            return Err(Error::new(
                Kind::Config,
                &*place,
                format!("the mode {other} is not one that holds keys"),
            ));
        }
    };
    let need = |text: &Text, key: &str| {
        text.owned()
            .ok_or_else(|| Error::new(Kind::Config, &*place, format!("{key} is missing")))
    };
    let lease = Lease::keys(
        need(id, "accessKeyId")?,
        need(secret, "secretAccessKey")?,
        token.get(),
        &*place,
    );
    Ok(Lease {
        region: profile.region.owned(),
        project_id: profile.project_id.owned(),
        ..lease
    }
    .into())
}
