//! The binary on a pseudo-terminal.

use std::io::Read;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, open};

/// The binary on a pseudo-terminal.
pub struct Terminal {
    pub pty: pty_process::blocking::Pty,
    process: std::process::Child,
    arriving: mpsc::Receiver<Vec<u8>>,
    pub shown: String,
}

impl Terminal {
    pub fn start(args: &str, rows: u16, columns: u16) -> Self {
        Terminal::with(args, rows, columns, |command| command)
    }

    /// The same, with more said of the process.
    pub fn with(args: &str, rows: u16, columns: u16, more: impl Fn(Command) -> Command) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let command = Command::new(env!("CARGO_BIN_EXE_scanq"))
            .env_clear()
            .env("TERM", "xterm-256color")
            .env("HOME", std::env::temp_dir().join("scanq-no-home"))
            .args(args.split_whitespace());
        let process = more(command).spawn(pts).unwrap();
        let fd = std::os::fd::AsFd::as_fd(&pty).try_clone_to_owned().unwrap();
        let mut reader = std::fs::File::from(fd);
        let (send, arriving) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of the process is an error of the terminal.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if send.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal {
            pty,
            process,
            arriving,
            shown: String::new(),
        }
    }

    /// Reads until `found` holds of everything shown so far.
    pub fn until(&mut self, what: &str, found: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut bytes = self.shown.clone().into_bytes();
        while !found(&self.shown) {
            let left = deadline.saturating_duration_since(Instant::now());
            let more = self.arriving.recv_timeout(left);
            bytes.extend(more.unwrap_or_else(|_| panic!("no {what}: {:?}", self.shown)));
            self.shown = String::from_utf8_lossy(&bytes).into_owned();
        }
    }

    /// Sends the process a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("sh")
            .args(["-c", "kill -s $0 $1", name, &self.process.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// What is shown until the process ends, and its exit code.
    pub fn end(mut self) -> (String, i32) {
        let mut bytes = self.shown.into_bytes();
        while let Ok(more) = self.arriving.recv_timeout(Duration::from_secs(20)) {
            bytes.extend(more);
        }
        let code = self.process.wait().unwrap().code().unwrap();
        (String::from_utf8_lossy(&bytes).into_owned(), code)
    }
}
