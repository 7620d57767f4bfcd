//! The flags that every listing has: the time of the tasks, and which part of the listing.

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::time::{FORMS, Moment};
use crate::client::pages::Plan;
use crate::error::Error;
use crate::operation::{Cursor, Meta, Paging, Params};
use chrono::{DateTime, Utc};

/// Flags of listings.
#[derive(Args)]
pub struct ListArgs {
    /// Only tasks from this time on
    #[arg(long, help = format!("Only tasks from this time on: {FORMS}"), value_name = "TIME", value_parser = Moment::parse)]
    since: Option<Moment>,
    /// Only tasks up to this time
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    until: Option<Moment>,
    /// At most this many tasks; no page is fetched that is not needed [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Exactly this page, counted from 1
    #[arg(long, visible_alias = "current-page", value_name = "N", conflicts_with = "limit", value_parser = clap::value_parser!(u64).range(1..))]
    page: Option<u64>,
    /// Tasks a page [default: the largest safe size]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page_size: Option<u32>,
}

/// The position of the first task, where the API counts tasks and not pages.
#[derive(Args)]
struct OffsetArg {
    /// Leave out this many tasks at the start
    #[arg(long, value_name = "N", conflicts_with = "page")]
    offset: Option<u64>,
}

/// Adds the flags, with the API's own names of the period as aliases.
pub fn augment(command: Command, paging: &Paging) -> Command {
    let command = ListArgs::augment_args(command)
        .mut_arg("since", |arg| {
            arg.visible_aliases(["start-time"])
                .alias("start-create-time")
        })
        .mut_arg("until", |arg| {
            arg.visible_aliases(["end-time"]).alias("end-create-time")
        });
    match paging.cursor {
        Cursor::Offset { .. } => OffsetArg::augment_args(command),
        Cursor::Number { .. } => command,
    }
}

/// What the flags ask for: the period goes into the parameters, the rest is the plan.
///
/// # Errors
/// A usage error, if the service would refuse it.
pub fn plan(
    matches: &ArgMatches,
    meta: &Meta,
    queries: &mut [Params],
    now: DateTime<Utc>,
) -> Result<Plan, Error> {
    let Some(paging) = &meta.paging else {
        return Ok(Plan {
            size: 1,
            offset: 0,
            limit: None,
            single: false,
        });
    };
    let args = ListArgs::from_arg_matches(matches)?;
    let (since, until) = (
        args.since.map(|t| t.resolve(now)),
        args.until.map(|t| t.resolve(now)),
    );
    check_period(since, until)?;
    for query in queries.iter_mut() {
        meta.ask_period(since, until, query);
    }
    if let Some(size) = args.page_size {
        paging.check_size(size)?;
    }
    let offset = match paging.cursor {
        Cursor::Offset { .. } => OffsetArg::from_arg_matches(matches)?.offset,
        Cursor::Number { .. } => None,
    };
    if queries.len() > 1 {
        for (flag, is_given) in [
            ("--page", args.page.is_some()),
            ("--offset", offset.is_some()),
        ] {
            if is_given {
                return Err(
                    Error::usage(flag, "counts within one listing, and there are two")
                        .hint("name one with --task-type"),
                );
            }
        }
    }
    let size = args.page_size.unwrap_or_else(|| {
        let wanted = args.limit.map_or(paging.default_size, |limit| {
            u32::try_from(limit).unwrap_or(u32::MAX)
        });
        wanted.clamp(paging.min_size, paging.default_size)
    });
    let plan = match args.page {
        // With a page but no size, the size is the one that the API's pages count by.
        Some(page) => {
            let size = args.page_size.unwrap_or(paging.default_size);
            Plan {
                size,
                offset: (page - 1).saturating_mul(size.into()),
                limit: None,
                single: true,
            }
        }
        None => Plan {
            size,
            offset: offset.unwrap_or(0),
            limit: args.limit,
            single: false,
        },
    };
    paging.check_offset(plan.offset)?;
    Ok(plan)
}

/// # Errors
/// A usage error, if the period ends before it begins.
pub fn check_period(
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    match (since, until) {
        (Some(since), Some(until)) if until < since => Err(Error::usage(
            "--until",
            format!(
                "{} is before --since {}",
                until.to_rfc3339(),
                since.to_rfc3339()
            ),
        )),
        _ => Ok(()),
    }
}
