//! `scanq profile`: what is configured, where each value came from, and whether it works.

mod show;

use std::borrow::Cow;

use clap::{ArgMatches, FromArgMatches};

use super::query::Query;
use super::regions;
use super::targets::{self, Targets};
use super::{Means, cache_folder, dry_run, failures, interrupted, sheet};
use crate::cli::global::Settings;
use crate::cli::{ProfileName, ProfileNames};
use crate::client::pages::Plan;
use crate::client::{Client, Target};
use crate::config::Profile;
use crate::context::Context;
use crate::credential::Credential;
use crate::credential::cache::Cache;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::operation::Entry;
use crate::operation::column::Cell;

/// Columns of `list`.
pub(super) const LIST: [(&str, bool); 5] = [
    ("name", false),
    ("cloud", false),
    ("regions", false),
    ("credentials", false),
    ("default", false),
];

/// Columns of `show`.
pub(super) const SHOW: [(&str, bool); 3] = [("key", false), ("value", false), ("from", false)];

/// Columns of `check`.
pub(super) const CHECK: [(&str, bool); 7] = [
    ("profile", false),
    ("region", false),
    ("works", false),
    ("identity", false),
    ("latency-ms", false),
    ("clock-ahead-s", false),
    ("missing", false),
];

pub(super) async fn run(
    name: &str,
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    match name {
        "list" => list(settings, context),
        "show" => {
            let name = ProfileName::from_arg_matches(matches)?.name;
            let profile = settings.config.profile(&name, "profile show")?;
            show::run(&profile, settings, context).await
        }
        "check" => {
            let names = ProfileNames::from_arg_matches(matches)?.names;
            check(&names, settings, context).await
        }
        "logout" => logout(context),
        other => unreachable!("the tree has no such command: {other}"),
    }
}

fn list(settings: &Settings, context: &mut Context) -> Result<u8, Error> {
    let config = &settings.config;
    let profiles = config.profiles();
    let rows: Vec<_> = profiles
        .iter()
        .map(|profile| {
            let is_default = config.default_profile.as_deref() == Some(&profile.name);
            vec![
                Cell::from(&*profile.name),
                Cell::from(profile.provider.id),
                Cell::from(Cow::Owned(profile.regions.join(","))),
                Cell::from(Cow::Owned(profile.credentials.describe())),
                Cell::from(if is_default { "yes" } else { "" }),
            ]
        })
        .collect();
    sheet::print("profiles", &LIST, &rows, settings, context)?;
    Ok(0)
}

/// Signs in with each profile, in each of its centres, and sends the cheapest request of its cloud.
async fn check(names: &[String], settings: &Settings, context: &mut Context) -> Result<u8, Error> {
    let chosen = match names {
        [] => targets::chosen(&settings.profiles, settings.profiles_by, settings),
        names => targets::chosen(names, "profile check", settings),
    };
    let profiles = regions::takers(chosen?, settings);
    let clouds = targets::clouds(&profiles);
    regions::check(&clouds, settings)?;
    targets::check_endpoint(&clouds, settings)?;
    let means = Means::new(settings, context);
    if settings.dry_run.is_some() {
        return rehearse(&profiles, settings, &means, context).await;
    }
    let mut checked = Checked::default();
    let seek = means.seek(&context.ui);
    let stopped = tokio::select! {
        biased;
        error = interrupted() => Some(error),
        () = checked.ask(&profiles, settings, &seek) => None,
    };
    let Checked { rows, mut failures } = checked;
    failures.extend(stopped);
    sheet::print("profiles", &CHECK, &rows, settings, context)?;
    failures::say(&failures, &context.ui);
    let codes = failures.iter().map(|error| error.kind.exit_code());
    Ok(codes.fold(0, u8::max))
}

/// What a check has found so far.
#[derive(Default)]
struct Checked {
    rows: Vec<Vec<Cell<'static>>>,
    failures: Vec<Error>,
}

