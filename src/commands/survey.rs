//! What is known of the tasks that a command asks for: the last answer of each query, over one poll or many.

use std::cell::RefCell;
use std::cmp::Reverse;

use super::failures;
use super::progress::Progress;
use super::query::{Order, Query, Sink, ask, shortfall};
use super::selection::Selection;
use crate::client::Client;
use crate::client::pages::{Batch, Walked};
use crate::context::Ui;
use crate::error::{Error, Kind};
use crate::operation::page::Page;
use crate::task::Task;

/// What a survey is after.
pub(super) struct Aim {
    pub(super) selection: Selection,
    pub(super) order: Order,
    /// At most so many matching tasks.
    pub(super) limit: Option<u64>,
    /// Newest first; else in the servers' order.
    pub(super) newest_first: bool,
    pub(super) details: bool,
    /// Whether the pages are kept, to be printed as documents.
    pub(super) keeps_pages: bool,
}

/// What one query answered.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) tasks: Vec<Task>,
    /// Pages, and the positions of their new items: one for each task, in the same order.
    pub(super) pages: Vec<(Page, Vec<usize>)>,
    pub(super) walked: Option<Walked>,
}

impl Gathered {
    /// Whether each task stands as it does in `other`. Words and times left change from poll to poll and say little.
    fn is_as_far_as(&self, other: &Gathered) -> bool {
        let state = |task: &Task| (task.facts.status, task.facts.progress);
        self.tasks.len() == other.tasks.len()
            && self
                .tasks
                .iter()
                .zip(&other.tasks)
                .all(|(one, other)| state(one) == state(other) && one.facts.id == other.facts.id)
    }
}

/// Where one query stands.
#[derive(Default)]
struct Source {
    /// Its last answer.
    known: Option<Gathered>,
    /// Why it did not answer the last poll.
    failure: Option<Error>,
    /// Whether it answered the last poll.
    is_fresh: bool,
    /// Asking again would not help.
    is_over: bool,
}

/// The queries of a command, and what they answered.
pub(super) struct Survey<'q> {
    pub(super) queries: &'q [Query<'q>],
    pub(super) aim: Aim,
    sources: Vec<Source>,
    /// What a poll brings in, until it is taken over.
    arriving: RefCell<Vec<Gathered>>,
    outcomes: RefCell<Vec<Option<Result<Walked, Error>>>>,
    /// Takes the matching tasks of each page as it arrives; then none is kept.
    stream: Option<&'q Stream<'q>>,
    pub(super) progress: Progress<'q>,
}

/// Takes tasks as they arrive.
pub(super) type Stream<'s> = dyn Fn(&[Task]) -> Result<(), Error> + 's;

impl Sink for Survey<'_> {
    fn batch(&self, index: usize, batch: &Batch<'_>) -> Result<(), Error> {
        let query = &self.queries[index];
        self.progress.page(index, batch.page, query.plan);
        let mut tasks = batch
            .items
            .iter()
            .map(|item| query.task(item, self.aim.details));
        if let Some(stream) = self.stream {
            let tasks: Vec<_> = tasks
                .filter(|task| self.aim.selection.admits(task))
                .collect();
            return stream(&tasks);
        }
        let gathered = &mut self.arriving.borrow_mut()[index];
        gathered.tasks.extend(&mut tasks);
        if self.aim.keeps_pages {
            let mut wanted = batch.items.iter().map(|item| item.as_ptr()).peekable();
            let is_new = |item: &str| wanted.next_if(|new| *new == item.as_ptr()).is_some();
            let items = batch.page.items().map(is_new).enumerate();
            let new = items.filter(|(_, is_new)| *is_new).map(|(at, _)| at);
            gathered.pages.push((batch.page.clone(), new.collect()));
        }
        Ok(())
    }

    fn done(&self, index: usize, outcome: Result<Walked, Error>) {
        self.progress.query_done();
        self.outcomes.borrow_mut()[index] = Some(outcome);
    }
}

