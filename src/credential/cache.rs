//! Temporary credentials of earlier runs, so that a shell loop of a hundred calls signs in once.
//!
//! A file for each sign-in, readable by its owner only, in a folder of the same kind. Its name is a hash of everything
//! that decides who signs in and where, so another user, role or address never gets it. A lock keeps processes that
//! start together from all signing in; a new file replaces the old one in one step.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use super::{Credential, Lease, Secret};
use crate::context::Ui;
use crate::error::Error;

/// How long another's sign-in is waited for before one's own is done.
const LONGEST_SIGN_IN: Duration = Duration::from_secs(40);

/// Where leases are kept; or nowhere.
pub struct Cache {
    folder: Option<PathBuf>,
    mode: Mode,
}

/// What is done with the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Read and write.
    Keep,
    /// Only write: what is there was refused.
    Renew,
    /// Only read: a dry run leaves no trace.
    Look,
}

/// A lease as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(default)]
    id: Option<String>,
    secret: String,
    #[serde(default)]
    security_token: Option<String>,
    expires: DateTime<Utc>,
    #[serde(default)]
    project_id: Option<String>,
}

impl Cache {
    /// A cache in this folder; none for `--no-cache`.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Cache {
            folder,
            mode: Mode::Keep,
        }
    }

    /// The same cache for a dry run: it is read, but not written.
    #[must_use]
    pub fn for_dry_run(self) -> Self {
        Cache {
            mode: Mode::Look,
            ..self
        }
    }

    /// The same cache for a renewal: it is written, but not read.
    pub fn for_renewal(&self) -> Self {
        Cache {
            folder: self.folder.clone(),
            mode: Mode::Renew,
        }
    }

    /// The lease of this sign-in: from the cache while it is fresh, else from `sign_in`, which is then kept.
    ///
    /// `who` is everything that decides who signs in and where; no secret is part of it.
    ///
    /// # Errors
    /// Those of `sign_in`. A cache that can't be used is a warning.
    pub async fn lease(
        &self,
        who: &[&str],
        now: DateTime<Utc>,
        ui: &Ui,
        source: &str,
        sign_in: impl Future<Output = Result<Lease, Error>>,
    ) -> Result<Lease, Error> {
        let Some(folder) = &self.folder else {
            return sign_in.await;
        };
        let name = file_name(who);
        let path = folder.join(format!("{name}.json"));
        let kept = |path: &Path| match read(path) {
            Ok(kept) => kept
                .map(|kept| kept.into_lease(source))
                .filter(|lease| lease.is_fresh(now)),
            Err(why) => {
                ui.warn(format!("{}: left out: {why}", path.display()));
                None
            }
        };
        if self.mode == Mode::Look {
            return match kept(&path) {
                Some(lease) => Ok(lease),
                None => sign_in.await,
            };
        }
        // Held until the end of this function.
        let locked = match prepare(folder) {
            Ok(()) => lock(&folder.join(format!("{name}.lock"))).await,
            Err(error) => Err(error),
        };
        let _lock = match locked {
            Ok(lock) => lock,
            Err(error) => {
                ui.warn(format!(
                    "{}: sign-ins can't be kept: {error}",
                    folder.display()
                ));
                return sign_in.await;
            }
        };
        if self.mode == Mode::Keep
            && let Some(lease) = kept(&path)
        {
            return Ok(lease);
        }
        let lease = sign_in.await?;
        if let Some(kept) = Kept::of(&lease)
            && let Err(error) = write(&path, &kept)
        {
            ui.warn(format!(
                "{}: the sign-in can't be kept: {error}",
                path.display()
            ));
        }
        Ok(lease)
    }

    /// Forgets every sign-in, and says how many there were.
    ///
    /// # Errors
    /// If a file can't be removed.
    pub fn clear(&self) -> std::io::Result<usize> {
        let Some(folder) = &self.folder else {
            return Ok(0);
        };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    fs::remove_file(path)?;
                    removed += 1;
                }
                Some("lock" | "new") => fs::remove_file(path)?,
                _ => {}
            }
        }
        Ok(removed)
    }
}

impl Kept {
    /// None for a lease without an end: it comes from a file or variable that is there next time as well.
    fn of(lease: &Lease) -> Option<Kept> {
        let expires = lease.expires?;
        let project_id = lease.project_id.clone();
        Some(match &lease.credential {
            Credential::Keys {
                id,
                secret,
                security_token,
            } => Kept {
                id: Some(id.clone()),
                secret: secret.expose().to_owned(),
                security_token: security_token
                    .as_ref()
                    .map(|token| token.expose().to_owned()),
                expires,
                project_id,
            },
            Credential::Token(token) => Kept {
                id: None,
                secret: token.expose().to_owned(),
                security_token: None,
                expires,
                project_id,
            },
        })
    }

