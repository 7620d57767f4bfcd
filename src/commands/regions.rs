//! Which regions are asked: those that are set, as far as a cloud knows them, else its own defaults.

use super::targets::{Set, set};
use crate::cli::global::Settings;
use crate::config::Profile;
use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::provider::{PROVIDERS, Provider};
use crate::sandbox::keys;

/// The profiles that know any of the regions that are asked for; all of them, if none does: each then says what is wrong.
pub(super) fn takers(profiles: Vec<Profile>, settings: &Settings) -> Vec<Profile> {
    if settings.regions.is_empty() || settings.endpoint.is_some() {
        return profiles;
    }
    let knows = |profile: &Profile| {
        (settings.regions.iter()).any(|region| is_known(profile.provider, region))
    };
    let (takers, others): (Vec<_>, Vec<_>) = profiles.into_iter().partition(knows);
    if takers.is_empty() { others } else { takers }
}

pub(super) fn is_known(provider: &Provider, region: &str) -> bool {
    (provider.site)(region).is_some()
}

/// The regions that are set before signing in: flag or `SCANQ_REGION`, profile, the cloud's variable.
pub(super) fn named(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
) -> Option<Set<Vec<String>>> {
    let provider = profile.provider;
    if !settings.regions.is_empty() {
        // With several clouds each takes the ones it knows.
        let known: Vec<_> = settings
            .regions
            .iter()
            .filter(|region| is_known(provider, region))
            .cloned()
            .collect();
        let regions = if known.is_empty() {
            settings.regions.clone()
        } else {
            known
        };
        return set(regions, settings.regions_by);
    }
    if !profile.regions.is_empty() {
        return set(profile.regions.clone(), settings.config.origin(profile));
    }
    // A sandbox is the same wherever it runs.
    let variable = seek
        .env
        .first(provider.region_variables)
        .filter(|_| !settings.sandbox);
    if let Some((name, region)) = variable {
        return set(vec![region.to_owned()], name);
    }
    let sandbox = settings.sandbox && provider.default_regions.is_empty();
    sandbox.then(|| Set {
        value: vec![keys::REGIONS.1.to_owned()],
        by: "sandbox".into(),
    })
}

/// The named regions, else the one that the credentials' source names, else the cloud's default.
pub(super) fn asked(
    named: Option<Set<Vec<String>>>,
    provider: &Provider,
    lease: &Lease,
    settings: &Settings,
    every_centre: bool,
) -> Result<Set<Vec<String>>, Error> {
    if let Some(named) = named {
        return Ok(named);
    }
    // A region of the CLI's profile that this service does not know is passed over: it was set for another service.
    if let Some(region) = lease
        .region
        .as_ref()
        .filter(|region| settings.endpoint.is_some() || is_known(provider, region))
    {
        return Ok(Set {
            value: vec![region.clone()],
            by: lease.source.clone(),
        });
    }
    let count = if every_centre {
        provider.default_regions.len()
    } else {
        1
    };
    let defaults: Vec<_> = provider
        .default_regions
        .iter()
        .take(count)
        .map(|region| (*region).to_owned())
        .collect();
    if defaults.is_empty() {
        let variable = provider.region_variables[0];
        return Err(
            Error::new(Kind::Config, provider.id, "no region is set").hint(format!(
                "give --region, or set {variable}, or regions in a profile"
            )),
        );
    }
    Ok(Set {
        value: defaults,
        by: "default".into(),
    })
}

/// With several clouds each takes the regions that it knows. One that none knows is a mistake, and so is a command whose
/// clouds know none of them.
///
/// # Errors
/// A usage error that names the flag or variable, and lists the known regions.
pub(super) fn check(providers: &[&Provider], settings: &Settings) -> Result<(), Error> {
    if settings.endpoint.is_some() {
        return Ok(());
    }
    let known_to = |clouds: &[&Provider], region: &str| {
        clouds.iter().any(|provider| is_known(provider, region))
    };
    let regions = &settings.regions;
    let nowhere = regions.iter().find(|region| !known_to(PROVIDERS, region));
    let has_own = regions.iter().any(|region| known_to(providers, region));
    match nowhere.or(regions.first().filter(|_| !has_own)) {
        Some(region) => Err(unknown(providers, region, settings.regions_by)),
        None => Ok(()),
    }
}

pub(super) fn unknown(providers: &[&Provider], region: &str, by: &str) -> Error {
    let mut error = Error::usage(by, format!("unknown region: {region}"));
    if by != "--region" {
        error = error.hint("--region overrides it");
    }
    let elsewhere = PROVIDERS.iter().find(|other| is_known(other, region));
    if let Some(other) = elsewhere {
        error = error.hint(format!("{region} is a region of {}", other.name));
    } else {
        let known = providers.iter().flat_map(|provider| (provider.regions)());
        error = error.did_you_mean(region, known);
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
