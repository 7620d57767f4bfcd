//! `scanq profile show`: every value of a profile and where it came from, whether or not signing in works.
//!
//! The values are found as the commands that ask find them. Nothing secret is shown.

use std::time::Duration;

use super::SHOW;
use crate::cli::global::Settings;
use crate::client::DEFAULT_TIMEOUT;
use crate::client::http::CONNECT_TIMEOUT;
use crate::commands::targets::{self, Set};
use crate::commands::{Means, regions, sheet, unless_interrupted};
use crate::config::Profile;
use crate::context::Context;
use crate::credential::seek::Seek;
use crate::credential::{Credential, Lease};
use crate::error::Error;
use crate::operation::column::Cell;
use crate::provider::{Endpoint, Found};

/// Key, value, and where that is from.
type Row = (&'static str, String, String);

pub(super) async fn run(
    profile: &Profile,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    let means = Means::new(settings, context);
    let seek = means.seek(&context.ui);
    let file = settings.config.origin(profile);
    let endpoint = targets::endpoint(profile, settings, &seek);
    let signed_in = match &endpoint {
        Ok(_) => unless_interrupted(sign_in(profile, settings, &seek)).await,
        // As everywhere, nobody signs in where the address is wrong.
        Err(error) => Err(error.clone()),
    };
    let lease = signed_in.as_ref().ok();
    let mut values = vec![
        ("name", profile.name.clone(), file.clone()),
        ("cloud", profile.provider.id.to_owned(), file.clone()),
        ("credentials", profile.credentials.describe(), file.clone()),
    ];
    values.extend(lease.map(identity).unwrap_or_default());
    values.push(asked_regions(profile, settings, &seek, lease));
    values.push(address(profile, endpoint, &file));
    if profile.provider.find_project.is_some() {
        values.push(project(targets::known_project(
            profile, settings, &seek, lease,
        )));
    }
    values.extend(given(
        "enterprise-project-id",
        &profile.enterprise_project_id,
        &file,
    ));
    values.extend(limits(profile, settings, &file));
    let rows: Vec<_> = values
        .iter()
        .map(|(key, value, by)| vec![Cell::from(*key), Cell::from(&**value), Cell::from(&**by)])
        .collect();
    sheet::print("values", &SHOW, &rows, settings, context)?;
    signed_in.map(|_| 0)
}

async fn sign_in(profile: &Profile, settings: &Settings, seek: &Seek<'_>) -> Result<Lease, Error> {
    let named = regions::named(profile, settings, seek);
    let first = named.as_ref().and_then(|set| set.value.first());
    let sign_in = targets::sign_in(profile, settings, first.map(String::as_str))?;
    match sign_in.lease(seek).await? {
        Found::Lease(lease) => Ok(*lease),
        Found::Nothing(reasons) => Err(targets::not_signed_in(profile, &reasons)),
    }
}

/// Who a lease is, as far as that is no secret.
fn identity(lease: &Lease) -> Vec<Row> {
    let row = |key, value: &str| (key, value.to_owned(), lease.source.clone());
    let mut rows = match &lease.credential {
        Credential::Keys {
            id, security_token, ..
        } => {
            let mut rows = vec![row("access-key-id", id), row("secret", "****")];
            rows.extend(
                security_token
                    .as_ref()
                    .map(|_| row("security-token", "****")),
            );
            rows
        }
        Credential::Token(_) => vec![row("token", "****")],
    };
    let expires = lease.expires.map(crate::moment::rfc3339);
    rows.extend(expires.map(|time| row("expires", &time)));
    rows
}

fn asked_regions(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
    lease: Option<&Lease>,
) -> Row {
    let named = regions::named(profile, settings, seek);
    let nobody = Lease::keys("", "", None, "");
    let lease = lease.unwrap_or(&nobody);
    match regions::asked(named, profile.provider, lease, settings, true) {
        Ok(set) => ("regions", set.value.join(","), set.by),
        Err(_) => ("regions", String::new(), "not set".into()),
    }
}

fn address(profile: &Profile, endpoint: Result<Option<Set<Endpoint>>, Error>, file: &str) -> Row {
    let (value, by) = match endpoint {
        Ok(Some(set)) => (set.value.origin(), set.by),
        Ok(None) if profile.vpc => ("vpc".into(), file.into()),
        Ok(None) => ("by region".into(), "default".into()),
        Err(wrong) => (String::new(), wrong.what),
    };
    ("endpoint", value, by)
}

fn project(known: Option<Set<String>>) -> Row {
    let (id, by) = match known {
        Some(set) => (set.value, set.by),
        None => ("by region".into(), "IAM".into()),
    };
    ("project-id", id, by)
}

fn limits(profile: &Profile, settings: &Settings, file: &str) -> Vec<Row> {
    let timeout = (settings.tries.timeout, profile.timeout, DEFAULT_TIMEOUT);
    let connecting = (
        settings.connect_timeout,
        profile.connect_timeout,
        CONNECT_TIMEOUT,
    );
    let mut rows = vec![
        span("timeout", "--timeout", timeout, file),
        span("connect-timeout", "--connect-timeout", connecting, file),
    ];
    rows.extend(given("max-concurrency", &profile.max_concurrency, file));
    rows.extend(given("max-rps", &profile.max_rps, file));
    rows
}

/// What the flag says, else the profile, else nobody.
fn span(
    key: &'static str,
    flag: &str,
    said: (Option<Duration>, Option<Duration>, Duration),
    file: &str,
) -> Row {
    let (span, by) = match said {
        (Some(span), _, _) => (span, flag),
        (None, Some(span), _) => (span, file),
        (None, None, span) => (span, "default"),
    };
    (key, humantime::format_duration(span).to_string(), by.into())
}

/// A value that only the file can give.
fn given(key: &'static str, value: &Option<impl ToString>, file: &str) -> Option<Row> {
    let value = value.as_ref()?;
    Some((key, value.to_string(), file.to_owned()))
}