    fn into_lease(self, source: &str) -> Lease {
        let credential = match self.id {
            Some(id) => Credential::Keys {
                id,
                secret: Secret::new(self.secret),
                security_token: self.security_token.map(Secret::new),
            },
            None => Credential::Token(Secret::new(self.secret)),
        };
        Lease {
            expires: Some(self.expires),
            project_id: self.project_id,
            ..Lease::new(credential, source)
        }
    }
}

/// Parts are told apart by their lengths: `["ab", "c"]` is not `["a", "bc"]`.
fn file_name(who: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in who {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..16])
}

fn prepare(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let metadata = fs::metadata(folder)?;
        if !is_own(&metadata) {
            return Err(std::io::Error::other("the folder belongs to another user"));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    fs::create_dir_all(folder)
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Waits for the lock without blocking the thread: who holds it may be another task of this process.
async fn lock(path: &Path) -> std::io::Result<File> {
    let file = private(OpenOptions::new().create(true).truncate(false).write(true)).open(path)?;
    let give_up = Instant::now() + LONGEST_SIGN_IN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => {
                sleep(Duration::from_millis(20)).await
            }
            Err(TryLockError::WouldBlock) => {
                return Err(std::io::Error::other("another process holds the lock"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// What is kept, if it is ours alone.
fn read(path: &Path) -> Result<Option<Kept>, String> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
        if !is_own(&metadata) {
            return Err("it belongs to another user".into());
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err("other users can read it".into());
        }
    }
    // The parser's message could quote a secret.
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|_| "it can't be read".into())
}

fn write(path: &Path, kept: &Kept) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = private(OpenOptions::new().create_new(true).write(true)).open(&new)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_all()?;
    fs::rename(new, path)
}

#[cfg(unix)]
fn is_own(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Stream;
    use std::cell::Cell;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    fn lease(minutes: i64) -> Lease {
        let expires = Some(now() + chrono::TimeDelta::minutes(minutes));
        Lease {
            expires,
            ..Lease::keys("id", "secret", Some("token"), "here")
        }
    }

    /// Asks the cache once, and says whether that signed in.
    fn signs_in(cache: &Cache, who: &[&str], minutes: i64) -> bool {
        let signed_in = Cell::new(false);
        let ui = Ui::new(Stream::pipe(std::io::sink()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let result = runtime.block_on(cache.lease(who, now(), &ui, "here", async {
            signed_in.set(true);
            Ok(lease(minutes))
        }));
        assert!(
            matches!(result.unwrap().credential, Credential::Keys { ref id, .. } if id == "id")
        );
        signed_in.get()
    }

    #[test]
    fn a_sign_in_is_kept_until_shortly_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().join("deep/er")));
        assert!(signs_in(&cache, &["a"], 60));
        assert!(!signs_in(&cache, &["a"], 60));
        assert!(signs_in(&cache, &["b"], 2));
        assert!(
            signs_in(&cache, &["b"], 2),
            "two minutes are too short to keep"
        );
        assert!(signs_in(&cache.for_renewal(), &["a"], 60));
        assert_eq!(cache.clear().unwrap(), 2);
        assert!(signs_in(&cache, &["a"], 60));
    }

    #[test]
    fn nobody_gets_the_sign_in_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().into()));
        assert!(signs_in(&cache, &["ab", "c"], 60));
        assert!(signs_in(&cache, &["a", "bc"], 60));
        assert!(signs_in(&Cache::new(None), &["ab", "c"], 60));
    }

    #[test]
    fn two_tasks_of_one_process_sign_in_once_and_never_block_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().into()));
        let (signed_in, ui) = (Cell::new(0), Ui::new(Stream::pipe(std::io::sink())));
        let sign_in = || async {
            signed_in.set(signed_in.get() + 1);
            sleep(Duration::from_millis(100)).await;
            Ok(lease(60))
        };
        let ask = || cache.lease(&["a"], now(), &ui, "here", sign_in());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let (one, other) = runtime.block_on(async { tokio::join!(ask(), ask()) });
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(signed_in.get(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_private_and_others_are_left_out() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().into()));
        assert!(signs_in(&cache, &["a"], 60));
        let path = folder.path().join(format!("{}.json", file_name(&["a"])));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(folder.path())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(signs_in(&cache, &["a"], 60));
        assert_eq!(mode(&path), 0o600);
        fs::write(&path, "{").unwrap();
        assert!(signs_in(&cache, &["a"], 60));
    }
}
