//! Whom to ask: a profile in each of its centres, with credentials, before anything is sent.

use chrono::TimeDelta;

use crate::cli::global::Settings;
use crate::client::Target;
use crate::context::Context;
use crate::credential::{Credential, Secret};
use crate::error::{Error, Kind};
use crate::provider::{Endpoint, Found, PROVIDERS, Provider, Scope};
use crate::sandbox::keys;

/// What was found for a cloud.
pub(super) enum Targets {
    /// These.
    Found(Vec<Target>),
    /// Not signed in: where credentials were looked for.
    NotSignedIn(Vec<String>),
}

/// The targets of one cloud. With `every_centre`, a cloud whose regions are not set is asked in all its default ones.
///
/// # Errors
/// A region that is not known, credentials that are broken, a region that is missing.
pub(super) fn of(
    provider: &'static Provider,
    settings: &Settings,
    context: &Context,
    every_centre: bool,
) -> Result<Targets, Error> {
    let credential = if settings.sandbox {
        sandbox_credential(provider)
    } else {
        match (provider.credential)(&context.env)? {
            Found::Credential(credential) => credential,
            Found::Nothing(reasons) => return Ok(Targets::NotSignedIn(reasons)),
        }
    };
    // A sandbox in this process answers for the real addresses: nothing leaves the process.
    let endpoint = match &settings.endpoint {
        _ if settings.sandbox => None,
        Some(endpoint) => Some(endpoint.clone()),
        None => context
            .env
            .get(provider.endpoint_variable)
            .map(|url| Endpoint::parse(provider.endpoint_variable, url))
            .transpose()?,
    };
    let scope = Scope {
        project_id: if settings.sandbox {
            Some(keys::HUAWEI_PROJECT.to_owned())
        } else {
            (provider.project)(&context.env)
        },
    };
    let mut targets: Vec<Target> = Vec::new();
    for region in regions(provider, settings, context, every_centre)? {
        let site = (provider.site)(&region);
        let (centre, address) = match (&endpoint, site) {
            (Some(endpoint), site) => (
                site.map_or(region, |site| site.centre.to_owned()),
                endpoint.clone(),
            ),
            (None, Some(site)) => (site.centre.to_owned(), Endpoint::of_host(&site.host)),
            (None, None) => return Err(unknown_region(&[provider], &region)),
        };
        // Regions of one centre share their data: it is asked once.
        if targets.iter().any(|known| known.region == centre) {
            continue;
        }
        targets.push(Target {
            profile: provider.id.to_owned(),
            provider,
            region: centre,
            endpoint: address,
            credential: credential.clone(),
            scope: scope.clone(),
            skew: TimeDelta::zero().into(),
        });
    }
    Ok(Targets::Found(targets))
}

/// Flags, then variables, then the cloud's own default.
fn regions(
    provider: &Provider,
    settings: &Settings,
    context: &Context,
    every_centre: bool,
) -> Result<Vec<String>, Error> {
    if !settings.regions.is_empty() {
        return Ok(settings.regions.clone());
    }
    if let Some((_, region)) = context.env.first(provider.region_variables) {
        return Ok(vec![region.to_owned()]);
    }
    if settings.sandbox && provider.default_regions.is_empty() {
        return Ok(vec![keys::REGIONS.1.to_owned()]);
    }
    let defaults = provider
        .default_regions
        .iter()
        .map(|region| (*region).to_owned());
    let defaults: Vec<_> = if every_centre {
        defaults.collect()
    } else {
        defaults.take(1).collect()
    };
    if defaults.is_empty() {
        let variable = provider.region_variables[0];
        return Err(Error::new(Kind::Config, provider.id, "no region is set")
            .hint(format!("give --region, or set {variable}")));
    }
    Ok(defaults)
}

/// Regions that no cloud of `providers` knows are a mistake, not something to pass over.
///
/// # Errors
/// A usage error that lists the known regions.
pub(super) fn check_regions(providers: &[&Provider], settings: &Settings) -> Result<(), Error> {
    if settings.endpoint.is_some() {
        return Ok(());
    }
    let is_known = |region: &&String| {
        providers
            .iter()
            .any(|provider| (provider.site)(region).is_some())
    };
    match settings.regions.iter().find(|region| !is_known(region)) {
        Some(region) => Err(unknown_region(providers, region)),
        None => Ok(()),
    }
}

fn unknown_region(providers: &[&Provider], region: &str) -> Error {
    let mut error = Error::usage("--region", format!("unknown region: {region}"));
    let elsewhere = PROVIDERS
        .iter()
        .find(|other| (other.site)(region).is_some());
    if let Some(other) = elsewhere {
        error = error.hint(format!("{region} is a region of {}", other.name));
    }
    for provider in providers {
        error = error.hint(format!(
            "regions of {}: {}",
            provider.id,
            (provider.regions)().join(", ")
        ));
    }
    error
}

/// The error for a command that can't do without credentials.
pub(super) fn not_signed_in(provider: &Provider, reasons: &[String]) -> Error {
    let error = Error::new(Kind::Credential, provider.id, "no credentials were found");
    let error = reasons.iter().fold(error, |error, reason| {
        error.hint(format!("looked at {reason}"))
    });
    error.hint("to try a command without an account, add --sandbox")
}

fn sandbox_credential(provider: &Provider) -> Credential {
    let (id, secret) = match provider.id {
        "aliyun" => keys::ALIYUN,
        _ => keys::HUAWEI,
    };
    Credential::Keys {
        id: id.to_owned(),
        secret: Secret::new(secret),
        security_token: None,
    }
}
