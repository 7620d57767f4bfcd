//! The flags of every command that prints tasks: waiting for them, watching them, and judging them.

use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::closed::named;
use crate::error::Error;
use crate::span::{positive_span, span};
use crate::task::Status;

const FOLLOW: &str = "Waiting";

/// The flags.
#[derive(Args)]
pub struct FollowArgs {
    /// Poll until every matching task has ended, then print
    #[arg(long, help_heading = FOLLOW)]
    wait: bool,
    /// Redraw a live table until every matching task has ended; in a pipe or with -o jsonl, one line for each change of a task
    #[arg(long, help_heading = FOLLOW)]
    watch: bool,
    /// Time between polls; it grows up to six times while nothing changes [default: 10s]
    #[arg(long, value_name = "D", value_parser = positive_span, help_heading = FOLLOW)]
    interval: Option<Duration>,
    /// When to give up [default: 1h]
    #[arg(long, value_name = "D", value_parser = span, help_heading = FOLLOW)]
    wait_timeout: Option<Duration>,
    /// End at the first task with a --fail-on status
    #[arg(long, help_heading = FOLLOW)]
    fail_fast: bool,
    /// Wait so long for a first matching task, instead of answering that there is none
    #[arg(long, value_name = "D", value_parser = span, help_heading = FOLLOW)]
    wait_for_appear: Option<Duration>,
    /// Exit with 5 if a printed task has one of these statuses (can be repeated) [default: with --wait failed,timed-out,partial, else none]
    #[arg(long, value_name = "STATUS", value_delimiter = ',', ignore_case = true, value_parser = named::<Status>(Status::ALL.map(Status::name)), help_heading = FOLLOW)]
    fail_on: Vec<Status>,
}

/// What the flags come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// Whether and how tasks are waited for.
    pub waiting: Option<Waiting>,
    /// The statuses of the gate; empty: there is none.
    pub fail_on: Vec<Status>,
}

/// How tasks are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whether each change is shown.
    pub watch: bool,
    /// Time between polls, at first.
    pub interval: Duration,
    /// When to give up.
    pub timeout: Duration,
    /// End at the first task with one of these statuses.
    pub fail_fast: Option<Vec<Status>>,
    /// How long to wait for a first match.
    pub appear: Option<Duration>,
}

/// Adds the flags.
pub fn augment(command: Command) -> Command {
    let command = FollowArgs::augment_args(command);
    ["interval", "wait_timeout", "fail_fast", "wait_for_appear"]
        .into_iter()
        .fold(command, |command, flag| {
            command.mut_arg(flag, |arg| arg.requires("follow"))
        })
        .group(
            clap::ArgGroup::new("follow")
                .args(["wait", "watch"])
                .multiple(true),
        )
}

impl Follow {
    /// Reads the flags.
    ///
    /// # Errors
    /// A usage error, if they don't go together.
    pub fn read(matches: &ArgMatches) -> Result<Self, Error> {
        let args = FollowArgs::from_arg_matches(matches)?;
        let judges = args.wait || args.fail_fast;
        let fail_on = match args.fail_on.is_empty() {
            true if judges => Status::FAILURES.to_vec(),
            _ => args.fail_on,
        };
        let waiting = (args.wait || args.watch).then(|| Waiting {
            watch: args.watch,
            interval: args.interval.unwrap_or(Duration::from_secs(10)),
            timeout: args.wait_timeout.unwrap_or(Duration::from_secs(3600)),
            fail_fast: args.fail_fast.then(|| fail_on.clone()),
            appear: args.wait_for_appear,
        });
        Ok(Follow { waiting, fail_on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Follow, clap::Error> {
        let command = augment(Command::new("tasks").no_binary_name(true));
        let matches = command.try_get_matches_from(line.split_whitespace())?;
        Ok(Follow::read(&matches).unwrap())
    }

    #[test]
    fn waiting_judges_by_failures_unless_told_otherwise() {
        assert_eq!(read("--wait").unwrap().fail_on, Status::FAILURES);
        assert_eq!(read("").unwrap().fail_on, []);
        assert_eq!(read("--watch").unwrap().fail_on, []);
        assert_eq!(
            read("--watch --fail-fast").unwrap().fail_on,
            Status::FAILURES
        );
        let own = read("--wait --fail-on unknown,TIMED_OUT").unwrap().fail_on;
        assert_eq!(own, [Status::Unknown, Status::TimedOut]);
    }

    #[test]
    fn flags_of_waiting_need_it() {
        for line in [
            "--interval 5s",
            "--wait-timeout 1m",
            "--fail-fast",
            "--wait-for-appear 1m",
        ] {
            assert!(read(line).is_err(), "{line}");
            assert!(read(&format!("--watch {line}")).is_ok(), "{line}");
        }
        assert!(read("--wait --interval 0s").is_err());
        assert!(read("--wait --fail-on broken").is_err());
    }
}
