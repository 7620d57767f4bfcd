//! Everything that a command takes from outside: environment, clock, stdout and stderr.
//!
//! The one file that reads the process environment. Tests build a [`Context`] of their own, so a whole command runs
//! in-process with no ambient state.

mod ui;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::rc::Rc;

use chrono::{DateTime, Utc};

use crate::transport::Transport;
pub use ui::{Level, Ui};

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

    /// Whether a switch of another tool is on: `1`, `true`, `yes` or `on`, in any case. Whatever else it says is off.
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
    release: fn(),
    /// Whether the user says how many columns results have.
    is_fixed: bool,
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
            release: || {},
            is_fixed: false,
        }
    }

    /// A terminal of so many columns.
    pub fn terminal(writer: impl Write + 'static, columns: u16) -> Self {
        Stream {
            writer: Box::new(writer),
            terminal: Some(columns),
            size: None,
            release: || {},
            is_fixed: false,
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

    /// Lets go of the stream before the command ends.
    pub fn release(&mut self) {
        (self.release)();
    }

    /// The same terminal, with so many columns for results whatever its size is.
    #[must_use]
    pub fn fixed(self, columns: Option<u16>) -> Self {
        Stream {
            terminal: self.terminal.map(|now| columns.unwrap_or(now)),
            is_fixed: columns.is_some(),
            ..self
        }
    }

    /// Columns for results as they are now; none in a pipe.
    pub fn width(&self) -> Option<u16> {
        let now = self.size.as_ref().filter(|_| !self.is_fixed);
        let now = now.and_then(|size| size()).map(|(columns, _)| columns);
        self.terminal
            .map(|began| now.unwrap_or(began).max(NARROWEST))
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
            let out = Stream::terminal(io::LineWriter::new(io::stdout()), columns());
            out.sized(size).fixed(fixed_columns(&env))
        } else {
            Stream::pipe(io::BufWriter::with_capacity(64 * 1024, RawStdout))
        };
        let out = Stream {
            release: release_stdout,
            ..out
        };
        let err = if io::stderr().is_terminal() {
            Stream::terminal(io::stderr(), columns()).fixed(fixed_columns(&env))
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

#[cfg(unix)]
fn release_stdout() {
    // Where that can't be had, a reader waits until the process ends.
    let _ = std::fs::File::create("/dev/null").map(rustix::stdio::dup2_stdout);
}

#[cfg(not(unix))]
fn release_stdout() {}

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

/// What is narrower shows nothing.
const NARROWEST: u16 = 20;

/// `COLUMNS` wins, as in other tools; none of them takes 0 for a width.
fn fixed_columns(env: &Env) -> Option<u16> {
    let columns: u16 = env.get("COLUMNS")?.parse().ok()?;
    (columns > 0).then(|| columns.max(NARROWEST))
}

/// What the terminal says; else 80.
fn columns() -> u16 {
    let size = terminal_size::terminal_size();
    size.map_or(80, |(width, _)| width.0.max(NARROWEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_columns_win_and_a_terminal_can_be_resized() {
        let fixed = |value| fixed_columns(&Env::from_iter([("COLUMNS", value)]));
        assert_eq!(
            ["120", "7", "0", "", "-1", "wide"].map(fixed),
            [Some(120), Some(20), None, None, None, None]
        );
        let resized = || Stream::terminal(io::sink(), 80).sized(|| Some((132, 50)));
        assert_eq!(resized().width(), Some(132));
        assert_eq!(resized().fixed(Some(60)).width(), Some(60));
        assert_eq!(resized().fixed(None).width(), Some(132));
        assert_eq!(Stream::terminal(io::sink(), 80).width(), Some(80));
        assert_eq!(Stream::pipe(io::sink()).fixed(Some(60)).width(), None);
    }
}
