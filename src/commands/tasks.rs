//! `scanq tasks`: every listing operation of every cloud and centre at once, in one shape.

mod ask;
mod print;

use std::cell::RefCell;
use std::io::Write;

use clap::{ArgMatches, FromArgMatches};

use super::gate::Gate;
use super::progress::Progress;
use super::query::Order;
use super::selection::Selection;
use super::survey::{Aim, Survey};
use super::targets::{self, Targets};
use super::wait;
use super::watch::Viewer;
use super::{operation::report_dropped, output, transport};
use crate::cli::TasksArgs;
use crate::cli::follow::Follow;
use crate::cli::global::Settings;
use crate::cli::list::check_period;
use crate::client::{Client, Target};
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::provider::{PROVIDERS, Provider};
use crate::render::Format;
use crate::task::Task;
use print::Printer;

pub(super) async fn run(
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    let args = TasksArgs::from_arg_matches(matches)
        .map_err(|e| Error::new(Kind::Usage, "arguments", e))?;
    let follow = Follow::read(matches)?;
    let now = (context.clock)();
    let selection = Selection {
        since: args.since.map(|t| t.resolve(now)),
        until: args.until.map(|t| t.resolve(now)),
        statuses: args.status,
        kinds: args.kind,
        ids: args.id,
        name: args.name,
        target: args.target,
        ..Selection::default()
    };
    check_period(selection.since, selection.until)?;
    let clouds: Vec<_> = PROVIDERS
        .iter()
        .copied()
        .filter(|provider| args.cloud.is_empty() || args.cloud.iter().any(|id| id == provider.id))
        .collect();
    targets::check_regions(&clouds, settings)?;
    let printer = Printer::new(settings, args.summary, args.details)?;
    let targets = all_targets(&clouds, settings, context)?;
    let queries = ask::queries(&targets, &selection, follow.waiting.is_some())?;
    let aim = Aim {
        selection,
        order: Order::Together,
        limit: args.limit,
        newest_first: true,
        details: args.details || settings.format.has_columns(),
        keeps_pages: false,
    };

    let transport = transport(settings, context);
    let mut gate = Gate::new(&follow.fail_on);
    let streams = settings.format == Format::Jsonl
        && args.limit.is_none()
        && !args.summary
        && follow.waiting.is_none();
    let Context {
        clock,
        out,
        ui,
        env,
        ..
    } = &mut *context;
    let client = Client::new(&*transport, clock, ui, settings.tries, settings.concurrency);
    let is_watched = follow.waiting.as_ref().is_some_and(|waiting| waiting.watch);
    let progress = Progress::new(ui, out.terminal.is_some() && (streams || is_watched));
    let survey = Survey::new(&queries, aim, progress);
    if streams {
        let sink = RefCell::new((&mut *out, &mut gate));
        let stream = |task: &Task| {
            let (out, gate) = &mut *sink.borrow_mut();
            gate.note(task);
            writeln!(out, "{}", task.json()).map_err(output)
        };
        let mut survey = survey.streaming(&stream);
        let ended = wait::once(&client, &mut survey).await?;
        let (failures, code) = failures(&survey);
        drop(survey);
        out.flush().map_err(output)?;
        failures.iter().for_each(|error| ui.error(error));
        return wait::conclude(ended, code, &[], &gate, &follow, ui, env);
    }
    let mut survey = survey;
    let has_printed;
    let ended = match &follow.waiting {
        None => {
            has_printed = false;
            wait::once(&client, &mut survey).await?
        }
        Some(waiting) => {
            let mut viewer = Viewer::new(waiting, settings, out, ui, clock);
            has_printed = viewer.prints();
            wait::until_ended(&client, &mut survey, waiting, settings, ui, &mut viewer).await?
        }
    };
    let (failures, code) = failures(&survey);
    let tasks = survey.tasks();
    tasks.iter().for_each(|task| gate.note(task));
    if !has_printed {
        let dropped = printer
            .print(&tasks, &failures, settings, out)
            .and_then(|dropped| {
                out.flush()?;
                Ok(dropped)
            });
        report_dropped(ui, &dropped.map_err(output)?);
    }
    failures.iter().for_each(|error| ui.error(error));
    wait::conclude(ended, code, &tasks, &gate, &follow, ui, env)
}

/// What did not come, and the exit code that it means: 3 if anything came, else the failures' own.
fn failures(survey: &Survey<'_>) -> (Vec<Error>, u8) {
    let failures: Vec<_> = survey.failures().map(|(_, error)| error).collect();
    let is_denied = |error: &Error| matches!(error.kind, Kind::Credential | Kind::Permission);
    let code = match &failures[..] {
        [] => 0,
        _ if survey.has_answered() => Kind::Partial.exit_code(),
        all if all.iter().all(is_denied) => Kind::Permission.exit_code(),
        _ => Kind::Server.exit_code(),
    };
    (failures, code)
}

/// The targets of every cloud that is signed in.
fn all_targets(
    clouds: &[&'static Provider],
    settings: &Settings,
    context: &Context,
) -> Result<Vec<Target>, Error> {
    let mut targets = Vec::new();
    let mut absent = Vec::new();
    for provider in clouds {
        let known: Vec<_> = settings
            .regions
            .iter()
            .filter(|region| (provider.site)(region).is_some())
            .cloned()
            .collect();
        if !settings.regions.is_empty() && known.is_empty() && settings.endpoint.is_none() {
            continue;
        }
        let own = Settings {
            regions: known,
            ..settings.clone()
        };
        match targets::of(provider, &own, context, true)? {
            Targets::Found(found) => targets.extend(found),
            Targets::NotSignedIn(reasons) => absent.push((provider, reasons)),
        }
    }
    if targets.is_empty() {
        let error = Error::new(Kind::Credential, "tasks", "no cloud is signed in");
        let error = absent.iter().fold(error, |error, (provider, reasons)| {
            reasons.iter().fold(error, |error, reason| {
                error.hint(format!("{}: looked at {reason}", provider.id))
            })
        });
        return Err(error.hint("to see what this command does without an account, add --sandbox"));
    }
    for (provider, _) in absent {
        context.ui.note(format!(
            "{} is passed over: it is not signed in",
            provider.name
        ));
    }
    Ok(targets)
}
