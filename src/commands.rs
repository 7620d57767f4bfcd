//! What each command does, from parsed arguments to an exit code.

mod completions;
mod dry_run;
mod failures;
mod gate;
mod github;
mod listing;
mod manual;
mod operation;
mod operations;
mod profile;
mod progress;
mod query;
mod regions;
mod sandbox;
mod selection;
mod sheet;
mod survey;
mod targets;
mod tasks;
mod wait;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

use clap::ArgMatches;

use crate::cli::{self, Asked, global::Settings};
use crate::client::http::Http;
use crate::context::{Clock, Context, Env, Folder, Stream, Ui};
use crate::credential::cache::Cache;
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::interruption::interruption;
use crate::render::Format;
use crate::transport::Transport;

/// Runs what the arguments ask for, and gives the exit code.
///
/// # Errors
/// What is left to be said on stderr; its kind decides the exit code.
pub(crate) fn run(matches: &ArgMatches, context: &mut Context) -> Result<u8, Error> {
    let (asked, below) = cli::asked(matches);
    // What every new shell asks for must not break on a configuration that is being written.
    if let Asked::Completions(matches) = asked {
        return completions::run(matches, context);
    }
    let settings = Settings::read(below, &asked, context)?;
    if matches!(asked, Asked::Sandbox(_)) && below.get_flag("sandbox") {
        let why = "goes with the commands that ask a sandbox; this one is a sandbox";
        return Err(Error::usage("--sandbox", why).hint("leave the flag out"));
    }
    if settings.dry_run.is_some() && !asked.has_dry_run() {
        let why = "goes with the commands that ask for tasks, and with profile check";
        return Err(Error::usage("--dry-run", why));
    }
    if settings.format == Format::Junit && !matches!(asked, Asked::Tasks(_)) {
        let why = "junit is for the tasks command, whose tasks are test cases";
        return Err(
            Error::usage("--output", why).hint("scanq tasks --kind narrows it to one listing")
        );
    }
    if settings.style.program.is_some()
        && matches!(
            asked,
            Asked::Sandbox(_) | Asked::Completions(_) | Asked::Man(_) | Asked::Profile("logout", _)
        )
    {
        return Err(Error::usage("--jq, --query", "this command prints no JSON"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Output, "start", error))?;
    match asked {
        Asked::Tasks(matches) => runtime.block_on(tasks::run(matches, &settings, context)),
        Asked::Operation(provider, entry, matches) => {
            runtime.block_on(operation::run(provider, entry, matches, &settings, context))
        }
        Asked::Sandbox(matches) => runtime.block_on(sandbox::run(matches, context)),
        Asked::Profile(name, matches) => {
            runtime.block_on(profile::run(name, matches, &settings, context))
        }
        Asked::Completions(_) => unreachable!("answered before the configuration is read"),
        Asked::Man(matches) => manual::run(matches, context),
        Asked::Operations => operations::run(&settings, context),
    }
}

/// What a command needs to sign in and to ask, kept for as long as it runs.
struct Means {
    env: Env,
    clock: Clock,
    /// None in a dry run.
    transport: Option<Rc<dyn Transport>>,
    cache: Cache,
    machine: Option<String>,
}

impl Means {
    fn new(settings: &Settings, context: &Context) -> Self {
        let transport: Option<Rc<dyn Transport>> = match &context.transport {
            _ if settings.dry_run.is_some() => None,
            Some(transport) => Some(Rc::clone(transport)),
            None if settings.sandbox => Some(Rc::new(sandbox::in_process(&context.clock))),
            None => Some(Rc::new(Http::new(
                context.env.clone(),
                settings.connect_timeout,
            ))),
        };
        let cache = Cache::new(cache_folder(&context.env).filter(|_| settings.cache));
        Means {
            env: context.env.clone(),
            clock: Rc::clone(&context.clock),
            transport,
            cache: match settings.dry_run {
                Some(_) => cache.for_dry_run(),
                None => cache,
            },
            machine: context.machine.clone(),
        }
    }

    fn seek<'a>(&'a self, ui: &'a Ui) -> Seek<'a> {
        Seek {
            env: &self.env,
            clock: &self.clock,
            transport: self.transport.as_deref(),
            ui,
            cache: &self.cache,
            machine: self.machine.as_deref(),
        }
    }
}

/// Where sign-ins are kept between runs.
fn cache_folder(env: &Env) -> Option<PathBuf> {
    Some(env.folder(Folder::Cache)?.join("sign-ins"))
}

/// A result that can't be written.
fn output(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Error::new(Kind::NotRead, "stdout was closed", "");
    }
    // A program over the results says itself why it failed.
    error
        .downcast::<Error>()
        .unwrap_or_else(|error| Error::new(Kind::Output, "write results", error))
}

/// The end of the results: everything is written, and the columns are named for which the terminal had no room. A reader
/// who has left changes nothing any more: what is still to be said goes to stderr and into the exit code.
fn finish(listed: io::Result<Vec<String>>, out: &mut Stream, ui: &Ui) -> Result<(), Error> {
    let written = listed.and_then(|dropped| out.flush().map(|()| dropped));
    let dropped = match written.map_err(output) {
        Err(error) if error.kind == Kind::NotRead => return Ok(()),
        written => written?,
    };
    if !dropped.is_empty() {
        ui.note(format!(
            "no room for the columns {}: widen the terminal, name --columns, or use -o wide",
            dropped.join(", ")
        ));
    }
    Ok(())
}

/// What signing in comes to, unless the process is told to end before.
async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        biased;
        error = interrupted() => Err(error),
        done = work => done,
    }
}

/// Completes when the process is told to end.
async fn interrupted() -> Error {
    interruption().await;
    Error::interrupted()
}
