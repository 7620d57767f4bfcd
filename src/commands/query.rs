//! One round of questions: every listing of every target once. Printing at once, waiting and watching all ask in this
//! one way.

use std::cell::Cell;

use futures_util::future::join_all;

use super::listing::view;
use crate::client::pages::{Batch, Plan, Walked, first, walk};
use crate::client::{Client, Target};
use crate::error::{Error, Kind};
use crate::operation::{Entry, Params};
use crate::task::Task;

/// One listing of one target.
pub(super) struct Query<'t> {
    pub(super) target: &'t Target,
    pub(super) entry: &'static Entry,
    pub(super) params: Params,
    pub(super) plan: Plan,
}

impl Query<'_> {
    /// The parameters that it asks with first.
    pub(super) fn first(&self) -> Params {
        first(self.entry, &self.params, self.plan)
    }

    /// `profile/region Operation`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.target.name(), self.entry.meta.api)
    }

    /// What an item of its answer says of its task.
    pub(super) fn task(&self, item: &str, with_details: bool) -> Task {
        view(self.entry, item, |view| Task {
            cloud: self.target.provider.id,
            profile: self.target.profile.clone(),
            region: self.target.region.clone(),
            operation: self.entry.meta.api,
            facts: view.facts(),
            details: with_details.then(|| view.details()).flatten(),
        })
    }
}

/// What takes the answers. Queries are named by their position.
pub(super) trait Sink {
    /// Takes a page of a query.
    ///
    /// # Errors
    /// Ends the query.
    fn batch(&self, query: usize, batch: &Batch<'_>) -> Result<(), Error>;

    /// Takes note of how a query ended.
    fn done(&self, query: usize, outcome: Result<Walked, Error>);
}

/// In which order queries are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// All at once.
    Together,
    /// One after the other, with at most so many items in all. A target that fails is not asked its other queries.
    InTurn(Option<u64>),
}

/// Asks each query once, but for those that are over.
pub(super) async fn ask(
    client: &Client<'_>,
    queries: &[Query<'_>],
    is_over: &dyn Fn(usize) -> bool,
    order: Order,
    sink: &dyn Sink,
) {
    let left = (0..queries.len()).filter(|index| !is_over(*index));
    let Order::InTurn(mut limit) = order else {
        join_all(left.map(|index| one(client, queries, index, None, sink))).await;
        return;
    };
    let mut failed: Option<&Target> = None;
    for index in left {
        let target = queries[index].target;
        if limit == Some(0) {
            // It has nothing to add.
            sink.done(index, Ok(Walked::default()));
            continue;
        }
        if failed.is_some_and(|failed| std::ptr::eq(failed, target)) {
            continue;
        }
        let (items, went_well) = one(client, queries, index, limit, sink).await;
        limit = limit.map(|limit| limit.saturating_sub(items));
        failed = (!went_well).then_some(target);
    }
}

/// Asks one query. Gives how many items came, and whether all went well.
async fn one(
    client: &Client<'_>,
    queries: &[Query<'_>],
    index: usize,
    limit: Option<u64>,
    sink: &dyn Sink,
) -> (u64, bool) {
    let Query {
        target,
        entry,
        params,
        plan,
    } = &queries[index];
    let plan = Plan { limit, ..*plan };
    let items = Cell::new(0);
    let mut deliver = |batch: Batch<'_>| {
        items.set(items.get() + batch.items.len() as u64);
        sink.batch(index, &batch)
    };
    let outcome = walk(client, target, entry, params, plan, &mut deliver).await;
    let went_well = outcome.is_ok();
    sink.done(index, outcome);
    (items.get(), went_well)
}

/// What is to be said of a listing that came short of the server's own count, or not in the shape of tasks.
pub(super) fn shortfall(query: &Query<'_>, walked: Walked) -> Option<Error> {
    let total = walked.total.unwrap_or_default();
    let why = match (walked.missing, walked.shapeless) {
        (0, 0) => return None,
        (0, count) => format!("{count} of the tasks that came are no JSON objects"),
        (count, _) => format!("the server counts {total} tasks, but {count} of them did not come"),
    };
    Some(Error::new(Kind::Partial, query.entry.meta.api, why).target(query.name()))
}
