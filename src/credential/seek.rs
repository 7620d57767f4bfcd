//! What a source of credentials may use: environment, home folder, clock, network, processes. Nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep, timeout};

use super::cache::Cache;
use super::{Credential, Lease};
use crate::backoff;
use crate::context::{Clock, Env, Ui};
use crate::error::{Error, Kind};
use crate::provider::{Answer, Failure, Retry, Signed};
use crate::trace::{self, Try};
use crate::transport::{Reply, Transport, unanswered};

/// The largest credentials or configuration file that is read.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Sign-in services answer fast, or not at all.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a sign-in service is asked in all.
const TRIES: u32 = 3;

/// How long an external credential process may take.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// What a source may use.
pub struct Seek<'a> {
    /// Environment variables.
    pub env: &'a Env,
    /// The time of day.
    pub clock: &'a Clock,
    /// The network, or what plays it; none in a dry run, which sends nothing and runs no process.
    pub transport: Option<&'a dyn Transport>,
    /// For warnings.
    pub ui: &'a Ui,
    /// Temporary credentials of earlier runs.
    pub cache: &'a Cache,
    /// Who made this machine, as far as it says so: metadata services are only probed where they can be.
    pub machine: Option<&'a str>,
}

impl Seek<'_> {
    /// The time of day.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// The network, or what plays it.
    ///
    /// # Errors
    /// In a dry run, the `step` that it leaves out.
    pub fn network(&self, step: impl FnOnce() -> String) -> Result<&dyn Transport, Error> {
        self.transport
            .ok_or_else(|| Error::new(Kind::NotSent, step(), ""))
    }

    /// The lease; in a dry run that would have to sign in first, `stand_in`, and a note that says so.
    ///
    /// # Errors
    /// Any other failure to sign in.
    pub fn or_stand_in(
        &self,
        signed_in: Result<Lease, Error>,
        stand_in: Credential,
    ) -> Result<Lease, Error> {
        match signed_in {
            Err(left_out) if left_out.kind == Kind::NotSent => {
                self.ui.note(format!(
                    "dry run: the sign-in is left out ({left_out}), a stand-in signs"
                ));
                Ok(Lease::new(stand_in, "stand-in"))
            }
            other => other,
        }
    }

    /// A path below the home folder; none without a home.
    pub fn home(&self, path: &str) -> Option<PathBuf> {
        Some(self.env.home()?.join(path))
    }

    /// The text of a file that other tools write. None: there is no such file, or it can't be read, which is a warning.
    ///
    /// # Errors
    /// If it is larger than any such file, or not text.
    pub fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        match read_text(path) {
            Ok(Some((text, is_open))) => {
                if is_open {
                    self.ui.warn(format!(
                        "{} can be read by other users: chmod 600 it",
                        path.display()
                    ));
                }
                Ok(Some(text))
            }
            Ok(None) => Ok(None),
            Err(Unreadable::Closed(error)) => {
                self.ui.warn(format!("{error}: passed over"));
                Ok(None)
            }
            Err(Unreadable::Broken(error)) => Err(error),
        }
    }

    /// Asks a sign-in service, and again twice where that can help. `request` signs for the time that it is given, which
    /// is corrected once by the server's own; `judge` reads a failure from an answer.
    ///
    /// # Errors
    /// The failure. What the service refuses is never tried again: a wrong password would lock the user out.
    pub async fn ask(
        &self,
        what: &str,
        request: impl Fn(DateTime<Utc>) -> Signed,
        judge: impl Fn(&Answer<'_>) -> Option<Failure>,
        permission: &str,
    ) -> Result<Reply, Error> {
        let mut skew = None;
        for attempt in 0.. {
            let signed = request(self.now() + skew.unwrap_or_default());
            let origin = origin(&signed.url);
            let failed = |kind, why: String| Error {
                endpoint: Some(origin.clone()),
                ..Error::new(kind, what, why)
            };
            let name = || format!("{what} at {origin}");
            let network = self.network(name)?;
            let told = Try::begin(self.ui, &name, (attempt + 1, TRIES), &signed);
            let started = Instant::now();
            let reply = match timeout(SERVICE_TIMEOUT, network.send(signed)).await {
                Ok(reply) => reply.map_err(unanswered),
                Err(_) => Err(Error::new(Kind::Network, "", "no answer in time")),
            };
            told.end(started.elapsed(), reply.as_ref().ok());
            let reply = match reply {
                // A setting that is wrong stays wrong, however often it is tried.
                Err(error) if error.kind == Kind::Config => return Err(error),
                reply => reply.map_err(|error| Error {
                    hints: error.hints,
                    ..failed(error.kind, error.why)
                }),
            };
            let (error, pause) = match reply {
                // What is too large will be, too.
                Err(error) if error.kind != Kind::Network => return Err(error),
                Err(error) => (error, backoff::pause(attempt)),
                Ok(reply) => {
                    let header = |name: &str| reply.header(name).map(str::to_owned);
                    let answer = Answer {
                        status: reply.status,
                        header: &header,
                        body: &reply.body,
                        permission,
                    };
                    let Some(failure) = judge(&answer) else {
                        return Ok(reply);
                    };
                    let pause = match (failure.retry, reply.date()) {
                        (Retry::Backoff, _) => Some(backoff::pause(attempt)),
                        // A longer wait than a sign-in may take is left to the user.
                        (Retry::After(delay), _) if delay <= SERVICE_TIMEOUT => Some(delay),
                        (Retry::Clock, Some(date)) if skew.is_none() => {
                            skew = Some(date - self.now());
                            Some(Duration::ZERO)
                        }
                        _ => None,
                    };
                    let error = Error {
                        code: failure.code,
                        request_id: failure.request_id,
                        hints: failure.hint.into_iter().collect(),
                        ..failed(failure.kind, failure.message)
                    };
                    let Some(pause) = pause else {
                        return Err(error);
                    };
                    (error, pause)
                }
            };
            if attempt + 1 == TRIES {
                return Err(error);
            }
            trace::retry(self.ui, pause, &name, &error.why);
            sleep(pause).await;
        }
        unreachable!("the loop only ends by returning")
    }

    /// Asks a metadata service. None: there is none, or it takes longer than its neighbour would.
    ///
    /// # Errors
    /// Only that this is a dry run.
    pub async fn metadata(
        &self,
        method: &'static str,
        url: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<Option<Reply>, Error> {
        let name = || format!("metadata service at {}", origin(url));
        let network = self.network(name)?;
        let signed = Signed {
            method,
            url: url.to_owned(),
            headers,
            body: Vec::new(),
            connect_timeout: None,
        };
        let told = Try::begin(self.ui, &name, (1, 1), &signed);
        let started = Instant::now();
        let sent = timeout(Duration::from_secs(1), network.send(signed)).await;
        let reply = sent.ok().and_then(Result::ok);
        told.end(started.elapsed(), reply.as_ref());
        Ok(reply)
    }

    /// Whether this machine may have the metadata service of `vendor`. Where it does not say who made it, that takes
    /// asking, which a dry run does not.
    pub fn may_run_on(&self, vendor: &str) -> bool {
        match self.machine {
            Some(machine) => machine.to_ascii_lowercase().contains(vendor),
            None => self.transport.is_some(),
        }
    }

    /// Runs an external credential process, without a shell, and gives its stdout.
    ///
    /// # Errors
    /// If it can't be run, fails, or takes longer than a minute; and in a dry run: it may well ask the network.
    pub async fn process(&self, argv: &[String]) -> Result<String, Error> {
        let [program, arguments @ ..] = argv else {
            return Err(Error::new(
                Kind::Config,
                "external process",
                "the command is empty",
            ));
        };
        self.network(|| format!("external process {program}"))?;
        let broken = |why: &dyn std::fmt::Display| {
            Error::new(Kind::Config, format!("external process {program}"), why)
        };
        let child = tokio::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(self.env.iter())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| broken(&error))?;
        let output = timeout(PROCESS_TIMEOUT, child.wait_with_output())
            .await
            .map_err(|_| broken(&format!("no answer within {} s", PROCESS_TIMEOUT.as_secs())))?
            .map_err(|error| broken(&error))?;
        if !output.status.success() {
            // Most often its own sign-in has ended.
            return Err(Error {
                kind: Kind::Credential,
                ..broken(&output.status)
            });
        }
        String::from_utf8(output.stdout).map_err(|_| broken(&"its output is not UTF-8 text"))
    }
}

