//! The one path of every operation of every cloud.

use std::cell::RefCell;
use std::io::{self, Write};

use clap::ArgMatches;
use serde_json::Value;

use super::gate::Gate;
use super::listing::{self, Listing};
use super::progress::Progress;
use super::query::{Order, Query, Sink, ask, shortfall};
use super::regions;
use super::selection::Selection;
use super::survey::{Aim, Survey};
use super::targets::{self, Targets};
use super::wait::{self, Ended};
use super::watch::Viewer;
use super::{Means, dry_run, failures, interrupted, output};
use crate::cli::follow::Follow;
use crate::cli::global::Settings;
use crate::cli::list;
use crate::client::pages::{Batch, Plan, Walked};
use crate::client::{Client, Target};
use crate::context::{Context, Stream, Ui};
use crate::error::{Error, Kind};
use crate::operation::choice::Choice;
use crate::operation::{Entry, Params};
use crate::provider::Provider;
use crate::render::Format;
use crate::task::Task;

pub(super) async fn run(
    provider: &'static Provider,
    entry: &'static Entry,
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    warn_of_undocumented(matches, &context.ui);
    let follow = Follow::read(matches)?;
    let mut queries = (entry.queries)(matches)?;
    let plan = list::plan(matches, entry.meta, &mut queries, (context.clock)())?;
    regions::check(&[provider], settings)?;
    let profile = targets::profile(provider, settings)?;
    // What is wrong with the output is said before anyone signs in.
    let rows = listing::rows(entry, settings)?;
    let means = Means::new(settings, context);
    let Context {
        clock,
        out,
        ui,
        env,
        ..
    } = &mut *context;
    let seek = means.seek(ui);
    let targets = match targets::of(&profile, settings, &seek, false).await? {
        Targets::Found(targets) => targets,
        Targets::NotSignedIn(_) if settings.dry_run.is_some() => {
            targets::stand_ins(&profile, settings, &seek, false).await?
        }
        Targets::NotSignedIn(reasons) => return Err(targets::not_signed_in(&profile, &reasons)),
    };
    if plan.single && targets.len() > 1 {
        return Err(
            Error::usage("--page", "counts within one region, and several are asked")
                .hint("name one with --region"),
        );
    }
    let natives = match follow.waiting {
        Some(_) => statuses_to_follow(entry, &mut queries),
        None => Vec::new(),
    };
    // Followed tasks are looked for in the whole listing: pages as small as the limit would be many.
    let plan = match &entry.meta.paging {
        Some(paging) if !natives.is_empty() && matches.get_one::<u32>("page_size").is_none() => {
            Plan {
                size: paging.default_size,
                ..plan
            }
        }
        _ => plan,
    };
    let targets = &targets;
    let queries: Vec<_> = targets
        .iter()
        .flat_map(|target| {
            queries.iter().map(move |params| Query {
                target,
                entry,
                params: params.clone(),
                plan,
            })
        })
        .collect();

    let client = Client::new(&seek, settings.tries, settings.concurrency);
    let mut gate = Gate::new(&follow.fail_on);
    let writes_to_terminal = out.terminal.is_some();
    if let Some(form) = settings.dry_run {
        return dry_run::print(
            queries.iter().map(Query::first),
            form,
            &settings.style,
            &client,
            out,
            ui,
        );
    }
    let Some(waiting) = &follow.waiting else {
        let progress = Progress::new(ui, writes_to_terminal);
        let listing = Listing::new(entry, settings, rows, plan.single, out);
        let (printed, ended, listed) =
            stream(&client, &queries, plan, listing, &mut gate, progress).await?;
        flush(listed, out, ui)?;
        let code = conclude(&queries, targets, settings, ui, printed, ended);
        return wait::conclude(Ended::Done, code, &[], &gate, &follow, ui, env);
    };
    let filters_here = !natives.is_empty();
    let aim = Aim {
        selection: Selection {
            natives,
            ..Selection::default()
        },
        order: match plan.limit.filter(|_| !filters_here) {
            Some(limit) => Order::InTurn(Some(limit)),
            None => Order::Together,
        },
        limit: plan.limit,
        newest_first: false,
        details: false,
        keeps_pages: true,
    };
    let progress = Progress::new(ui, writes_to_terminal && waiting.watch);
    let mut survey = Survey::new(&queries, aim, progress);
    let mut viewer = Viewer::new(waiting, settings, out, ui, clock);
    let has_printed = viewer.prints();
    let ended = wait::until_ended(&client, &mut survey, waiting, settings, ui, &mut viewer).await?;
    drop(viewer);
    let tasks = survey.tasks();
    tasks.iter().for_each(|task| gate.note(task));
    let walks = Walks {
        failures: survey
            .failures()
            .filter(|(_, error)| error.kind != Kind::Partial)
            .collect(),
        walked: survey
            .answers()
            .filter_map(|(at, known)| Some((at, known.walked?)))
            .collect(),
    };
    if !has_printed {
        let mut rows = rows;
        if let Some(rows) = &mut rows {
            rows.fit(out.width());
        }
        let mut listing = Listing::new(entry, settings, rows, false, out);
        reprint(&survey, &mut listing).map_err(output)?;
        flush(listing.end(filters_here), out, ui)?;
    }
    let gave_up = ended != Ended::Done && survey.has_answered();
    let code = conclude(&queries, targets, settings, ui, tasks.len() as u64, walks);
    let code = if gave_up && code != 0 {
        Kind::Partial.exit_code()
    } else {
        code
    };
    wait::conclude(ended, code, &tasks, &gate, &follow, ui, env)
}

