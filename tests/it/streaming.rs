//! Results leave as they arrive: no listing is held until its end, a pipe gets large chunks, a terminal each line.

use std::cell::RefCell;
use std::rc::Rc;

use scanq::provider::Signed;
use scanq::sandbox::Sandbox;
use scanq::transport::{Sending, Transport};

use crate::harness::{Shared, World, sandbox};

/// A sandbox that notes how much was printed when each request came.
struct Watched {
    sandbox: Rc<Sandbox>,
    out: Shared,
    printed: RefCell<Vec<usize>>,
}

impl Transport for Watched {
    fn send(&self, request: Signed) -> Sending<'_> {
        self.printed.borrow_mut().push(self.out.text().len());
        self.sandbox.send(request)
    }
}

#[test]
fn every_format_is_written_while_pages_are_still_to_come() {
    for format in ["json", "yaml", "jsonl", "csv", "tsv", "table"] {
        let watched = Rc::new(Watched {
            sandbox: sandbox(600),
            out: Shared::default(),
            printed: RefCell::default(),
        });
        let line = format!("aliyun agentless-tasks -o {format} --page-size 20");
        let args: Vec<_> = line.split_whitespace().collect();
        let output = World::new(watched.clone()).run_into(&args, watched.out.clone());
        assert_eq!(output.code, 0, "{}", output.err);
        let printed = watched.printed.borrow();
        assert_eq!(printed.len(), 30, "{format}");
        // Eight pages are under way at a time, and a table is laid out in blocks of ten pages: half is out by now.
        let before_the_last = printed[29] * 100 / output.out.len();
        assert!(before_the_last >= 50, "{format}: {before_the_last} %");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_gets_large_chunks() {
    use std::os::{fd::OwnedFd, unix::net::UnixDatagram};
    use std::process::Stdio;
    use std::time::Duration;

    // A datagram for each write, so that they can be counted.
    let (theirs, ours) = UnixDatagram::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let served = crate::harness::Served::start(&["--tasks", "1000"]);
    let mut command = crate::harness::binary(&["aliyun", "agentless-tasks", "-o", "jsonl"]);
    command
        .envs(served.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::from(OwnedFd::from(theirs)));
    let mut process = command.spawn().unwrap();
    let (mut buffer, mut writes, mut lines) = (vec![0; 1 << 20], 0, 0);
    loop {
        // What is asked first holds when nothing comes after it.
        let has_ended = process.try_wait().unwrap().is_some();
        match ours.recv(&mut buffer) {
            Ok(read) => {
                writes += 1;
                lines += buffer[..read].iter().filter(|b| **b == b'\n').count();
            }
            Err(_) if has_ended => break,
            Err(_) => {}
        }
    }
    assert_eq!(lines, 1000);
    assert!(writes <= 50, "{writes} writes");
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_each_line_at_once() {
    use std::time::{Duration, Instant};

    let served = crate::harness::Served::start(&["--tasks", "3", "--latency", "400ms"]);
    let mut terminal = crate::terminal::Terminal::with(
        "aliyun agentless-tasks -o jsonl --page-size 1 --concurrency 1",
        24,
        200,
        |command| command.envs(served.env.iter().map(|(name, value)| (name, value))),
    );
    terminal.until("first line", |shown| shown.contains("\"TaskId\""));
    let first = Instant::now();
    let (shown, code) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    // Two more pages were to come.
    assert!(first.elapsed() >= Duration::from_millis(600), "{shown}");
}
