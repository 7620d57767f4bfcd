//! Everything that is tested from outside: whole commands in-process, and the binary itself.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod credentials;
mod docs;
mod errors;
mod faults;
mod gate;
mod harness;
mod help;
mod hostile;
mod integrate;
mod operations;
mod output;
mod paging;
mod profiles;
#[cfg(unix)]
mod progress;
mod readme;
mod sandbox;
mod streaming;
mod structure;
mod tasks;
#[cfg(unix)]
mod terminal;
mod tls;
mod wait;
mod watch;
