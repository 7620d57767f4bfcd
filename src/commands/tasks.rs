//! `scanq tasks`: every listing operation of every cloud and centre at once, in one shape.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::io::Write;

use clap::{ArgMatches, FromArgMatches};
use futures_util::future::join_all;

use super::listing::view;
use super::targets::{self, Targets};
use super::{Means, interrupted, operation::report_dropped, output};
use crate::cli::TasksArgs;
use crate::cli::global::Settings;
use crate::cli::list::check_period;
use crate::client::pages::{Batch, Plan, walk};
use crate::client::{Client, Target};
use crate::config::Profile;
use crate::context::Context;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::operation::column::{Cell, duration, progress};
use crate::operation::{Entry, Params};
use crate::render::Format;
use crate::render::document::{Document, Style};
use crate::render::rows::Rows;
use crate::task::Task;

/// A column of the unified table: its name, whether only wide tables show it, its value.
type Column = (&'static str, bool, fn(&Task) -> Cell);

const COLUMNS: &[Column] = &[
    ("cloud", false, |task| task.cloud.into()),
    ("kind", false, |task| task.facts.kind.as_str().into()),
    ("status", false, |task| Cell::Status(task.facts.status)),
    ("target", false, |task| task.facts.target.clone().into()),
    ("progress", false, |task| progress(&task.facts)),
    ("started", false, |task| task.facts.started_at.into()),
    ("duration", false, |task| duration(&task.facts)),
    ("profile", false, |task| task.profile.as_str().into()),
    ("region", true, |task| task.region.as_str().into()),
    ("id", true, |task| task.facts.id.clone().into()),
    ("name", true, |task| task.facts.name.clone().into()),
    ("native-status", true, |task| {
        task.facts.native_status.as_str().into()
    }),
    ("ended", true, |task| task.facts.ended_at.into()),
    ("message", true, |task| task.facts.message.clone().into()),
    ("operation", true, |task| task.operation.into()),
];

/// One listing of one target.
struct Query<'t> {
    target: &'t Target,
    entry: &'static Entry,
    params: Params,
}

/// What the queries bring in, side by side.
struct Gathering<'a> {
    client: Client<'a>,
    tasks: RefCell<Vec<Task>>,
    failures: RefCell<Vec<Error>>,
    /// Where tasks go as they arrive; none: they are kept, to be sorted.
    stream: RefCell<Option<&'a mut dyn Write>>,
}

impl Gathering<'_> {
    async fn ask(&self, query: &Query<'_>) {
        let Query {
            target,
            entry,
            params,
        } = query;
        let size = entry
            .meta
            .paging
            .as_ref()
            .map_or(1, |paging| paging.default_size);
        let plan = Plan {
            size,
            offset: 0,
            limit: None,
            single: false,
        };
        let mut deliver = |batch: Batch<'_>| {
            batch
                .items
                .iter()
                .try_for_each(|item| self.take(query, item))
        };
        let name = format!("{} {}", target.name(), entry.meta.api);
        match walk(&self.client, target, entry, params, plan, &mut deliver).await {
            Ok(walked) if walked.missing > 0 => {
                let total = walked.total.unwrap_or_default();
                let why = format!(
                    "the server counts {total} tasks, but {} of them did not come",
                    walked.missing
                );
                self.failures
                    .borrow_mut()
                    .push(Error::new(Kind::Partial, entry.meta.api, why).target(name));
            }
            Ok(_) => {}
            Err(error) => self.failures.borrow_mut().push(error.target(name)),
        }
    }

    fn take(&self, query: &Query<'_>, item: &str) -> Result<(), Error> {
        let task = Task {
            cloud: query.target.provider.id,
            profile: query.target.profile.clone(),
            region: query.target.region.clone(),
            operation: query.entry.meta.api,
            facts: view(query.entry, item).facts().clone(),
        };
        match &mut *self.stream.borrow_mut() {
            Some(out) => writeln!(out, "{}", line(&task)).map_err(output),
            None => {
                self.tasks.borrow_mut().push(task);
                Ok(())
            }
        }
    }
}