impl Checked {
    async fn ask(&mut self, profiles: &[Profile], settings: &Settings, seek: &Seek<'_>) {
        let client = Client::new(seek, settings.tries, settings.concurrency);
        for profile in profiles {
            let error = match targets::of(profile, settings, seek, true).await {
                Ok(Targets::Found(targets)) => {
                    for target in &targets {
                        let (row, failure) = probe(&client, target).await;
                        self.rows.push(row);
                        self.failures.extend(failure);
                    }
                    continue;
                }
                Ok(Targets::NotSignedIn(reasons)) => targets::not_signed_in(profile, &reasons),
                Err(error) => error,
            };
            self.rows.push(row(&profile.name, "", "", Err(&error)));
            self.failures.push(error.target(&*profile.name));
        }
    }
}

/// Prints the requests of a check.
async fn rehearse(
    profiles: &[Profile],
    settings: &Settings,
    means: &Means,
    context: &mut Context,
) -> Result<u8, Error> {
    let Context { out, ui, .. } = context;
    let seek = means.seek(ui);
    let (mut targets, mut broken) = (Vec::new(), Vec::new());
    for profile in profiles {
        let found = match targets::of(profile, settings, &seek, true).await {
            Ok(Targets::Found(found)) => Ok(found),
            Ok(Targets::NotSignedIn(_)) => targets::stand_ins(profile, settings, &seek, true).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => targets.extend(found),
            Err(error) => broken.push(error.target(&*profile.name)),
        }
    }
    let client = Client::new(&seek, settings.tries, settings.concurrency);
    let queries: Vec<_> = targets.iter().map(cheapest).collect();
    let printed = dry_run::print(&queries, settings, &client, out, ui)?.unwrap_or(0);
    failures::say(&broken, ui);
    let codes = broken.iter().map(|error| error.kind.exit_code());
    Ok(codes.fold(printed, u8::max))
}

/// The cheapest query of a target's cloud: the smallest page of a listing.
fn cheapest(target: &Target) -> Query<'_> {
    let listing = |entry: &'static Entry| Some((entry, entry.meta.paging.as_ref()?));
    let listings = target.provider.operations.iter().rev().find_map(listing);
    let (entry, paging) = listings.expect("every cloud has a listing");
    // The listings that need more than a page size say so by their samples.
    let needed = entry.meta.samples.first().and_then(|sample| sample.when);
    let params = needed.map(|(name, value)| (name.to_owned(), value.into()));
    Query {
        target,
        entry,
        params: params.into_iter().collect(),
        plan: Plan {
            size: paging.min_size,
            offset: 0,
            limit: None,
            single: true,
        },
    }
}

async fn probe(client: &Client<'_>, target: &Target) -> (Vec<Cell<'static>>, Option<Error>) {
    let query = cheapest(target);
    let result = client.probe(target, query.entry, &query.first()).await;
    let lease = target.session.lease();
    let who = match &lease.credential {
        Credential::Keys { id, .. } => format!("{id} ({})", lease.source),
        Credential::Token(_) => lease.source.clone(),
    };
    match result {
        Ok(probe) => (row(&target.profile, &target.region, &who, Ok(&probe)), None),
        Err(error) => (
            row(&target.profile, &target.region, &who, Err(&error)),
            Some(error.target(target.name())),
        ),
    }
}

fn row(
    profile: &str,
    region: &str,
    who: &str,
    result: Result<&crate::client::Probe, &Error>,
) -> Vec<Cell<'static>> {
    let mut row = vec![Cell::from(profile), Cell::from(region)];
    match result {
        Ok(probe) => row.extend([
            Cell::from("yes"),
            Cell::from(who),
            Cell::Number(probe.latency.as_millis() as f64),
            probe.clock_ahead.map_or(
                Cell::Empty,
                |ahead| Cell::Number(ahead.num_seconds() as f64),
            ),
            Cell::Empty,
        ]),
        Err(error) => row.extend([
            Cell::from("no"),
            Cell::from(who),
            Cell::Empty,
            Cell::Empty,
            Cell::Text(error.to_string().into()),
        ]),
    }
    row.into_iter().map(Cell::into_owned).collect()
}

fn logout(context: &mut Context) -> Result<u8, Error> {
    let folder = cache_folder(&context.env);
    let shown = folder
        .as_ref()
        .map_or(String::new(), |folder| folder.display().to_string());
    match Cache::new(folder).clear() {
        Ok(count) => {
            context.ui.note(format!("{count} sign-ins forgotten"));
            Ok(0)
        }
        Err(error) => Err(Error::new(Kind::Output, shown, error)),
    }
}