/// How the walks ended, each with the position of its query.
#[derive(Default)]
struct Walks {
    walked: Vec<(usize, Walked)>,
    failures: Vec<(usize, Error)>,
}

/// Prints pages as they arrive.
struct Streaming<'a, 'w> {
    queries: &'a [Query<'a>],
    listing: RefCell<Listing<'w>>,
    gate: RefCell<&'a mut Gate>,
    walks: RefCell<Walks>,
    progress: Progress<'a>,
}

impl Sink for Streaming<'_, '_> {
    fn batch(&self, index: usize, batch: &Batch<'_>) -> Result<(), Error> {
        self.progress
            .page(index, batch.page, self.queries[index].plan);
        let mut gate = self.gate.borrow_mut();
        if gate.is_set() {
            for item in &batch.items {
                gate.note(&self.queries[index].task(item, false));
            }
        }
        let mut listing = self.listing.borrow_mut();
        listing.page(index, batch).map_err(output)
    }

    fn done(&self, index: usize, outcome: Result<Walked, Error>) {
        self.progress.query_done();
        let mut walks = self.walks.borrow_mut();
        match outcome {
            Ok(walked) => walks.walked.push((index, walked)),
            Err(error) => walks.failures.push((index, error)),
        }
    }
}

/// How many items were printed, how the walks ended, and the columns that had no room.
type Streamed = (u64, Walks, io::Result<Vec<String>>);

