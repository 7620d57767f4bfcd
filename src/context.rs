//! Everything that a command takes from outside: environment, clock, stdout and stderr.
//!
//! The one file that reads the process environment. Tests build a [`Context`] of their own, so a whole command runs
//! in-process with no ambient state.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use indicatif::ProgressBar;

use crate::error::{Error, Kind};
use crate::render::{json, safe};
use crate::transport::Transport;

/// What a folder is for.
#[derive(Debug, Clone, Copy)]
pub enum Folder {
    /// The configuration file.
    Config,
    /// What is kept between runs.
    Cache,
}

/// The environment variables of this run.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The process's own environment. Variables that are not Unicode are left out: none of ours can be.
    pub fn of_process() -> Self {
        Env(std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect())
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Every variable.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The home folder.
    pub fn home(&self) -> Option<PathBuf> {
        let (_, home) = self.first(if cfg!(windows) {
            &["USERPROFILE"]
        } else {
            &["HOME"]
        })?;
        Some(home.into())
    }

    /// scanq's folder for configuration, or for what it keeps between runs.
    pub fn folder(&self, purpose: Folder) -> Option<PathBuf> {
        let (variable, windows, below_home) = match purpose {
            Folder::Config => ("XDG_CONFIG_HOME", "APPDATA", ".config"),
            Folder::Cache => ("XDG_CACHE_HOME", "LOCALAPPDATA", ".cache"),
        };
        // The specification has relative paths ignored.
        let named = self
            .get(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let usual = if cfg!(windows) {
            self.get(windows).map(PathBuf::from)
        } else {
            None
        };
        Some(
            named
                .or(usual)
                .or_else(|| Some(self.home()?.join(below_home)))?
                .join("scanq"),
        )
    }

    /// The first of `names` that is set and not empty, with its name.
    pub fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// Whether a switch is on: `1`, `true`, `yes` or `on`, in any case.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| {
            ["1", "true", "yes", "on"]
                .iter()
                .any(|on| value.eq_ignore_ascii_case(on))
        })
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        Env(pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}

/// Where the time of day comes from.
pub type Clock = Rc<dyn Fn() -> DateTime<Utc>>;

/// One of the two output streams.
pub struct Stream {
    writer: Box<dyn Write>,
    /// Columns, if it is a terminal.
    pub terminal: Option<u16>,
    /// Columns and rows as they are now: terminals are resized.
    size: Option<Size>,
}

/// Tells columns and rows of a terminal.
type Size = Box<dyn Fn() -> Option<(u16, u16)>>;

impl Stream {
    /// A stream that is not a terminal.
    pub fn pipe(writer: impl Write + 'static) -> Self {
        Stream {
            writer: Box::new(writer),
            terminal: None,
            size: None,
        }
    }

    /// A terminal of so many columns.
    pub fn terminal(writer: impl Write + 'static, columns: u16) -> Self {
        Stream {
            writer: Box::new(writer),
            terminal: Some(columns),
            size: None,
        }
    }

    /// The same terminal, which can be asked for its size at any time.
    #[must_use]
    pub fn sized(self, size: impl Fn() -> Option<(u16, u16)> + 'static) -> Self {
        Stream {
            size: Some(Box::new(size)),
            ..self
        }
    }

    /// Columns and rows as they are now.
    pub fn size(&self) -> (u16, u16) {
        let now = self.size.as_ref().and_then(|size| size());
        now.unwrap_or((self.terminal.unwrap_or(80), 24))
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// What a command takes from outside.
pub struct Context {
    /// Environment variables.
    pub env: Env,
    /// The time of day.
    pub clock: Clock,
    /// Who answers requests, if it is not the network: tests bring their own.
    pub transport: Option<Rc<dyn Transport>>,
    /// Who made this machine, where it says so.
    pub machine: Option<String>,
    /// Results, and nothing else.
    pub out: Stream,
    /// Notes, warnings and errors.
    pub ui: Ui,
}

impl Context {
    /// The context of the process itself. From here on it writes no core dump: secrets are in its memory.
    pub fn of_process() -> Self {
        #[cfg(unix)]
        {
            let none = rustix::process::Rlimit {
                current: Some(0),
                maximum: Some(0),
            };
            // Where that is not allowed there is nothing else to be done.
            let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
        }
        let env = Env::of_process();
        // A terminal shows each line at once; a pipe is written in large chunks.
        let out = if io::stdout().is_terminal() {
            let size = || terminal_size::terminal_size().map(|(columns, rows)| (columns.0, rows.0));
            Stream::terminal(io::LineWriter::new(io::stdout()), columns(&env)).sized(size)
        } else {
            Stream::pipe(io::BufWriter::with_capacity(64 * 1024, RawStdout))
        };
        let err = if io::stderr().is_terminal() {
            Stream::terminal(io::stderr(), columns(&env))
        } else {
            Stream::pipe(io::stderr())
        };
        Context {
            env,
            clock: Rc::new(Utc::now),
            transport: None,
            // Linux tells who made a virtual machine; elsewhere nobody runs one of these clouds' images.
            machine: std::fs::read_to_string("/sys/class/dmi/id/sys_vendor").ok(),
            out,
            ui: Ui::new(err),
        }
    }
}

/// Stdout without the standard library's own line buffering, which would flush at every newline.
struct RawStdout;

impl Write for RawStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lock = io::stdout().lock();
        lock.write_all(bytes)?;
        lock.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// `COLUMNS` wins, as in other tools; then what the terminal says; then 80.
fn columns(env: &Env) -> u16 {
    env.get("COLUMNS")
        .and_then(|value| value.parse().ok())
        .or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0))
        .unwrap_or(80)
        .max(20)
}

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

    /// A warning that decides the exit code: where only errors are said, it is one.
    pub fn warn_or_fail(&self, error: &Error) {
        if self.level.get() == Level::Quiet {
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

    /// A line for `-v` or `-vv`. The text is only made when it is shown.
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
        let text = safe::escape_lines(text);
        if self.color.get() {
            self.line(&format!("\x1b[{style}m{label}:\x1b[0m {text}"));
        } else {
            self.line(&format!("{label}: {text}"));
        }
    }

    /// Text that is already laid out: usage errors.
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