pub(super) async fn run(
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    let args = TasksArgs::from_arg_matches(matches)
        .map_err(|e| Error::new(Kind::Usage, "arguments", e))?;
    let now = (context.clock)();
    let (since, until) = (
        args.since.map(|t| t.resolve(now)),
        args.until.map(|t| t.resolve(now)),
    );
    check_period(since, until)?;
    let profiles = profiles(&args, settings)?;
    let mut clouds: Vec<_> = profiles.iter().map(|profile| profile.provider).collect();
    clouds.dedup_by_key(|provider| provider.id);
    targets::check_regions(&clouds, settings)?;
    let columns: Vec<_> = COLUMNS
        .iter()
        .map(|(name, wide, _)| (*name, *wide))
        .collect();
    let mut rows = Rows::new(settings.format, &columns, &settings.shape)?;
    let means = Means::new(settings, context);
    let Context { out, ui, .. } = context;
    let seek = means.seek(ui);
    let (targets, mut broken) = sign_in(&profiles, settings, &seek).await?;
    let period = |entry: &Entry, params: &mut Params| {
        if let Some((from, to)) = entry.meta.period {
            for (name, time) in [(from, since), (to, until)] {
                params.extend(time.map(|time| (name.to_owned(), time.timestamp_millis().into())));
            }
        }
    };
    let mut queries = Vec::new();
    for target in &targets {
        for entry in target
            .provider
            .operations
            .iter()
            .filter(|entry| entry.meta.paging.is_some())
        {
            for mut params in defaults(entry)? {
                period(entry, &mut params);
                queries.push(Query {
                    target,
                    entry,
                    params,
                });
            }
        }
    }

    let client = Client::new(&seek, settings.tries, settings.concurrency);
    let streams = settings.format == Format::Jsonl && args.limit.is_none();
    let gathering = Gathering {
        client,
        tasks: RefCell::default(),
        failures: RefCell::default(),
        stream: RefCell::new(streams.then_some(&mut *out as &mut dyn Write)),
    };
    let mut stopped = None;
    tokio::select! {
        biased;
        error = interrupted() => stopped = Some(error),
        _ = join_all(queries.iter().map(|query| gathering.ask(query))) => {}
    }
    let (mut tasks, mut failures) = (
        gathering.tasks.into_inner(),
        gathering.failures.into_inner(),
    );
    let asked = queries.len() + broken.len();
    failures.append(&mut broken);
    if let Some(at) = failures.iter().position(|error| error.kind == Kind::Output) {
        return Err(failures.swap_remove(at));
    }
    tasks.sort_by_key(|task| Reverse(task.facts.started_at));
    if let Some(limit) = args.limit {
        tasks.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let dropped = write(&tasks, &failures, settings, &mut rows, out).and_then(|dropped| {
        out.flush()?;
        Ok(dropped)
    });
    report_dropped(ui, &dropped.map_err(output)?);
    failures.iter().for_each(|error| ui.error(error));
    match stopped {
        Some(error) => Err(error),
        None => Ok(exit_code(&failures, asked)),
    }
}

fn line(task: &Task) -> String {
    serde_json::to_string(task).expect("tasks serialise to JSON")
}

fn write(
    tasks: &[Task],
    failures: &[Error],
    settings: &Settings,
    rows: &mut Rows,
    out: &mut dyn Write,
) -> std::io::Result<Vec<String>> {
    match settings.format {
        Format::Jsonl => tasks
            .iter()
            .try_for_each(|task| writeln!(out, "{}", line(task)))?,
        Format::Json | Format::Yaml => {
            let style = match settings.format {
                Format::Yaml => Style::Yaml,
                _ if settings.shape.width.is_some() => Style::JsonForTerminal,
                _ => Style::Json,
            };
            let mut document = Document::new(out, style);
            document.list("tasks")?;
            tasks
                .iter()
                .try_for_each(|task| document.element(&line(task)))?;
            document.list("errors")?;
            failures
                .iter()
                .try_for_each(|error| document.element(&error.json().to_string()))?;
            document.end()?;
        }
        // Nobody answered: not even a header.
        _ if tasks.is_empty() && !failures.is_empty() => {}
        _ => {
            for task in tasks {
                rows.row(out, |column| (COLUMNS[column].2)(task))?;
            }
            return rows.end(out);
        }
    }
    Ok(Vec::new())
}

/// Every query of an operation without any flag.
fn defaults(entry: &'static Entry) -> Result<Vec<Params>, Error> {
    let command = (entry.augment)(clap::Command::new(entry.meta.command).no_binary_name(true));
    let none: [&str; 0] = [];
    let matches = command
        .try_get_matches_from(none)
        .expect("listings have no required flags: a test of the whole list holds this");
    (entry.queries)(&matches)
}

/// The profiles that are asked: the named ones, else all.
fn profiles(args: &TasksArgs, settings: &Settings) -> Result<Vec<Profile>, Error> {
    let named = settings
        .profiles
        .iter()
        .map(|name| settings.config.profile(name));
    let mut profiles: Vec<_> = named.collect::<Result<_, _>>()?;
    if profiles.is_empty() {
        profiles = settings.config.profiles();
    }
    profiles.retain(|profile| {
        args.cloud.is_empty() || args.cloud.iter().any(|id| id == profile.provider.id)
    });
    if !settings.regions.is_empty() && settings.endpoint.is_none() {
        // With several clouds each takes the regions it knows; one that knows none is not asked.
        let knows = |profile: &Profile| {
            settings
                .regions
                .iter()
                .any(|region| (profile.provider.site)(region).is_some())
        };
        let (known, others): (Vec<_>, Vec<_>) = profiles.into_iter().partition(knows);
        profiles = if known.is_empty() { others } else { known };
    }
    if profiles.is_empty() {
        return Err(Error::usage(
            "--cloud",
            format!("no profile is of {}", args.cloud.join(" or ")),
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
            Ok(Targets::NotSignedIn(reasons)) => {
                failures.push(targets::not_signed_in(profile, &reasons).target(&*profile.name))
            }
            Err(error) => failures.push(error.target(&*profile.name)),
        }
    }
    if targets.is_empty() {
        // Nobody is left to be asked: the last failure is the command's own.
        if let Some(last) = failures.pop() {
            failures.iter().for_each(|error| seek.ui.error(error));
            return Err(last);
        }
        let error = Error::new(Kind::Credential, "tasks", "no cloud is signed in");
        let error = absent.iter().fold(error, |error, (profile, reasons)| {
            reasons.iter().fold(error, |error, reason| {
                error.hint(format!("{}: looked at {reason}", profile.name))
            })
        });
        return Err(error.hint("to see what this command does without an account, add --sandbox"));
    }
    for (profile, _) in absent {
        seek.ui.note(format!(
            "{} is passed over: it is not signed in",
            profile.provider.name
        ));
    }
    Ok((targets, failures))
}

/// 3 if some answered and some did not; the failures' own code if nobody answered.
fn exit_code(failures: &[Error], asked: usize) -> u8 {
    let is_denied = |error: &Error| matches!(error.kind, Kind::Credential | Kind::Permission);
    let broken = failures
        .iter()
        .filter(|error| error.kind != Kind::Partial)
        .count();
    match failures {
        [] => 0,
        _ if broken < asked => Kind::Partial.exit_code(),
        all if all.iter().all(is_denied) => Kind::Permission.exit_code(),
        _ => Kind::Server.exit_code(),
    }
}
