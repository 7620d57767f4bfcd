//! `scanq` asks Alibaba Cloud and Huawei Cloud one question: what became of my security scans?
//!
//! An operation is a value: its fields are the flags, its serde form is the request, its associated types are the
//! answer. Everything else reads one static list of operations.
//!
//! ```text
//! argv ─► cli ─► Operation value ─► targets (profile × centre, credentials resolved)
//!                                      │  per page: build ─► sign ─► send ─► judge/back off ─► decode
//!                                      ▼
//!                                  items (raw JSON slice + typed view) ─► Task (unified) ─► render ─► stdout
//! ```
//!
//! Data flows one way:
//!
//! - [`cli`] parses, `commands` decide;
//! - [`provider`] holds what is known of each cloud, as plain data and functions; [`operation`] what an operation
//!   is, and how its pages and values are read;
//! - [`client`] sends one call or every page of a listing, and is the only user of the HTTP crate;
//! - [`task`] is the unified task, [`render`] every output format;
//! - [`sandbox`] plays both clouds. It reads the wire facts of [`provider`], never the other way round;
//! - [`config`] are the profiles, [`signin`] how one signs in, [`credential`] what it gets and where that is kept;
//! - [`trace`] is what may be seen of a request: it masks secrets;
//! - `backoff` is the pause before another try, of a call or a sign-in;
//! - [`span`] reads spans of time, wherever they are written;
//! - [`nearest`] is the known name that someone may have meant;
//! - [`transport`] is what the network, the sandbox and a test's double have in common;
//! - [`context`] is all that comes from outside: environment, clock, stdout and stderr.

mod backoff;
pub mod cli;
pub mod client;
mod commands;
pub mod config;
pub mod context;
pub mod credential;
pub mod encoding;
pub mod error;
mod interruption;
mod moment;
pub mod nearest;
pub mod operation;
pub mod provider;
pub mod render;
pub mod sandbox;
pub mod signin;
pub mod span;
pub mod task;
pub mod trace;
pub mod transport;

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;
use context::{Context, Level};
use error::{Error, Kind};

/// Runs a command line, the program's name first, and gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>, context: &mut Context) -> u8 {
    let args: Vec<_> = args.into_iter().collect();
    let matches = match cli::parser().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => return usage(error, &args, context),
    };
    match commands::run(&matches, context) {
        Ok(code) => code,
        // `| head` has read enough, and nothing else was asked for.
        Err(error) if error.kind == Kind::NotRead => 0,
        Err(error) => {
            context.ui.error(&error);
            error.kind.exit_code()
        }
    }
}

/// Help and version go to stdout, mistakes to stderr; in colour where that is wanted.
fn usage(mut error: clap::Error, args: &[OsString], context: &mut Context) -> u8 {
    if error.kind() == ErrorKind::DisplayHelp
        && let Err(whole) = cli::command().try_get_matches_from(args)
    {
        error = whole;
    }
    cli::suggest::operation(&mut error);
    let wishes = cli::wishes::read(args, &context.env);
    let colored = |is_terminal| cli::output::colored(&wishes.color, &context.env, is_terminal);
    let rendered = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            cli::help::brief(cli::command(), args)
        }
        _ => error.render(),
    };
    let text = |is_colored| match is_colored {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    if error.use_stderr() {
        context.ui.configure(Level::Normal, wishes.is_json, false);
        if wishes.is_json {
            let text = text(false);
            let why = match error.kind() {
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing",
                _ => text.lines().next().unwrap_or_default(),
            };
            let why = why.strip_prefix("error: ").unwrap_or(why);
            // clap indents what it advises.
            let advice = text
                .lines()
                .skip(1)
                .filter_map(|line| line.strip_prefix("  "));
            let error = advice.fold(Error::usage("arguments", why), |error, line| {
                error.hint(line.trim_start_matches("tip: "))
            });
            context.ui.error(&error);
        } else {
            context.ui.raw(&text(colored(context.ui.is_terminal())));
        }
        return Kind::Usage.exit_code();
    }
    let text = text(colored(context.out.terminal.is_some()));
    let written = context
        .out
        .write_all(text.as_bytes())
        .and_then(|()| context.out.flush());
    match written {
        Ok(()) => 0,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(_) => Kind::Output.exit_code(),
    }
}
