//! Everything that is tested from outside: whole commands in-process, and the binary itself.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[cfg(target_os = "linux")]
mod completions;
mod credentials;
mod docs;
mod dry_run;
mod errors;
mod faults;
mod gate;
mod harness;
mod help;
mod hostile;
mod manual;
mod operations;
mod output;
mod paging;
mod precedence;
mod profiles;
mod programs;
#[cfg(unix)]
mod progress;
mod readme;
mod reasons;
#[cfg(unix)]
mod recipes;
mod sandbox;
mod streaming;
mod structure;
mod suggestions;
mod tasks;
#[cfg(unix)]
mod terminal;
mod tls;
mod verbose;
mod wait;
mod watch;
