//! How far a round of questions is, on a stderr that is a terminal. It is gone without a trace when the round is done.

use std::cell::{Cell, RefCell};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::client::pages::Plan;
use crate::context::Ui;
use crate::operation::page::Page;

/// The progress of a command; it does nothing where there is nobody to see it.
pub(super) struct Progress<'u> {
    ui: &'u Ui,
    bar: Option<ProgressBar>,
    /// For each query: whether it has told how many pages there are.
    told: RefCell<Vec<bool>>,
    done: Cell<usize>,
}

impl<'u> Progress<'u> {
    /// Progress on stderr, unless results are written to a terminal meanwhile: they would be mixed up.
    pub(super) fn new(ui: &'u Ui, writes_to_terminal: bool) -> Self {
        let is_seen = ui.shows_progress() && !writes_to_terminal;
        let bar =
            is_seen.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        ui.draw_around(bar.clone());
        Progress {
            ui,
            bar,
            told: RefCell::default(),
            done: Cell::default(),
        }
    }

    /// A round of so many queries begins.
    pub(super) fn begin(&self, queries: usize) {
        let Some(bar) = &self.bar else { return };
        *self.told.borrow_mut() = vec![false; queries];
        self.done.set(0);
        // Each of these steps would draw what is only half set.
        bar.finish_and_clear();
        bar.set_draw_target(ProgressDrawTarget::hidden());
        bar.reset();
        bar.set_length(queries as u64);
        bar.set_style(style("{bar:24} {pos}/{len} pages · {msg} · {eta} left"));
        bar.set_draw_target(ProgressDrawTarget::stderr());
        self.say_done();
    }

    /// A page of a query has come.
    pub(super) fn page(&self, query: usize, page: &Page, plan: Plan) {
        let Some(bar) = &self.bar else { return };
        let is_first = self
            .told
            .borrow_mut()
            .get_mut(query)
            .is_some_and(|told| !std::mem::replace(told, true));
        if let (true, Some(total)) = (is_first, page.total) {
            let size = page
                .size
                .filter(|size| *size > 0)
                .unwrap_or(plan.size.into());
            let wanted = total.min(plan.limit.unwrap_or(u64::MAX));
            // One page of each query was counted from the start.
            bar.inc_length(wanted.div_ceil(size.max(1)).saturating_sub(1));
        }
        bar.inc(1);
    }

    /// A query is done.
    pub(super) fn query_done(&self) {
        self.done.set(self.done.get() + 1);
        self.say_done();
    }

    /// Between polls.
    pub(super) fn waits(&self, open: usize, all: usize) {
        let Some(bar) = &self.bar else { return };
        bar.set_style(style("{msg}"));
        bar.set_message(format!("waiting for {open} of {all} tasks"));
        // Nothing else draws it before the next poll, so it must not fall to the limit on redrawing.
        bar.force_draw();
    }

    /// Takes it away for good: results follow.
    pub(super) fn clear(&self) {
        self.ui.draw_around(None);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say_done(&self) {
        if let Some(bar) = &self.bar {
            let queries = self.told.borrow().len();
            bar.set_message(format!("{}/{queries} listings", self.done.get()));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}
