//! Watching: what is shown of a wait while it goes on.

use std::collections::HashMap;
use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::output;
use crate::cli::follow::Waiting;
use crate::cli::global::Settings;
use crate::context::{Clock, Stream, Ui};
use crate::error::Error;
use crate::render::Format;
use crate::render::live::{Look, Screen, frame};
use crate::render::style::Style;
use crate::task::{Status, Task};

/// How often a live table looks whether it must be painted anew: times go on, and terminals are resized.
const TICK: Duration = Duration::from_millis(250);

/// What follows a wait.
pub(super) enum Viewer<'o> {
    /// Nothing is shown before the end.
    Silent,
    /// A line of JSON for each change.
    Changes(Changes<'o>),
    /// A table that is redrawn in place.
    Live(Live<'o>),
}

impl<'o> Viewer<'o> {
    /// What the flags ask for.
    pub(super) fn new(
        waiting: &Waiting,
        settings: &Settings,
        out: &'o mut Stream,
        ui: &'o Ui,
        clock: &'o Clock,
    ) -> Self {
        if !waiting.watch {
            return Viewer::Silent;
        }
        // Where nobody looks, changes are lines; whoever asks for a document gets it at the end, whole.
        match (settings.format, out.terminal) {
            (Format::Jsonl, _) | (Format::Table, None) => {
                return Viewer::Changes(Changes {
                    out,
                    style: settings.style.clone(),
                    known: HashMap::new(),
                });
            }
            (_, None) => return Viewer::Silent,
            (_, Some(_)) => {}
        }
        ui.hold();
        Viewer::Live(Live {
            out,
            ui,
            clock,
            color: settings.shape.color,
            screen: Screen::default(),
            tasks: Vec::new(),
            begun: Instant::now(),
        })
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
            Viewer::Live(live) => {
                live.tasks = tasks.iter().map(|task| (*task).clone()).collect();
                live.paint()
            }
        }
    }

    /// Waits for `future`, and keeps what is shown up to date meanwhile.
    ///
    /// # Errors
    /// Results that could not be written.
    pub(super) async fn alongside<F: Future>(&mut self, future: F) -> Result<F::Output, Error> {
        let Viewer::Live(live) = self else {
            return Ok(future.await);
        };
        let mut future = pin!(future);
        loop {
            live.paint()?;
            tokio::select! {
                biased;
                done = &mut future => return Ok(done),
                () = sleep(TICK) => {}
            }
        }
    }
}

/// One line of JSON for each task at first, and for each that changes from then on.
pub(super) struct Changes<'o> {
    out: &'o mut dyn Write,
    style: Style,
    known: HashMap<String, (Status, Option<u8>)>,
}

impl Changes<'_> {
    fn show(&mut self, tasks: &[&Task]) -> Result<(), Error> {
        let has_changed = |task: &&&Task| {
            let state = (task.facts.status, task.facts.progress);
            self.known.insert(task.key(), state) != Some(state)
        };
        let changed: Vec<_> = tasks.iter().filter(has_changed).collect();
        let lines = changed.iter().map(|task| task.json());
        // A log is read while it is written.
        let written = self.style.lines(self.out, lines);
        written.and_then(|()| self.out.flush()).map_err(output)
    }
}

/// A table that is redrawn in place. The terminal is as before when it is dropped.
pub(super) struct Live<'o> {
    out: &'o mut Stream,
    ui: &'o Ui,
    clock: &'o Clock,
    color: bool,
    screen: Screen,
    tasks: Vec<Task>,
    begun: Instant,
}

impl Live<'_> {
    fn paint(&mut self) -> Result<(), Error> {
        let size = self.out.size();
        let look = Look {
            size,
            color: self.color,
            now: (self.clock)(),
            watched_ms: self
                .begun
                .elapsed()
                .as_millis()
                .try_into()
                .unwrap_or(i64::MAX),
            note: self.ui.last_held(),
        };
        let bytes = self.screen.paint(frame(&self.tasks, &look), size.0);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &str) -> Result<(), Error> {
        self.out
            .write_all(bytes.as_bytes())
            .and_then(|()| self.out.flush())
            .map_err(output)
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        let bytes = self.screen.restore(self.out.size().0);
        // Nobody is left to be told of a terminal that is gone.
        let _ = self.write(&bytes);
        self.ui.release();
    }
}
