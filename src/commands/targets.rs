//! Whom to ask: a profile in each of its centres, signed in, before anything is asked.

use std::rc::Rc;

use chrono::TimeDelta;

use super::regions;
use crate::cli::global::Settings;
use crate::client::Target;
use crate::client::limits::Limits;
use crate::client::session::Session;
use crate::config::Profile;
use crate::credential::seek::Seek;
use crate::credential::{Credential, Lease};
use crate::error::{Error, Kind};
use crate::operation::Params;
use crate::provider::{Endpoint, Found, Provider, Scope};
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

pub(super) fn set<T>(value: T, by: impl Into<String>) -> Option<Set<T>> {
    Some(Set {
        value,
        by: by.into(),
    })
}

/// The one profile of a command that takes one.
///
/// # Errors
/// If several could be meant, or the one is of another cloud.
pub(super) fn profile(provider: &'static Provider, settings: &Settings) -> Result<Profile, Error> {
    if settings.profiles.is_empty() {
        return settings.config.profile_of(provider);
    }
    let by = settings.profiles_by;
    let named = chosen(&settings.profiles, by, settings)?;
    let is_own = |profile: &Profile| profile.provider.id == provider.id;
    let (own, others): (Vec<_>, Vec<_>) = named.into_iter().partition(is_own);
    match (&own[..], &others[..]) {
        ([profile], []) => Ok(profile.clone()),
        // A variable is for every command of its shell: each takes the one of its cloud.
        ([profile], _) if by != "--profile" => Ok(profile.clone()),
        ([], [other, ..]) => {
            let (name, cloud) = (&other.name, other.provider.id);
            let why = format!("{name} is a profile of {cloud}, not of {}", provider.id);
            Err(Error::usage(by, why))
        }
        _ => {
            let why = "this command takes one profile; tasks takes several";
            Err(Error::usage(by, why))
        }
    }
}

/// The profiles that `by` names, each once; all, if it names none.
///
/// # Errors
/// A name that no profile has.
pub(super) fn chosen(
    names: &[String],
    by: &str,
    settings: &Settings,
) -> Result<Vec<Profile>, Error> {
    if names.is_empty() {
        return Ok(settings.config.profiles());
    }
    let mut chosen: Vec<Profile> = Vec::new();
    for name in names {
        if !chosen.iter().any(|profile| profile.name == *name) {
            chosen.push(settings.config.profile(name, by)?);
        }
    }
    Ok(chosen)
}

/// The clouds of these profiles, each once.
pub(super) fn clouds(profiles: &[Profile]) -> Vec<&'static Provider> {
    let mut clouds: Vec<&Provider> = Vec::new();
    for profile in profiles {
        if !clouds.iter().any(|cloud| cloud.id == profile.provider.id) {
            clouds.push(profile.provider);
        }
    }
    clouds
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
    // An address that is wrong is said before anyone signs in.
    endpoint(profile, settings, seek)?;
    let named = regions::named(profile, settings, seek);
    let first = named
        .as_ref()
        .and_then(|set| set.value.first())
        .map(String::as_str);
    let sign_in = sign_in(profile, settings, first)?;
    let lease = match sign_in.lease(seek).await {
        Ok(Found::Lease(lease)) => Ok(*lease),
        Ok(Found::Nothing(reasons)) => return Ok(Targets::NotSignedIn(reasons)),
        Err(error) => Err(error),
    };
    let lease = seek.or_stand_in(lease, Credential::stand_in())?;
    at(profile, settings, seek, every_centre, sign_in, lease)
        .await
        .map(Targets::Found)
}

/// The targets of a profile without credentials, for a dry run: a stand-in signs.
///
/// # Errors
/// A region that is not known or missing.
pub(super) async fn stand_ins(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
    every_centre: bool,
) -> Result<Vec<Target>, Error> {
    seek.ui.note(format!(
        "dry run: {} is not signed in, a stand-in signs",
        profile.name
    ));
    let lease = Lease::new(Credential::stand_in(), "stand-in");
    let sign_in = SignIn::Ready(Box::new(lease.clone()));
    at(profile, settings, seek, every_centre, sign_in, lease).await
}

/// The targets of a profile that asks by this lease.
async fn at(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
    every_centre: bool,
    sign_in: SignIn,
    lease: Lease,
) -> Result<Vec<Target>, Error> {
    let provider = profile.provider;
    let endpoint = endpoint(profile, settings, seek)?;
    let named = regions::named(profile, settings, seek);
    let regions = regions::asked(named, provider, &lease, settings, every_centre)?;
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
    let Set { value: regions, by } = regions;
    for region in regions {
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
            (None, None) if profile.vpc && regions::is_known(provider, &region) => {
                return Err(Error::new(
                    Kind::Config,
                    format!("profile {}", profile.name),
                    format!("{region} has no address inside a VPC"),
                ));
            }
            (None, None) => return Err(regions::unknown(&[provider], &region, &by)),
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
    Ok(targets)
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

/// Flag, variable, profile; none: the cloud's own address. A sandbox in this process answers for the clouds' own
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
    let name = profile.provider.endpoint_variable;
    if let Some(url) = seek.env.get(name) {
        return Ok(set(Endpoint::parse(name, url)?, name));
    }
    let own = profile.endpoint.clone();
    Ok(own.and_then(|endpoint| set(endpoint, settings.config.origin(profile))))
}

/// The project as far as it is known without asking: profile, the cloud's variable, the credentials' source.
pub(super) fn known_project(
    profile: &Profile,
    settings: &Settings,
    seek: &Seek<'_>,
    lease: Option<&Lease>,
) -> Option<Set<String>> {
    if settings.sandbox {
        return set(keys::HUAWEI_PROJECT.to_owned(), "sandbox");
    }
    if let Some(id) = &profile.project_id {
        return set(id.clone(), settings.config.origin(profile));
    }
    if let Some((name, id)) = seek.env.first(profile.provider.project_variables) {
        return set(id.to_owned(), name);
    }
    let lease = lease?;
    set(lease.project_id.clone()?, &*lease.source)
}

/// The known one, else IAM's, where the cloud has such a thing.
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
    match known_project(profile, settings, seek, Some(lease)) {
        Some(set) => Ok(Some(set.value)),
        None => match find(seek, lease, region).await {
            Err(left_out) if left_out.kind == Kind::NotSent => {
                seek.ui.note(format!(
                    "dry run: {PROJECT} stands for the project of {region}, which a real run learns from its sign-in or from IAM"
                ));
                Ok(Some(PROJECT.to_owned()))
            }
            found => found.map(Some),
        },
    }
}

/// What stands for a project that is not known without asking.
pub(super) const PROJECT: &str = "{project_id}";

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
    error.hint("set up one of these; to try a command without an account, add --sandbox")
}

fn sandbox_lease(provider: &Provider) -> Lease {
    let own = keys::OF_CLOUDS.iter().find(|(id, _)| *id == provider.id);
    let (_, (id, secret)) = own.expect("the sandbox plays every cloud");
    Lease::keys(*id, *secret, None, "sandbox")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PROVIDERS;

    #[test]
    fn a_sandbox_has_keys_of_its_own_for_every_cloud() {
        let leases = PROVIDERS.iter().map(|provider| sandbox_lease(provider));
        let mut ids: Vec<_> = leases
            .map(|lease| format!("{:?}", lease.credential))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), PROVIDERS.len());
    }
}
