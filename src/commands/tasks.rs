//! `scanq tasks`: every listing operation of every cloud and centre at once, in one shape.

mod ask;
pub(super) mod print;

use std::cell::RefCell;

use clap::{ArgMatches, FromArgMatches};
use futures_util::future::join_all;

use super::gate::Gate;
use super::progress::Progress;
use super::query::{Order, Query};
use super::regions;
use super::selection::Selection;
use super::survey::{Aim, Survey};
use super::targets::{self, Targets};
use super::wait::{self, Ended};
use super::watch::Viewer;
use super::{Means, dry_run, failures, finish, output, unless_interrupted};
use crate::cli::TasksArgs;
use crate::cli::follow::Follow;
use crate::cli::global::Settings;
use crate::cli::list::check_period;
use crate::client::{Client, Target};
use crate::config::Profile;
use crate::context::{Clock, Context, Env, Stream, Ui};
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::render::Format;
use crate::task::Task;
use print::Printer;

pub(super) async fn run(
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    let args = TasksArgs::from_arg_matches(matches)?;
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
    let profiles = profiles(&args.cloud, settings)?;
    let clouds = targets::clouds(&profiles);
    regions::check(&clouds, settings)?;
    targets::check_endpoint(&clouds, settings)?;
    let printer = Printer::new(settings, args.summary, args.details)?;
    let means = Means::new(settings, context);
    let Context {
        clock,
        out,
        ui,
        env,
        ..
    } = &mut *context;
    let seek = means.seek(ui);
    let (targets, broken) = unless_interrupted(sign_in(&profiles, settings, &seek)).await?;
    let queries = ask::queries(&targets, &selection, follow.waiting.is_some())?;
    let aim = Aim {
        selection,
        order: Order::Together,
        limit: args.limit,
        newest_first: true,
        details: args.details || settings.format.has_columns(),
        keeps_pages: false,
    };

    let client = Client::new(&seek, settings.tries, settings.concurrency);
    if let Some(printed) = dry_run::print(&queries, settings, &client, out, ui)? {
        failures::say(&broken, ui);
        return Ok(match broken[..] {
            [] => printed,
            _ => Kind::Partial.exit_code(),
        });
    }
    let streams = settings.format == Format::Jsonl
        && args.limit.is_none()
        && !args.summary
        && follow.waiting.is_none();
    let asking = Asking {
        settings,
        follow: &follow,
        queries: &queries,
        client: &client,
        ui,
        env,
    };
    match streams {
        true => asking.stream(aim, broken, out).await,
        false => asking.gather(aim, broken, printer, out, clock).await,
    }
}

/// Everything that is needed to ask.
struct Asking<'a> {
    settings: &'a Settings,
    follow: &'a Follow,
    queries: &'a [Query<'a>],
    client: &'a Client<'a>,
    ui: &'a Ui,
    env: &'a Env,
}

impl Asking<'_> {
    /// Prints tasks as they arrive, a line each.
    async fn stream(&self, aim: Aim, broken: Vec<Error>, out: &mut Stream) -> Result<u8, Error> {
        let (ui, follow) = (self.ui, self.follow);
        let mut gate = Gate::new(&follow.fail_on);
        let progress = Progress::new(ui, out.terminal.is_some());
        let sink = RefCell::new((&mut *out, &mut gate));
        let stream = |tasks: &[Task]| {
            let (out, gate) = &mut *sink.borrow_mut();
            tasks.iter().for_each(|task| gate.note(task));
            let lines = tasks.iter().map(Task::json);
            gate.unless_judged(self.settings.style.lines(*out, lines).map_err(output))
        };
        let mut survey = Survey::new(self.queries, aim, progress).streaming(&stream);
        let ended = wait::once(self.client, &mut survey).await?;
        let (failures, code) = unanswered(&survey, broken);
        drop(survey);
        finish(Ok(Vec::new()), out, ui)?;
        failures::say(&failures, ui);
        wait::conclude(ended, code, &[], &gate, follow, ui, self.env)
    }

    /// Prints tasks when all of them are known: once, or when they have ended.
    async fn gather(
        &self,
        aim: Aim,
        broken: Vec<Error>,
        mut printer: Printer,
        out: &mut Stream,
        clock: &Clock,
    ) -> Result<u8, Error> {
        let (ui, follow, settings) = (self.ui, self.follow, self.settings);
        let is_watched = follow.waiting.as_ref().is_some_and(|waiting| waiting.watch);
        let progress = Progress::new(ui, out.terminal.is_some() && is_watched);
        let mut survey = Survey::new(self.queries, aim, progress);
        let (ended, has_printed) = match &follow.waiting {
            None => (wait::once(self.client, &mut survey).await?, false),
            Some(waiting) => {
                let mut viewer = Viewer::new(waiting, settings, out, ui, clock);
                let prints = viewer.prints();
                let ended =
                    wait::until_ended(self.client, &mut survey, waiting, ui, &mut viewer).await?;
                (ended, prints)
            }
        };
        let (failures, code) = unanswered(&survey, broken);
        let tasks = survey.tasks();
        let mut gate = Gate::new(&follow.fail_on);
        tasks.iter().for_each(|task| gate.note(task));
        if !has_printed {
            printer.fit(out.width());
            // A document says itself that it is not whole.
            let cut = (ended == Ended::Interrupted).then(Error::interrupted);
            let failures: Vec<_> = failures.iter().cloned().chain(cut).collect();
            let listed = printer.print(&tasks, &failures, settings, out);
            finish(listed, out, ui)?;
        }
        failures::say(&failures, ui);
        wait::conclude(ended, code, &tasks, &gate, follow, ui, self.env)
    }
}

