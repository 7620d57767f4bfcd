//! How a profile signs in: once at the start, and again when what it got has ended.

use std::future::Future;
use std::pin::Pin;

use crate::config::{Config, Credentials, Profile};
use crate::credential::Lease;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::provider::{Found, Origin, Provider, Search};

/// Everything that a sign-in needs to be repeated.
#[derive(Debug)]
pub enum SignIn {
    /// With what is there already: the sandbox's keys.
    Ready(Box<Lease>),
    /// By looking in the cloud's places.
    Search {
        /// The cloud.
        provider: &'static Provider,
        /// Where to look.
        origin: Origin,
        /// The region that will be asked, if it is known before.
        region: Option<String>,
    },
    /// By taking on a role.
    Role {
        /// The cloud.
        provider: &'static Provider,
        /// The role.
        arn: String,
        /// Whose credentials take it on.
        base: Box<SignIn>,
    },
}

impl SignIn {
    /// The sign-in of a profile. Loops among sources were found when the configuration was read.
    ///
    /// # Errors
    /// If a source is no profile.
    pub fn of(profile: &Profile, config: &Config, region: Option<&str>) -> Result<Self, Error> {
        let provider = profile.provider;
        Ok(match &profile.credentials {
            Credentials::At(origin) => SignIn::Search {
                provider,
                origin: origin.clone(),
                region: region.map(str::to_owned),
            },
            Credentials::Role { arn, source, by } => SignIn::Role {
                provider,
                arn: arn.clone(),
                base: Box::new(SignIn::of(&config.profile(source, by)?, config, region)?),
            },
        })
    }

    /// Signs in.
    ///
    /// # Errors
    /// A source that is broken, or a service that refuses.
    pub fn lease<'a>(
        &'a self,
        seek: &'a Seek<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Found, Error>> + 'a>> {
        Box::pin(async move {
            match self {
                SignIn::Ready(lease) => Ok(Found::Lease(lease.clone())),
                SignIn::Search {
                    provider,
                    origin,
                    region,
                } => {
                    (provider.credential)(
                        seek,
                        &Search {
                            origin,
                            region: region.as_deref(),
                        },
                    )
                    .await
                }
                SignIn::Role {
                    provider,
                    arn,
                    base,
                } => {
                    let base = match base.lease(seek).await? {
                        Found::Lease(lease) => lease,
                        nothing => return Ok(nothing),
                    };
                    let assume = provider.assume.ok_or_else(|| {
                        Error::new(
                            Kind::Config,
                            provider.id,
                            "roles are not known to this cloud",
                        )
                    })?;
                    let lease: Lease = assume(seek, &base, arn).await?;
                    Ok(Found::Lease(Box::new(lease)))
                }
            }
        })
    }
}
