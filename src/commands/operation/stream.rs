//! Prints pages as they arrive, in the server's order.

use std::cell::RefCell;
use std::io;

use super::outcome::Outcome;
use crate::client::Client;
use crate::client::pages::{Batch, Plan, Walked};
use crate::commands::gate::Gate;
use crate::commands::listing::Listing;
use crate::commands::progress::Progress;
use crate::commands::query::{Order, Query, Sink, ask};
use crate::commands::{interrupted, output};
use crate::error::Error;

/// Items on their way from the queries to the listing.
pub(super) struct Streaming<'a, 'w> {
    queries: &'a [Query<'a>],
    listing: RefCell<Listing<'w>>,
    gate: RefCell<&'a mut Gate>,
    outcome: RefCell<Outcome>,
    progress: Progress<'a>,
}

/// How many items were printed, how the listings ended, and the columns that had no room.
type Streamed = (u64, Outcome, io::Result<Vec<String>>);

impl<'a, 'w> Streaming<'a, 'w> {
    pub(super) fn new(
        queries: &'a [Query<'a>],
        listing: Listing<'w>,
        gate: &'a mut Gate,
        progress: Progress<'a>,
    ) -> Self {
        Streaming {
            queries,
            listing: RefCell::new(listing),
            gate: RefCell::new(gate),
            outcome: RefCell::default(),
            progress,
        }
    }

    /// Asks every query in turn, and prints what comes.
    ///
    /// # Errors
    /// Results that could not be written.
    pub(super) async fn run(self, client: &Client<'_>, plan: Plan) -> Result<Streamed, Error> {
        self.progress.begin(self.queries.len());
        let stopped = tokio::select! {
            biased;
            error = interrupted() => Some(error),
            () = ask(client, self.queries, &|_| false, Order::InTurn(plan.limit), &self) => None,
        };
        self.progress.clear();
        let (listing, mut outcome) = (self.listing.into_inner(), self.outcome.into_inner());
        let is_output = |(_, error): &(usize, Error)| error.kind.ends_output();
        if let Some(at) = outcome.failures.iter().position(is_output) {
            return Err(outcome.failures.swap_remove(at).1);
        }
        outcome.failures.extend(stopped.map(|error| (0, error)));
        let printed = listing.printed;
        let listed = listing.end(false);
        Ok((printed, outcome, listed))
    }
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
        gate.unless_judged(self.listing.borrow_mut().page(index, batch).map_err(output))
    }

    fn done(&self, index: usize, ended: Result<Walked, Error>) {
        self.progress.query_done();
        let mut outcome = self.outcome.borrow_mut();
        match ended {
            Ok(walked) => outcome.walked.push((index, walked)),
            Err(error) => outcome.failures.push((index, error)),
        }
    }
}
