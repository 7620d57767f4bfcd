//! The one path of every operation of every cloud.

use clap::ArgMatches;

use super::listing::Listing;
use super::targets::{self, Targets};
use super::{Means, interrupted, output};
use crate::cli::global::Settings;
use crate::cli::list;
use crate::client::pages::{Plan, Walked, walk};
use crate::client::{Client, Target};
use crate::context::{Context, Ui};
use crate::error::{Error, Kind};
use crate::operation::choice::Choice;
use crate::operation::{Entry, Items, Params};
use crate::provider::Provider;

pub(super) async fn run(
    provider: &'static Provider,
    entry: &'static Entry,
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    warn_of_undocumented(matches, &context.ui);
    let mut queries = (entry.queries)(matches)?;
    let plan = list::plan(matches, entry.meta, &mut queries, (context.clock)())?;
    targets::check_regions(&[provider], settings)?;
    let profile = targets::profile(provider, settings)?;
    let means = Means::new(settings, context);
    let Context { out, ui, .. } = context;
    let seek = means.seek(ui);
    let targets = match targets::of(&profile, settings, &seek, false).await? {
        Targets::Found(targets) => targets,
        Targets::NotSignedIn(reasons) => return Err(targets::not_signed_in(&profile, &reasons)),
    };
    if plan.single && targets.len() > 1 {
        return Err(
            Error::usage("--page", "counts within one region, and several are asked")
                .hint("name one with --region"),
        );
    }
    let client = Client::new(&seek, settings.tries, settings.concurrency);
    let mut listing = Listing::new(entry, settings.format, &settings.shape, plan.single, out)?;

    let mut ended = Ended::default();
    tokio::select! {
        biased;
        error = interrupted() => ended.failures.push(error),
        result = walk_all(&client, entry, &targets, &queries, plan, &mut listing, &mut ended) => result?,
    }
    let printed = listing.printed;
    let dropped = listing.end(&ended.walked).and_then(|dropped| {
        std::io::Write::flush(out)?;
        Ok(dropped)
    });
    report_dropped(ui, &dropped.map_err(output)?);
    conclude(provider, entry, &targets, settings, ui, printed, ended)
}

/// How the walks ended.
#[derive(Default)]
struct Ended {
    walked: Vec<Walked>,
    failures: Vec<Error>,
}

/// Walks each target and query in turn, each with its pages in flight together. A target that fails does not hide the
/// others.
async fn walk_all(
    client: &Client<'_>,
    entry: &'static Entry,
    targets: &[Target],
    queries: &[Params],
    plan: Plan,
    listing: &mut Listing<'_>,
    ended: &mut Ended,
) -> Result<(), Error> {
    for target in targets {
        for params in queries {
            let limit = plan.limit.map(|limit| limit - listing.printed.min(limit));
            if limit == Some(0) {
                return Ok(());
            }
            let plan = Plan { limit, ..plan };
            let mut deliver =
                |batch: crate::client::pages::Batch<'_>| listing.page(&batch).map_err(output);
            match walk(client, target, entry, params, plan, &mut deliver).await {
                Ok(walked) => {
                    if walked.missing > 0 {
                        let total = walked.total.unwrap_or_default();
                        client.warn(&format!(
                            "{}: the server counts {total} tasks, but {} of them did not come",
                            target.name(),
                            walked.missing
                        ));
                    }
                    ended.walked.push(walked);
                }
                Err(error) if error.kind == Kind::Output => return Err(error),
                Err(error) if targets.len() > 1 => {
                    ended.failures.push(error.target(target.name()));
                    break;
                }
                Err(error) => {
                    ended.failures.push(error);
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Says what went wrong, and decides the exit code.
fn conclude(
    provider: &Provider,
    entry: &Entry,
    targets: &[Target],
    settings: &Settings,
    ui: &Ui,
    printed: u64,
    mut ended: Ended,
) -> Result<u8, Error> {
    if let Some(last) = ended.failures.pop() {
        ended.failures.iter().for_each(|error| ui.error(error));
        if printed > 0 {
            ui.warn(format!(
                "{printed} tasks arrived before this and are printed"
            ));
        }
        let some_answered = targets.len() > 1 && ended.failures.len() + 1 < targets.len();
        let is_partial = some_answered && last.kind != Kind::Interrupted;
        let code = if is_partial { Kind::Partial } else { last.kind }.exit_code();
        ui.error(&last);
        return Ok(code);
    }
    if ended.walked.iter().any(|walked| walked.missing > 0) {
        return Ok(Kind::Partial.exit_code());
    }
    let is_list = matches!(entry.meta.items, Items::List { .. });
    if is_list
        && printed == 0
        && !settings.sandbox
        && let [asked] = targets
    {
        let others: Vec<_> = provider
            .default_regions
            .iter()
            .filter(|region| **region != asked.region)
            .collect();
        if let Some(other) = others.first() {
            ui.hint(format!(
                "no tasks in {}. {} keeps its data in two centres; the other one is asked with --region {other}",
                asked.region, provider.name
            ));
        }
    }
    Ok(0)
}

pub(super) fn report_dropped(ui: &Ui, columns: &[String]) {
    if !columns.is_empty() {
        ui.note(format!(
            "no room for the columns {}: widen the terminal, name --columns, or use -o json",
            columns.join(", ")
        ));
    }
}

/// Clouds add values, so one that the documentation does not list is sent as it is.
fn warn_of_undocumented(matches: &ArgMatches, ui: &Ui) {
    for id in matches.ids() {
        let Ok(Some(choices)) = matches.try_get_many::<Choice>(id.as_str()) else {
            continue;
        };
        for choice in choices.filter(|choice| !choice.documented) {
            let flag = id.as_str().replace('_', "-");
            ui.warn(format!(
                "--{flag}: the documentation does not list this value, it is sent as it is: {}",
                choice.sent
            ));
        }
    }
}
