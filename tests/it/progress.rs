//! Progress on a real terminal: it is seen while the work goes on, and gone without a trace when it is done.

use std::fs::File;

use crate::harness::Served;
use crate::terminal::Terminal;

/// What the terminal on stderr saw of a command whose results go to a file, and those results.
fn run(served: &Served, args: &str) -> (String, String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let terminal = Terminal::with(args, 24, 100, |command| {
        command
            .envs(served.env.iter().map(|(name, value)| (name, value)))
            .stdout(File::create(&path).unwrap())
    });
    let (shown, code) = terminal.end();
    (shown, std::fs::read_to_string(path).unwrap(), code)
}

/// What is left on the last line.
fn left(shown: &str) -> &str {
    let after = shown.rsplit(['\r', '\n']).next().unwrap();
    after.rsplit("\x1b[2K").next().unwrap()
}

#[test]
fn pages_and_listings_are_counted_and_leave_nothing_behind() {
    let served = Served::start(&["--tasks", "300", "--latency", "150ms"]);
    for (args, pages, listings, lines) in [
        (
            "tasks -o csv --concurrency 2",
            "/13 pages",
            "1/5 listings",
            1501,
        ),
        (
            "aliyun agentless-tasks -o csv --concurrency 1",
            "/3 pages",
            "0/1 listings",
            301,
        ),
    ] {
        let (shown, out, code) = run(&served, args);
        assert_eq!(code, 0, "{shown}");
        assert!(
            shown.contains(pages) && shown.contains(listings),
            "{shown:?}"
        );
        assert!(shown.contains(" left"), "{shown:?}");
        // No bare bar at first.
        assert!(!shown.contains("0/0"), "{shown:?}");
        assert_eq!(left(&shown), "", "{shown:?}");
        assert_eq!(out.lines().count(), lines);
    }
    let (shown, ..) = run(&served, "tasks -o csv -q");
    assert_eq!(shown, "");
}

#[test]
fn a_wait_says_how_many_tasks_are_open() {
    let served = Served::start(&["--tasks", "20"]);
    let (shown, out, _) = run(
        &served,
        "aliyun agentless-tasks --wait --interval 300ms --fail-on unknown -o csv",
    );
    assert!(shown.contains("waiting for 2 of 20 tasks"), "{shown:?}");
    assert_eq!(left(&shown), "", "{shown:?}");
    assert!(!out.contains(",running,"), "{out}");
}
