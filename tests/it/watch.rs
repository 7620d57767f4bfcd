//! `--watch`: a live table on a terminal, a line for each change in a pipe.

use std::collections::HashMap;

use serde_json::Value;

use crate::harness::{Tamper, Tampered, World, sandbox};

const BAD_GATEWAY: Tamper = Tamper::Answer(502, "<html>bad gateway</html>", &[]);

#[test]
fn in_a_pipe_each_change_is_a_line() {
    for line in [
        "tasks --cloud aliyun --watch",
        "aliyun agentless-tasks --watch -o jsonl",
    ] {
        let output = World::new(Tampered::new(sandbox(20), [])).run(line);
        assert_eq!((output.code, output.err.as_str()), (0, ""), "{line}");
        let mut last = HashMap::<String, Value>::new();
        let mut changes = 0;
        for line in output.lines() {
            let task: Value = serde_json::from_str(line).unwrap();
            let id = format!("{}{}", task["operation"], task["id"]);
            if let Some(before) = last.insert(id, task.clone()) {
                changes += 1;
                let state = |task: &Value| (task["status"].clone(), task["progress"].clone());
                assert_ne!(state(&before), state(&task), "{line}");
            }
        }
        let listings = if line.starts_with("tasks") { 3 } else { 1 };
        assert_eq!(last.len(), 20 * listings);
        assert!(changes >= 3 * listings, "{changes}");
        for task in last.values() {
            assert!(
                task["status"] != "running" && task["status"] != "pending",
                "{task}"
            );
        }
    }
}

#[test]
fn on_a_terminal_the_table_is_redrawn_in_place_and_then_printed() {
    let world = World {
        terminal: Some(100),
        ..World::new(Tampered::new(sandbox(20), [Tamper::Pass, BAD_GATEWAY]))
    };
    let output = world.run("aliyun agentless-tasks --watch --interval 2s --retries 0");
    assert_eq!(output.code, 0, "{}", output.err);
    let frames = output.out.matches("\x1b[?2026h").count();
    assert!(frames >= 6, "{frames}");
    assert_eq!(output.out.matches("\x1b[?25l").count(), 1);
    let (live, end) = output.out.split_once("\x1b[?25h").unwrap();
    assert!(live.contains("░") && live.contains(" tasks: "), "{live}");
    assert!(end.contains("TASK-ID") && !end.contains("running"), "{end}");
    assert_eq!(end.lines().count(), 21);
}

#[test]
fn a_watch_can_be_gated_and_ended_early() {
    let world = World::new(Tampered::new(sandbox(40), []));
    let all = world.run("aliyun agentless-tasks --watch --fail-on timed-out");
    assert_eq!(all.code, 5);
    let world = World::new(Tampered::new(sandbox(40), []));
    let early = world.run("aliyun agentless-tasks --watch --fail-fast");
    assert_eq!(early.code, 5);
    assert!(early.out.lines().count() < all.out.lines().count());
}

#[cfg(unix)]
mod on_a_real_terminal {
    use std::io::Write;

    use pty_process::Size;

    use crate::terminal::Terminal;

    fn frames(shown: &str) -> Vec<&str> {
        shown.split("\x1b[?2026h").skip(1).collect()
    }

    #[test]
    fn ctrl_c_restores_it_and_prints_what_is_known() {
        let mut terminal = Terminal::start("tasks --sandbox --watch --interval 10m", 20, 90);
        terminal.until("table", |shown| {
            shown.contains("… and ") && shown.contains("running")
        });
        terminal.until("redraws", |shown| frames(shown).len() >= 4);
        terminal.pty.write_all(b"\x03").unwrap();
        let (shown, code) = terminal.end();
        assert_eq!(code, 130, "{shown}");
        let (live, end) = shown.split_once("\x1b[?25h").unwrap();
        assert!(live.contains("\x1b[?25l"));
        assert!(
            end.contains("CLOUD") && end.contains("interrupted"),
            "{end}"
        );
        assert!(end.lines().count() > 200, "{end}");
        assert!(!end.contains("\x1b[?25l"), "{end}");
        // Each frame goes back over exactly the lines of the one before.
        for two in frames(live).windows(2) {
            let lines = two[0].matches('\n').count();
            assert!(two[1].starts_with(&format!("\r\x1b[{lines}A")), "{two:?}");
            assert!(lines < 20);
        }
    }

    #[test]
    fn a_process_that_is_told_to_end_leaves_the_terminal_as_it_was() {
        let mut terminal = Terminal::start("tasks --sandbox --watch --interval 10m", 20, 90);
        terminal.until("table", |shown| shown.contains("… and "));
        terminal.signal("TERM");
        let (shown, code) = terminal.end();
        assert_eq!(code, 130, "{shown}");
        let (_, end) = shown.split_once("\x1b[?25h").unwrap();
        assert!(end.contains("interrupted"), "{end}");
    }

    #[test]
    fn a_resized_terminal_is_filled_anew() {
        let mut terminal = Terminal::start(
            "tasks --sandbox --watch --interval 10m --color never",
            30,
            100,
        );
        terminal.until("table", |shown| shown.contains("… and "));
        terminal.pty.resize(Size::new(9, 40)).unwrap();
        terminal.until("smaller table", |shown| {
            let last = shown.split("\x1b[?2026h").last().unwrap();
            last.contains("\x1b[?2026l\r\n") && last.matches('\n').count() == 8
        });
        let last = terminal
            .shown
            .split("\x1b[?2026h")
            .last()
            .unwrap()
            .to_owned();
        for line in last.lines() {
            assert!(!line.contains("PROGRESS             TIME"), "{line}");
        }
        terminal.pty.write_all(b"\x03").unwrap();
        let (shown, code) = terminal.end();
        assert_eq!(code, 130);
        // The table at the end is for the terminal as it is then.
        let (_, end) = shown.split_once("\x1b[?25h").unwrap();
        let table = end.lines().take_while(|line| !line.contains("note:"));
        let widest = table.map(|line| line.chars().count()).max();
        assert!(widest <= Some(40), "{widest:?} {end}");
    }

    #[test]
    fn it_ends_when_all_have_ended() {
        let mut terminal = Terminal::start(
            "aliyun image-fix-tasks --sandbox --watch --interval 50ms",
            24,
            120,
        );
        terminal.until("cursor", |shown| shown.contains("\x1b[?25h"));
        let (shown, code) = terminal.end();
        assert_eq!(code, 0, "{shown}");
        let (live, end) = shown.split_once("\x1b[?25h").unwrap();
        assert!(
            live.contains("running") && !end.contains("running"),
            "{shown}"
        );
    }
}

#[test]
fn a_document_that_was_asked_for_comes_whole_at_the_end() {
    let run = |format: &str| {
        World::new(Tampered::new(sandbox(20), []))
            .run(&format!("tasks --cloud aliyun --watch -o {format}"))
    };
    let document = run("json");
    assert_eq!(document.json()["tasks"].as_array().unwrap().len(), 60);
    let report = run("junit").out;
    assert!(
        report.starts_with("<?xml") && report.trim_end().ends_with("</testsuites>"),
        "{report}"
    );
}