impl<'q> Survey<'q> {
    /// A survey that has not asked anything yet.
    pub(super) fn new(queries: &'q [Query<'q>], aim: Aim, progress: Progress<'q>) -> Self {
        Survey {
            queries,
            sources: queries.iter().map(|_| Source::default()).collect(),
            arriving: RefCell::default(),
            outcomes: RefCell::default(),
            stream: None,
            progress,
            aim,
        }
    }

    /// The same survey, which hands over matching tasks as they arrive and keeps none.
    pub(super) fn streaming(self, stream: &'q Stream<'q>) -> Self {
        Survey {
            stream: Some(stream),
            ..self
        }
    }

    /// Asks every query that is not over, once. What comes is taken over by [`Survey::take_over`].
    pub(super) async fn poll(&self, client: &Client<'_>) {
        let count = self.queries.len();
        *self.arriving.borrow_mut() = (0..count).map(|_| Gathered::default()).collect();
        *self.outcomes.borrow_mut() = (0..count).map(|_| None).collect();
        self.progress.begin(count);
        let is_over = |index: usize| self.sources[index].is_over;
        ask(client, self.queries, &is_over, self.aim.order, self).await;
    }

    /// Takes over what a poll brought, also if it was cut short. Gives whether anything changed.
    ///
    /// With `warn`, this was one poll of several: a failure that may pass is told the first time, and the tasks that
    /// match are followed from now on.
    ///
    /// # Errors
    /// Results that could not be written.
    pub(super) fn take_over(&mut self, warn: Option<&Ui>) -> Result<bool, Error> {
        let gathered = self.arriving.take();
        let outcomes = self.outcomes.take();
        let mut changed = false;
        let mut passing = Vec::new();
        for ((source, mut new), outcome) in self.sources.iter_mut().zip(gathered).zip(outcomes) {
            if source.is_over {
                continue;
            }
            source.is_fresh = matches!(outcome, Some(Ok(_)));
            match outcome {
                Some(Ok(walked)) => {
                    new.walked = Some(walked);
                    changed |= source
                        .known
                        .as_ref()
                        .is_none_or(|known| !known.is_as_far_as(&new));
                    source.failure = None;
                    source.known = Some(new);
                }
                Some(Err(error)) if error.kind.ends_output() => return Err(error),
                Some(Err(error)) => {
                    source.is_over = !error.kind.may_pass();
                    if source.failure.is_none() && !source.is_over {
                        passing.push(error.clone());
                    }
                    source.failure = Some(error);
                    source.known.get_or_insert(new);
                }
                // Not asked, or cut off: what it had sent is better than nothing.
                None if source.known.is_none() && !new.tasks.is_empty() => source.known = Some(new),
                None => {}
            }
        }
        self.give_up_denied();
        let Some(ui) = warn else {
            return Ok(changed);
        };
        failures::warn(&passing, ui);
        let answers = self
            .sources
            .iter()
            .filter_map(|source| source.known.as_ref());
        self.aim
            .selection
            .follow(answers.flat_map(|known| &known.tasks));
        self.aim.selection.is_complete |= self.is_fresh();
        Ok(changed)
    }

    /// Who may not ask one thing of a target is not made to ask it the next.
    fn give_up_denied(&mut self) {
        let is_denied = |source: &Source| {
            let kind = source.failure.as_ref().map(|error| error.kind);
            source.is_over && matches!(kind, Some(Kind::Credential | Kind::Permission))
        };
        let target = |index: usize| self.queries[index].target as *const _;
        let denied: Vec<_> = (0..self.sources.len())
            .filter(|index| is_denied(&self.sources[*index]))
            .map(target)
            .collect();
        for (index, source) in self.sources.iter_mut().enumerate() {
            source.is_over |= source.known.is_none() && denied.contains(&target(index));
        }
    }

    /// Takes note that the last poll was cut off.
    pub(super) fn cut_off(&mut self) {
        let late = self.sources.iter_mut().zip(self.queries);
        for (source, query) in late.filter(|(source, _)| !source.is_fresh && !source.is_over) {
            let why = "no answer before the wait was over";
            let error = || Error::new(Kind::Network, query.entry.meta.api, why);
            source.failure.get_or_insert_with(error);
        }
    }

    /// Whether any query was ever answered.
    pub(super) fn has_answered(&self) -> bool {
        self.answers().any(|(_, known)| known.walked.is_some())
    }

    /// Whether every query that can be asked answered the last poll.
    pub(super) fn is_fresh(&self) -> bool {
        self.sources
            .iter()
            .all(|source| source.is_fresh || source.is_over)
    }

    /// Whether there is nothing left to ask.
    pub(super) fn is_over(&self) -> bool {
        self.sources.iter().all(|source| source.is_over)
    }

    /// The matching tasks.
    pub(super) fn tasks(&self) -> Vec<&Task> {
        let answers = self
            .sources
            .iter()
            .filter_map(|source| source.known.as_ref());
        let mut tasks: Vec<_> = answers
            .flat_map(|known| &known.tasks)
            .filter(|task| self.aim.selection.admits(task))
            .collect();
        if self.aim.newest_first {
            tasks.sort_by_key(|task| Reverse(task.facts.started_at));
        }
        tasks.truncate(self.limit());
        tasks
    }

    /// The answers in the order of the queries, each with the query's position.
    pub(super) fn answers(&self) -> impl Iterator<Item = (usize, &Gathered)> {
        let sources = self.sources.iter().enumerate();
        sources.filter_map(|(index, source)| Some((index, source.known.as_ref()?)))
    }

    /// At most so many matching tasks.
    pub(super) fn limit(&self) -> usize {
        let limit = self.aim.limit.unwrap_or(u64::MAX);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// What did not come, each with its query, and the position of that query.
    pub(super) fn failures(&self) -> impl Iterator<Item = (usize, Error)> {
        let of = |(index, source): (usize, &Source)| {
            let query = &self.queries[index];
            let failed = source
                .failure
                .clone()
                .map(|error| error.target(query.name()));
            let short = || shortfall(query, source.known.as_ref()?.walked?);
            Some((index, failed.or_else(short)?))
        };
        self.sources.iter().enumerate().filter_map(of)
    }
}
