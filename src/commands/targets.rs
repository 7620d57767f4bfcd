//! Whom to ask: a profile in each of its centres, signed in, before anything is asked.

use std::rc::Rc;

use chrono::TimeDelta;

use crate::cli::global::Settings;
use crate::client::Target;
use crate::client::limits::Limits;
use crate::client::session::Session;
use crate::config::Profile;
use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::operation::Params;
use crate::provider::{Endpoint, Found, PROVIDERS, Provider, Scope};
use crate::sandbox::keys;
use crate::signin::SignIn;

/// What was found for a profile.
pub(super) enum Targets {
    /// These.
    Found(Vec<Target>),
    /// Not signed in: where credentials were looked for.
    NotSignedIn(Vec<String>),
}

/// A value, and where it was set.
pub(super) struct Set<T> {
    pub(super) value: T,
    pub(super) by: String,
}

fn set<T>(value: T, by: impl Into<String>) -> Option<Set<T>> {
    Some(Set {
        value,
        by: by.into(),
    })
}

/// The one profile of a command that takes one.
///
/// # Errors
/// If several are named, or the one is of another cloud.
pub(super) fn profile(provider: &'static Provider, settings: &Settings) -> Result<Profile, Error> {
    match &settings.profiles[..] {
        [] => settings.config.profile_of(provider),
        [name] => {
            let profile = settings.config.profile(name)?;
            if profile.provider.id != provider.id {
                let why = format!(
                    "{name} is a profile of {}, not of {}",
                    profile.provider.id, provider.id
                );
                return Err(Error::usage("--profile", why));
            }
            Ok(profile)
        }
        _ => Err(Error::usage(
            "--profile",
            "this command takes one profile; tasks takes several",
        )),
    }
}

/// The targets of a profile. With `every_centre`, a cloud whose regions are not set is asked in all its default ones.
///
/// # Errors
/// A region that is not known or missing, credentials that are broken or refused.
pub(super) async fn of(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
    every_centre: bool,
) -> Result<Targets, Error> {
    let provider = profile.provider;
    let endpoint = endpoint(profile, settings, seek)?;
    let named = named_regions(profile, settings, seek);
    let first = named
        .as_ref()
        .and_then(|set| set.value.first())
        .map(String::as_str);
    let sign_in = sign_in(profile, settings, first)?;
    let lease = match sign_in.lease(seek).await? {
        Found::Lease(lease) => *lease,
        Found::Nothing(reasons) => return Ok(Targets::NotSignedIn(reasons)),
    };
    let regions = regions(named, provider, &lease, settings, every_centre)?;
    let session = Rc::new(Session::new(lease.clone(), sign_in));
    let limits = Rc::new(Limits::new(profile.max_concurrency, profile.max_rps));
    let mut defaults = Params::new();
    defaults.extend(
        profile
            .enterprise_project_id
            .clone()
            .map(|id| ("enterprise_project_id".to_owned(), id.into())),
    );

    let mut targets: Vec<Target> = Vec::new();
    for region in regions.value {
        let site = match provider.vpc_site {
            Some(vpc_site) if profile.vpc => vpc_site(&region),
            _ => (provider.site)(&region),
        };
        let (centre, address) = match (&endpoint, site) {
            (Some(set), site) => (
                site.map_or(region.clone(), |site| site.centre.to_owned()),
                set.value.clone(),
            ),
            (None, Some(site)) => (site.centre.to_owned(), Endpoint::of_host(&site.host)),
            (None, None) if profile.vpc && (provider.site)(&region).is_some() => {
                return Err(Error::new(
                    Kind::Config,
                    format!("profile {}", profile.name),
                    format!("{region} has no address inside a VPC"),
                ));
            }
            (None, None) => return Err(unknown_region(&[provider], &region)),
        };
        // Regions of one centre share their data: it is asked once.
        if targets.iter().any(|known| known.region == centre) {
            continue;
        }
        let project_id = project(profile, settings, seek, &lease, &region).await?;
        targets.push(Target {
            profile: profile.name.clone(),
            provider,
            region: centre,
            endpoint: address,
            session: Rc::clone(&session),
            scope: Scope { project_id },
            defaults: defaults.clone(),
            timeout: profile.timeout,
            connect_timeout: profile.connect_timeout,
            limits: Rc::clone(&limits),
            skew: TimeDelta::zero().into(),
        });
    }
    Ok(Targets::Found(targets))
}

