//! Watching: what is shown of a wait while it goes on.

use std::collections::HashMap;
use std::io::Write;

use super::output;
use crate::cli::follow::Waiting;
use crate::cli::global::Settings;
use crate::context::Stream;
use crate::error::Error;
use crate::task::{Status, Task};

/// What follows a wait.
pub(super) enum Viewer<'o> {
    /// Nothing is shown before the end.
    Silent,
    /// A line of JSON for each change.
    Changes(Changes<'o>),
}

impl<'o> Viewer<'o> {
    /// What the flags ask for.
    pub(super) fn new(waiting: &Waiting, _settings: &Settings, out: &'o mut Stream) -> Self {
        match waiting.watch {
            false => Viewer::Silent,
            true => Viewer::Changes(Changes::new(out)),
        }
    }

    /// Whether what it shows is the result: nothing else is printed at the end.
    pub(super) fn prints(&self) -> bool {
        matches!(self, Viewer::Changes(_))
    }

    /// Takes note of what a poll brought.
    ///
    /// # Errors
    /// Results that could not be written.
    pub(super) fn show(&mut self, tasks: &[&Task]) -> Result<(), Error> {
        match self {
            Viewer::Silent => Ok(()),
            Viewer::Changes(changes) => changes.show(tasks),
        }
    }

    /// Waits for `future`.
    ///
    /// # Errors
    /// Results that could not be written.
    pub(super) async fn alongside<F: Future>(&mut self, future: F) -> Result<F::Output, Error> {
        Ok(future.await)
    }
}

/// One line of JSON for each task at first, and for each that changes from then on.
pub(super) struct Changes<'o> {
    out: &'o mut dyn Write,
    known: HashMap<String, (Status, Option<u8>)>,
}

impl<'o> Changes<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Changes {
            out,
            known: HashMap::new(),
        }
    }

    fn show(&mut self, tasks: &[&Task]) -> Result<(), Error> {
        for task in tasks {
            let state = (task.facts.status, task.facts.progress);
            if self.known.insert(task.key(), state) != Some(state) {
                writeln!(self.out, "{}", task.json()).map_err(output)?;
            }
        }
        self.out.flush().map_err(output)
    }
}
