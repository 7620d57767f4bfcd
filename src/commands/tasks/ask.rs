//! What `scanq tasks` asks: the listings that can hold a matching task, narrowed on the server where that loses none.

use crate::client::Target;
use crate::client::pages::Plan;
use crate::commands::query::Query;
use crate::commands::selection::Selection;
use crate::error::Error;
use crate::operation::narrow::Narrowed;
use crate::operation::{Entry, Params};

/// The queries of a selection. Tasks that are `followed` change their status, so they are not asked for by it.
///
/// # Errors
/// A usage error, if an operation refuses its own defaults.
pub(super) fn queries<'t>(
    targets: &'t [Target],
    selection: &Selection,
    followed: bool,
) -> Result<Vec<Query<'t>>, Error> {
    let mut queries = Vec::new();
    for target in targets {
        for entry in target.provider.operations {
            let Some(paging) = &entry.meta.paging else {
                continue;
            };
            for mut params in of_kinds(entry, &selection.kinds)? {
                if narrow(entry, selection, followed, &mut params) == Narrowed::Never {
                    continue;
                }
                queries.push(Query {
                    target,
                    entry,
                    params,
                    plan: Plan {
                        size: paging.default_size,
                        offset: 0,
                        limit: None,
                        single: false,
                    },
                });
            }
        }
    }
    Ok(queries)
}

/// The queries of an operation that can give tasks of these kinds: those that it sends by itself, if none is named.
fn of_kinds(entry: &'static Entry, kinds: &[String]) -> Result<Vec<Params>, Error> {
    let by_default = defaults(entry)?;
    if kinds.is_empty() {
        return Ok(by_default);
    }
    let first = by_default.first().cloned().unwrap_or_default();
    let wanted = entry.meta.narrow.kinds.iter();
    let of_kind = wanted
        .filter(|kind| kinds.iter().any(|name| name == kind.name))
        .map(|kind| {
            let mut params = first.clone();
            params.extend(
                kind.ask
                    .map(|(param, value)| (param.to_owned(), value.into())),
            );
            params
        });
    Ok(of_kind.collect())
}

fn narrow(entry: &Entry, selection: &Selection, followed: bool, params: &mut Params) -> Narrowed {
    let meta = entry.meta;
    meta.ask_period(selection.since, selection.until, params);
    match &meta.narrow.status {
        Some(status) if !followed && !selection.statuses.is_empty() => {
            status.ask(&selection.statuses, params)
        }
        _ => Narrowed::NotAsked,
    }
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
