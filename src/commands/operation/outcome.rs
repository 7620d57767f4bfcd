//! How the listings of an operation ended: what is said of those that did not come, and the exit code that it means.

use crate::client::Target;
use crate::client::pages::Walked;
use crate::commands::failures;
use crate::commands::query::{Query, shortfall};
use crate::context::Ui;
use crate::error::{Error, Kind};

/// How each listing ended, by the position of its query.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) walked: Vec<(usize, Walked)>,
    pub(super) failures: Vec<(usize, Error)>,
}

impl Outcome {
    /// How many listings were asked: --limit may make the others needless.
    pub(super) fn asked(&self) -> usize {
        let was_asked = |(_, walked): &&(usize, Walked)| *walked != Walked::default();
        self.walked.iter().filter(was_asked).count()
    }

    /// 0 if everything came, 3 if something did, else the code of what failed.
    pub(super) fn code(&self, queries: &[Query<'_>]) -> u8 {
        let failed = |at: usize| self.failures.iter().any(|(failed, _)| *failed == at);
        let some_answered = self.walked.iter().any(|(at, _)| !failed(*at));
        let is_short = || self.shortfalls(queries).next().is_some();
        let kind = match self.failures.last() {
            Some((_, last)) if last.kind == Kind::Interrupted || !some_answered => last.kind,
            None if !is_short() => return 0,
            _ => Kind::Partial,
        };
        kind.exit_code()
    }

    /// Says what did not come, after so many tasks were printed.
    pub(super) fn say(self, queries: &[Query<'_>], targets: &[Target], printed: u64, ui: &Ui) {
        for error in self.shortfalls(queries) {
            ui.warn_or_fail(&error);
        }
        if self.failures.is_empty() {
            return;
        }
        let arrived = format!("{printed} tasks arrived before this and are printed");
        let arrived = (printed > 0).then_some(arrived);
        if !ui.speaks_json() {
            arrived.iter().for_each(|arrived| ui.warn(arrived));
        }
        let named = |(at, error): (usize, Error)| match targets.len() {
            1 => error,
            _ if error.kind == Kind::Interrupted => error,
            _ => error.target(queries[at].target.name()),
        };
        let mut failures: Vec<_> = self.failures.into_iter().map(named).collect();
        // Where scripts read, stderr has errors alone.
        if let (true, Some(last)) = (ui.speaks_json(), failures.last_mut()) {
            last.hints.extend(arrived);
        }
        failures::say(&failures, ui);
    }

    fn shortfalls(&self, queries: &[Query<'_>]) -> impl Iterator<Item = Error> {
        let short = |(at, walked): &(usize, Walked)| shortfall(&queries[*at], *walked);
        self.walked.iter().filter_map(short)
    }
}