/// How a profile signs in; in a sandbox, with its keys.
///
/// # Errors
/// If a role's source is no profile.
pub(super) fn sign_in(
    profile: &Profile,
    settings: &Settings,
    region: Option<&str>,
) -> Result<SignIn, Error> {
    match settings.sandbox {
        true => Ok(SignIn::Ready(Box::new(sandbox_lease(profile.provider)))),
        false => SignIn::of(profile, &settings.config, region),
    }
}

/// Flag, profile, variable; none: the cloud's own address. A sandbox in this process answers for the clouds' own
/// addresses: nothing leaves the process.
///
/// # Errors
/// A variable that is no address.
pub(super) fn endpoint(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
) -> Result<Option<Set<Endpoint>>, Error> {
    if settings.sandbox {
        return Ok(None);
    }
    if let Some(endpoint) = &settings.endpoint {
        return Ok(set(endpoint.clone(), "--endpoint"));
    }
    if let Some(endpoint) = &profile.endpoint {
        return Ok(set(endpoint.clone(), "config file"));
    }
    let name = profile.provider.endpoint_variable;
    match seek.env.get(name) {
        Some(url) => Ok(set(Endpoint::parse(name, url)?, name)),
        None => Ok(None),
    }
}

/// The regions that are set before signing in: flag or `SCANQ_REGION`, profile, the cloud's variable.
pub(super) fn named_regions(
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
            .filter(|region| (provider.site)(region).is_some())
            .cloned()
            .collect();
        let regions = if known.is_empty() {
            settings.regions.clone()
        } else {
            known
        };
        return set(regions, "--region or SCANQ_REGION");
    }
    if !profile.regions.is_empty() {
        return set(profile.regions.clone(), "config file");
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

/// Else the region that the credentials' source names, else the cloud's default.
pub(super) fn regions(
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
        .filter(|region| settings.endpoint.is_some() || (provider.site)(region).is_some())
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

/// Profile, variable, the credentials' source, IAM.
async fn project(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
    lease: &Lease,
    region: &str,
) -> Result<Option<String>, Error> {
    let Some(find) = profile.provider.find_project else {
        return Ok(None);
    };
    if settings.sandbox {
        return Ok(Some(keys::HUAWEI_PROJECT.to_owned()));
    }
    let known = profile
        .project_id
        .clone()
        .or_else(|| (profile.provider.project)(seek.env))
        .or_else(|| lease.project_id.clone());
    match known {
        Some(id) => Ok(Some(id)),
        None => find(seek, lease, region).await.map(Some),
    }
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

/// One address is one service: what is meant for one cloud must not be told to another. A sandbox on loopback is both.
///
/// # Errors
/// A usage error, if several clouds would be asked at one `--endpoint`.
pub(super) fn check_endpoint(clouds: &[&Provider], settings: &Settings) -> Result<(), Error> {
    match &settings.endpoint {
        Some(endpoint) if clouds.len() > 1 && !endpoint.is_loopback() => {
            let variables: Vec<_> = clouds.iter().map(|cloud| cloud.endpoint_variable).collect();
            Err(Error::usage(
                "--endpoint",
                "names one service, and several clouds are asked",
            )
            .hint(format!(
                "ask one with --cloud, or set {}",
                variables.join(" and ")
            )))
        }
        _ => Ok(()),
    }
}

fn unknown_region(providers: &[&Provider], region: &str) -> Error {
    let mut error = Error::usage("--region", format!("unknown region: {region}"));
    let elsewhere = PROVIDERS
        .iter()
        .find(|other| (other.site)(region).is_some());
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

/// The error for a command that can't do without credentials.
pub(super) fn not_signed_in(profile: &Profile, reasons: &[String]) -> Error {
    let error = Error::new(
        Kind::Credential,
        &*profile.name,
        "no credentials were found",
    );
    let error = reasons.iter().fold(error, |error, reason| {
        error.hint(format!("looked at {reason}"))
    });
    error.hint("to try a command without an account, add --sandbox")
}

fn sandbox_lease(provider: &Provider) -> Lease {
    let (id, secret) = match provider.id {
        "aliyun" => keys::ALIYUN,
        _ => keys::HUAWEI,
    };
    Lease::keys(id, secret, None, "sandbox")
}