/// Prints everything as it arrives, in the server's order.
async fn stream(
    client: &Client<'_>,
    queries: &[Query<'_>],
    plan: Plan,
    listing: Listing<'_>,
    gate: &mut Gate,
    progress: Progress<'_>,
) -> Result<Streamed, Error> {
    let sink = Streaming {
        queries,
        listing: RefCell::new(listing),
        gate: RefCell::new(gate),
        walks: RefCell::default(),
        progress,
    };
    sink.progress.begin(queries.len());
    let stopped = tokio::select! {
        biased;
        error = interrupted() => Some(error),
        () = ask(client, queries, &|_| false, Order::InTurn(plan.limit), &sink) => None,
    };
    sink.progress.clear();
    let Streaming { listing, walks, .. } = sink;
    let (listing, mut walks) = (listing.into_inner(), walks.into_inner());
    let is_output = |(_, error): &(usize, Error)| error.kind.ends_output();
    if let Some(at) = walks.failures.iter().position(is_output) {
        return Err(walks.failures.swap_remove(at).1);
    }
    walks.failures.extend(stopped.map(|error| (0, error)));
    let printed = listing.printed;
    let listed = listing.end(false);
    Ok((printed, walks, listed))
}

fn flush(listed: io::Result<Vec<String>>, out: &mut Stream, ui: &Ui) -> Result<(), Error> {
    let dropped = listed.map_err(output)?;
    out.flush().map_err(output)?;
    report_dropped(ui, &dropped);
    Ok(())
}

/// Prints the matching items of the last poll.
fn reprint(survey: &Survey<'_>, listing: &mut Listing<'_>) -> io::Result<()> {
    let mut left = survey.limit();
    for (query, known) in survey.answers() {
        let mut tasks = known.tasks.iter();
        for (page, new) in &known.pages {
            let items: Vec<_> = page.items().collect();
            let matching = |(_, task): &(&usize, &Task)| survey.aim.selection.admits(task);
            let items: Vec<_> = new
                .iter()
                .zip(&mut tasks)
                .filter(matching)
                .map(|(at, _)| items[*at])
                .take(left)
                .collect();
            left -= items.len();
            listing.page(query, &Batch { page, items })?;
        }
    }
    Ok(())
}

/// Takes the status out of the queries: a task that is waited for must not leave the listing when it ends.
fn statuses_to_follow(entry: &Entry, queries: &mut [Params]) -> Vec<String> {
    let Some(status) = &entry.meta.narrow.status else {
        return Vec::new();
    };
    let mut natives = Vec::new();
    for params in queries {
        match params.shift_remove(status.param) {
            Some(Value::Array(values)) => {
                natives.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            Some(Value::String(value)) => natives.push(value),
            _ => {}
        }
    }
    natives
}

/// Says what went wrong, and decides the exit code.
fn conclude(
    queries: &[Query<'_>],
    targets: &[Target],
    settings: &Settings,
    ui: &Ui,
    printed: u64,
    walks: Walks,
) -> u8 {
    let mut is_short = false;
    for error in walks
        .walked
        .iter()
        .filter_map(|(at, walked)| shortfall(&queries[*at], *walked))
    {
        ui.warn_or_fail(&error);
        is_short = true;
    }
    let mut failures = walks.failures;
    if let Some((last_at, last)) = failures.pop() {
        let named = |at: usize, error: Error| match targets.len() {
            1 => error,
            _ if error.kind == Kind::Interrupted => error,
            _ => error.target(queries[at].target.name()),
        };
        let failed = |at: usize| at == last_at || failures.iter().any(|(failed, _)| *failed == at);
        let some_answered = walks.walked.iter().any(|(at, _)| !failed(*at));
        let is_partial = some_answered && last.kind != Kind::Interrupted;
        let code = if is_partial { Kind::Partial } else { last.kind }.exit_code();
        failures.push((last_at, last));
        let failures: Vec<_> = failures
            .into_iter()
            .map(|(at, error)| named(at, error))
            .collect();
        if printed > 0 {
            ui.warn(format!(
                "{printed} tasks arrived before this and are printed"
            ));
        }
        failures::say(&failures, ui);
        return code;
    }
    if is_short {
        return Kind::Partial.exit_code();
    }
    let is_full = |query: &Query| query.plan.limit.is_some_and(|limit| printed >= limit);
    let was_asked = |(_, walked): &&(usize, Walked)| *walked != Walked::default();
    let (asked, all) = (walks.walked.iter().filter(was_asked).count(), queries.len());
    let counts = matches!(settings.format, Format::Json | Format::Yaml);
    if counts && asked < all && queries.iter().any(is_full) {
        ui.note(format!(
            "the total is that of {asked} of {all} listings: --limit was reached before the others were asked"
        ));
    }
    if printed == 0
        && !settings.sandbox
        && settings.regions.is_empty()
        && queries.iter().all(|query| !query.plan.single)
        && let [asked] = targets
    {
        hint_at_the_other_centre(asked, ui);
    }
    0
}

fn hint_at_the_other_centre(asked: &Target, ui: &Ui) {
    let mut regions = asked.provider.default_regions.iter();
    if let Some(other) = regions.find(|region| **region != asked.region) {
        ui.hint(format!(
            "no matching tasks in {}. {} keeps its data in two centres; the other one is asked with --region {other}",
            asked.region, asked.provider.name
        ));
    }
}

pub(super) fn report_dropped(ui: &Ui, columns: &[String]) {
    if !columns.is_empty() {
        ui.note(format!(
            "no room for the columns {}: widen the terminal, name --columns, or use -o wide",
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
            if let Some(near) = choice.near {
                ui.hint(format!("did you mean {near}?"));
            }
        }
    }
}
