//! What is said on stderr, and how: in which words of colour, at which level, as text or as JSON.
//!
//! Nothing else writes there, so that lines never cut through a table or a bar that is drawn.

use std::cell::{Cell, RefCell};
use std::io::Write;

use indicatif::ProgressBar;

use super::Stream;
use crate::error::{Error, Kind};
use crate::render::{json, safe};

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Errors only (`-q`).
    Quiet,
    /// Warnings and hints.
    #[default]
    Normal,
    /// Attempts, delays and timings (`-v`).
    Verbose,
    /// Headers too, secrets masked (`-vv`).
    Headers,
}

/// Stderr: the only way to say something that is not a result.
pub struct Ui {
    stream: RefCell<Stream>,
    level: Cell<Level>,
    json_errors: Cell<bool>,
    color: Cell<bool>,
    /// Lines that wait until nothing else is drawn on the terminal.
    held: RefCell<Option<Vec<String>>>,
    /// Progress that is drawn on the last line.
    progress: RefCell<Option<ProgressBar>>,
}

impl Ui {
    /// Speaks on `stream`, in colour if it is a terminal.
    pub fn new(stream: Stream) -> Self {
        Ui {
            color: Cell::new(stream.terminal.is_some()),
            stream: RefCell::new(stream),
            level: Cell::new(Level::Normal),
            json_errors: Cell::new(false),
            held: RefCell::new(None),
            progress: RefCell::new(None),
        }
    }

    /// What the global flags ask for.
    pub fn configure(&self, level: Level, json_errors: bool, color: bool) {
        self.level.set(level);
        self.json_errors.set(json_errors);
        self.color.set(color);
    }

    /// Whether scripts read what is said here.
    pub fn speaks_json(&self) -> bool {
        self.json_errors.get()
    }

    /// Whether stderr is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.stream.borrow().terminal.is_some()
    }

    /// Something a user should know, though the command goes on.
    pub fn warn(&self, text: impl AsRef<str>) {
        self.labelled(Level::Normal, "warning", "33", text.as_ref());
    }

    /// A warning that decides the exit code: where only errors are said, and where scripts read them, it is one.
    pub fn warn_or_fail(&self, error: &Error) {
        if self.level.get() == Level::Quiet || self.speaks_json() {
            return self.error(error);
        }
        let about = error.target.as_deref().unwrap_or(&error.what);
        self.warn(format!("{about}: {}", error.why));
    }

    /// Advice beside an answer.
    pub fn hint(&self, text: impl AsRef<str>) {
        self.labelled(Level::Normal, "hint", "36", text.as_ref());
    }

    /// A remark without a label.
    pub fn note(&self, text: impl AsRef<str>) {
        self.labelled(Level::Normal, "note", "36", text.as_ref());
    }

    /// Lines of our own making, for this level and above. The text is only made when it is shown; what it quotes is on
    /// one line already.
    pub fn trace(&self, level: Level, text: impl FnOnce() -> String) {
        if self.level.get() >= level {
            self.line(&safe::escape_lines(&text()));
        }
    }

    /// An error: one line and its indented details, or one JSON object where scripts read.
    pub fn error(&self, error: &Error) {
        if self.json_errors.get() {
            // Programs quote the server's texts: on a terminal they must not be obeyed, and mean the same to a script.
            let mut line = Vec::new();
            let object = serde_json::json!({ "error": error.json() }).to_string();
            let written = json::compact(&mut line, &object, true);
            written.expect("memory can be written to");
            self.line(&String::from_utf8_lossy(&line));
            return;
        }
        // The gate does its work: nothing went wrong with the command.
        let label = match error.kind {
            Kind::Gate => "gate",
            _ => "error",
        };
        self.labelled(Level::Quiet, label, "1;31", &error.to_string());
        for (label, text) in error.details() {
            self.line(&format!("  {label}: {}", safe::escape(text)));
        }
    }

    fn labelled(&self, level: Level, label: &str, style: &str, text: &str) {
        if self.level.get() < level {
            return;
        }
        // A message is one line, whatever it quotes: a server could forge the next.
        let text = safe::escape(text);
        if self.color.get() {
            self.line(&format!("\x1b[{style}m{label}:\x1b[0m {text}"));
        } else {
            self.line(&format!("{label}: {text}"));
        }
    }

    /// Text that is already laid out and safe: usage errors, annotations.
    pub fn raw(&self, text: &str) {
        self.line(text.trim_end());
    }

    /// Whether progress can be shown: on a terminal, unless all but errors is silenced.
    pub fn shows_progress(&self) -> bool {
        self.is_terminal() && self.level.get() > Level::Quiet
    }

    /// Takes this progress away while a line is written.
    pub fn draw_around(&self, progress: Option<ProgressBar>) {
        *self.progress.borrow_mut() = progress;
    }

    /// Keeps back every line until [`Ui::release`], if stderr is a terminal: something else is drawn there.
    pub fn hold(&self) {
        if self.is_terminal() {
            self.held.borrow_mut().get_or_insert_default();
        }
    }

    /// Says what was kept back.
    pub fn release(&self) {
        let held = self.held.take();
        held.iter().flatten().for_each(|line| self.line(line));
    }

    /// The last line that is kept back, without colour.
    pub fn last_held(&self) -> Option<String> {
        let held = self.held.borrow();
        let mut parts = held.as_ref()?.last()?.split("\x1b[");
        let mut text = parts.next()?.to_owned();
        for part in parts {
            text.push_str(part.split_once('m').map_or("", |(_, text)| text));
        }
        Some(text)
    }

    /// A closed stderr must not end a command whose results are on stdout.
    fn line(&self, text: &str) {
        if let Some(held) = &mut *self.held.borrow_mut() {
            held.push(text.to_owned());
            return;
        }
        let write = || {
            let mut stream = self.stream.borrow_mut();
            let _ = writeln!(stream, "{text}").and_then(|()| stream.flush());
        };
        match &*self.progress.borrow() {
            Some(progress) => progress.suspend(write),
            None => write(),
        }
    }
}