/// What did not come, and the exit code that it means: 3 if anything came, else the failures' own.
fn unanswered(survey: &Survey<'_>, mut failures: Vec<Error>) -> (Vec<Error>, u8) {
    failures.extend(survey.failures().map(|(_, error)| error));
    let is_denied = |error: &Error| matches!(error.kind, Kind::Credential | Kind::Permission);
    let code = match &failures[..] {
        [] => 0,
        _ if survey.has_answered() => Kind::Partial.exit_code(),
        all if all.iter().all(is_denied) => Kind::Permission.exit_code(),
        all if all.iter().all(|error| error.kind == Kind::Config) => Kind::Config.exit_code(),
        _ => Kind::Server.exit_code(),
    };
    (failures, code)
}

/// The profiles that are asked: the named ones, else all.
fn profiles(clouds: &[String], settings: &Settings) -> Result<Vec<Profile>, Error> {
    let mut profiles = targets::chosen(&settings.profiles, settings.profiles_by, settings)?;
    profiles
        .retain(|profile| clouds.is_empty() || clouds.iter().any(|id| id == profile.provider.id));
    profiles = regions::takers(profiles, settings);
    if profiles.is_empty() {
        return Err(Error::usage(
            "--cloud",
            format!("no profile is of {}", clouds.join(" or ")),
        ));
    }
    Ok(profiles)
}

/// The targets of every profile, side by side. One that can't sign in does not hide the others: it is a failure, or, for
/// a built-in profile without any credentials, a note.
async fn sign_in(
    profiles: &[Profile],
    settings: &Settings,
    seek: &Seek<'_>,
) -> Result<(Vec<Target>, Vec<Error>), Error> {
    let signing = profiles
        .iter()
        .map(|profile| targets::of(profile, settings, seek, true));
    let (mut targets, mut failures, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    for (profile, result) in profiles.iter().zip(join_all(signing).await) {
        match result {
            Ok(Targets::Found(found)) => targets.extend(found),
            Ok(Targets::NotSignedIn(reasons))
                if profile.built_in && settings.profiles.is_empty() =>
            {
                absent.push((profile, reasons))
            }
            Ok(Targets::NotSignedIn(_)) if settings.dry_run.is_some() => {
                match targets::stand_ins(profile, settings, seek, true).await {
                    Ok(found) => targets.extend(found),
                    Err(error) => failures.push(error.target(&*profile.name)),
                }
            }
            Ok(Targets::NotSignedIn(reasons)) => {
                failures.push(targets::not_signed_in(profile, &reasons).target(&*profile.name))
            }
            Err(error) => failures.push(error.target(&*profile.name)),
        }
    }
    if targets.is_empty() && failures.is_empty() && settings.dry_run.is_some() {
        for (profile, _) in &absent {
            match targets::stand_ins(profile, settings, seek, true).await {
                Ok(found) => targets.extend(found),
                Err(error) => seek
                    .ui
                    .note(format!("{} is passed over: {error}", profile.name)),
            }
        }
        absent.clear();
    }
    if targets.is_empty() {
        // Nobody is left to be asked: the last failure is the command's own.
        if let Some(last) = failures.pop() {
            failures::say(&failures, seek.ui);
            return Err(last);
        }
        let error = Error::new(Kind::Credential, "tasks", "no cloud is signed in");
        let error = absent.iter().fold(error, |error, (profile, reasons)| {
            reasons.iter().fold(error, |error, reason| {
                error.hint(format!("{}: looked at {reason}", profile.name))
            })
        });
        return Err(error.hint(
            "set up one of these; to see what this command does without an account, add --sandbox",
        ));
    }
    for (profile, _) in absent {
        seek.ui.note(format!(
            "{} is passed over: it is not signed in",
            profile.provider.name
        ));
    }
    Ok((targets, failures))
}