/// Why a file that is there can't be read.
pub enum Unreadable {
    /// It may not be opened, or is no file.
    Closed(Error),
    /// It is no text, or too large.
    Broken(Error),
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Error {
        match unreadable {
            Unreadable::Closed(error) | Unreadable::Broken(error) => error,
        }
    }
}

/// The text of a file, and whether other users can read it. None: there is no such file.
///
/// # Errors
/// If it is there, but can't be read.
pub fn read_text(path: &Path) -> Result<Option<(String, bool)>, Unreadable> {
    let error =
        |why: &dyn std::fmt::Display| Error::new(Kind::Config, path.display().to_string(), why);
    let closed = |why: &dyn std::fmt::Display| Unreadable::Closed(error(why));
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(why) => return Err(closed(&why)),
    };
    // As other tools have it, where there is to be no file.
    if path == Path::new("/dev/null") {
        return Ok(Some((String::new(), false)));
    }
    // A FIFO or a device would block or never end.
    if !metadata.is_file() {
        return Err(closed(&"not a file"));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(Unreadable::Broken(error(&format!(
            "larger than {} KiB",
            LARGEST_FILE >> 10
        ))));
    }
    let bytes = fs::read(path).map_err(|why| closed(&why))?;
    let text =
        String::from_utf8(bytes).map_err(|_| Unreadable::Broken(error(&"not UTF-8 text")))?;
    // NOTE: Editors on Windows begin a file with a byte order mark, which no parser takes.
    let text = text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned);
    Ok(Some((text, is_open_to_others(&metadata))))
}

/// Scheme and host of an address: the rest may hold a signature.
fn origin(url: &str) -> String {
    let end = url
        .find("://")
        .and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
    url[..end.unwrap_or(url.len())].to_owned()
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// The place of a JSON or TOML mistake, without quoting the file: its neighbour may be a secret.
pub fn line_of(path: &Path, line: usize, why: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Config,
        format!("{}, line {line}", path.display()),
        why,
    )
}

/// The profile called `wanted` of a file of profiles.
///
/// # Errors
/// If there is none, with the names that there are.
pub fn profile_named<'p, P>(
    path: &Path,
    profiles: &'p [P],
    name: impl Fn(&P) -> Option<&str>,
    wanted: &str,
) -> Result<&'p P, Error> {
    let is_wanted = |profile: &&P| name(profile) == Some(wanted);
    profiles.iter().find(is_wanted).ok_or_else(|| {
        let known: Vec<_> = profiles.iter().filter_map(&name).collect();
        let why = format!("no profile {wanted}; there are: {}", known.join(", "));
        Error::new(Kind::Config, path.display().to_string(), why)
    })
}
