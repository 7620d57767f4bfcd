//! A table that is redrawn in place: what a frame shows, and the bytes that paint it.
//!
//! A frame is painted with one write and is never cleared first, so nothing flickers. Every line is cleared behind its
//! end, and what an older, longer frame left below is cleared at the end.

use chrono::{DateTime, Utc};
use unicode_width::UnicodeWidthStr;

use super::room::cut;
use super::safe;
use super::when::duration;
use crate::task::{Status, Task};

/// Cells of a progress bar.
const BAR: usize = 10;

/// No target is cut to less than this while there is room for it.
const NARROWEST: usize = 8;

/// What a frame is laid out for.
#[derive(Debug, Clone)]
pub struct Look {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether statuses are coloured.
    pub color: bool,
    /// The time of day.
    pub now: DateTime<Utc>,
    /// How long it has been watched, in milliseconds.
    pub watched_ms: i64,
    /// A last line, such as a warning.
    pub note: Option<String>,
}

/// The lines of a frame, none wider than the terminal, fewer than its rows. Tasks that are open come first, then those
/// that failed.
pub fn frame(tasks: &[Task], look: &Look) -> Vec<String> {
    let (columns, rows) = (usize::from(look.size.0), usize::from(look.size.1));
    let mut shown: Vec<_> = tasks.iter().collect();
    shown.sort_by_key(|task| rank(task.facts.status));
    // The header, the summary, the note, and the line on which the cursor rests.
    let room = rows.saturating_sub(3 + usize::from(look.note.is_some()));
    let hidden = if shown.len() > room {
        shown.len() - room.saturating_sub(1)
    } else {
        0
    };
    shown.truncate(shown.len() - hidden);

    let kinds = shown.iter().map(|task| task.facts.kind.width());
    let kind_width = kinds.max().unwrap_or_default().clamp(4, 20);
    let fixed = 9 + 2 + kind_width + 2 + 2 + BAR + 5 + 2 + 8;
    let target_width = columns.saturating_sub(fixed).clamp(NARROWEST, 60);
    let header = format!(
        "{:9}  {:kind_width$}  {:target_width$}  {:bar$}  {:>8}",
        "STATUS",
        "KIND",
        "TARGET",
        "PROGRESS",
        "TIME",
        bar = BAR + 5
    );
    let mut lines = vec![cut(header.trim_end(), columns).into_owned()];
    for task in shown {
        let facts = &task.facts;
        let target = safe::escape(facts.target.as_deref().unwrap_or(task.label()));
        let line = format!(
            "{:9}  {}  {}  {}  {:>8}",
            facts.status.name(),
            padded(&safe::escape(&facts.kind), kind_width),
            padded(&target, target_width),
            bar(facts.progress),
            taken(task, look.now)
        );
        let line = cut(line.trim_end(), columns).into_owned();
        lines.push(match look.color {
            true => colored(&line, facts.status),
            false => line,
        });
    }
    if hidden > 0 && room > 0 {
        lines.push(cut(&format!("… and {hidden} more"), columns).into_owned());
    }
    lines.push(cut(&summary(tasks, look.watched_ms), columns).into_owned());
    if let Some(note) = &look.note {
        lines.push(cut(&safe::escape(note), columns).into_owned());
    }
    lines.truncate(rows.saturating_sub(1).max(1));
    lines
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Running => 0,
        Status::Pending => 1,
        Status::Failed | Status::TimedOut | Status::Partial | Status::Unknown => 2,
        Status::Succeeded => 3,
    }
}

fn bar(progress: Option<u8>) -> String {
    let Some(percent) = progress else {
        return " ".repeat(BAR + 5);
    };
    let full = usize::from(percent.min(100)) * BAR / 100;
    format!(
        "{}{} {percent:>3}%",
        "█".repeat(full),
        "░".repeat(BAR - full)
    )
}

/// How long it took, or has been taking.
fn taken(task: &Task, now: DateTime<Utc>) -> String {
    let facts = &task.facts;
    let so_far = || {
        let started = facts.started_at.filter(|_| facts.status.is_open())?;
        Some((now - started).num_milliseconds().max(0))
    };
    let ms = facts.duration_ms.or_else(so_far);
    ms.map_or("-".to_owned(), |ms| duration(ms / 1000 * 1000))
}

/// `37 tasks: 3 running, 34 succeeded · 1m 20s`.
fn summary(tasks: &[Task], watched_ms: i64) -> String {
    let counts: Vec<_> = Status::ALL
        .iter()
        .map(|status| {
            let count = tasks.iter().filter(|task| task.facts.status == *status);
            (count.count(), status)
        })
        .filter(|(count, _)| *count > 0)
        .map(|(count, status)| format!("{count} {status}"))
        .collect();
    let counts = match counts.is_empty() {
        true => "none yet".to_owned(),
        false => counts.join(", "),
    };
    let watched = duration(watched_ms / 1000 * 1000);
    format!("{} tasks: {counts} · {watched}", tasks.len())
}

fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width).into_owned();
    let gap = " ".repeat(width.saturating_sub(text.width()));
    text + &gap
}

/// The status, which is the first word, in its colour.
fn colored(line: &str, status: Status) -> String {
    let color = super::table::color(status);
    let end = line.find(' ').unwrap_or(line.len());
    format!("\x1b[{color}m{}\x1b[0m{}", &line[..end], &line[end..])
}

/// What is on the screen.
#[derive(Debug, Default)]
pub struct Screen {
    /// The lines of the last frame.
    drawn: Vec<String>,
    is_begun: bool,
}

impl Screen {
    /// The bytes that turn the last frame into this one, on a terminal that is so many columns wide now; none if they
    /// are the same.
    pub fn paint(&mut self, lines: Vec<String>, columns: u16) -> String {
        if self.is_begun && lines == self.drawn {
            return String::new();
        }
        // Terminals that know the mode show the frame at once; the others ignore it.
        let mut bytes = "\x1b[?2026h".to_owned();
        if !std::mem::replace(&mut self.is_begun, true) {
            bytes.push_str("\x1b[?25l");
        }
        bytes.push_str(&self.back(columns));
        bytes.push_str(&lines.join("\x1b[K\n"));
        bytes.push_str("\x1b[K\x1b[J\x1b[?2026l\n");
        self.drawn = lines;
        bytes
    }

    /// The bytes that take everything away again and show the cursor.
    pub fn restore(&mut self, columns: u16) -> String {
        if !std::mem::take(&mut self.is_begun) {
            return String::new();
        }
        let back = self.back(columns);
        self.drawn.clear();
        format!("{back}\x1b[J\x1b[?25h")
    }

    /// Back to the first line of the last frame. Lines that no longer fit were wrapped by the terminal.
    fn back(&self, columns: u16) -> String {
        let columns = usize::from(columns.max(1));
        let rows = |line: &String| visible_width(line).div_ceil(columns).max(1);
        match self.drawn.iter().map(rows).sum::<usize>() {
            0 => "\r".to_owned(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }
}

/// The width without our own colours.
fn visible_width(line: &str) -> usize {
    let parts = line.split("\x1b[").enumerate();
    let text = |(index, part): (usize, &str)| match index {
        0 => part.width(),
        _ => part.split_once('m').map_or(0, |(_, text)| text.width()),
    };
    parts.map(text).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Facts;

    fn task(status: Status, target: &str, progress: Option<u8>) -> Task {
        Task {
            cloud: "aliyun",
            profile: "p".into(),
            region: "r".into(),
            operation: "ListAgentlessTask",
            facts: Facts {
                target: Some(target.to_owned().into()),
                progress,
                started_at: DateTime::from_timestamp(1000, 0),
                ..Facts::new("agentless", status, "1")
            },
            details: None,
        }
    }

    fn look(size: (u16, u16)) -> Look {
        Look {
            size,
            color: false,
            now: DateTime::from_timestamp(1065, 0).unwrap(),
            watched_ms: 61_000,
            note: None,
        }
    }

    #[test]
    fn open_tasks_come_first_with_bar_and_time() {
        let tasks = [
            task(Status::Succeeded, "web", Some(100)),
            task(Status::Running, "镜像\u{1b}[31m", Some(45)),
            task(Status::Failed, "api", None),
        ];
        insta::assert_snapshot!(frame(&tasks, &look((70, 24))).join("\n"), @r"
        STATUS     KIND       TARGET                 PROGRESS             TIME
        running    agentless  镜像\x1b[31m           ████░░░░░░  45%     1m 5s
        failed     agentless  api                                            -
        succeeded  agentless  web                    ██████████ 100%         -
        3 tasks: 1 running, 1 succeeded, 1 failed · 1m 1s
        ");
    }

    #[test]
    fn a_frame_fits_any_terminal() {
        let tasks = vec![task(Status::Running, "a-rather-long-name-of-an-image", Some(7)); 50];
        for size in [(20, 2), (20, 5), (40, 10), (80, 24), (200, 60), (1, 1)] {
            for note in [None, Some("warning: it broke".to_owned())] {
                let look = Look {
                    color: true,
                    note,
                    ..look(size)
                };
                let lines = frame(&tasks, &look);
                assert!(
                    lines.len() < usize::from(size.1).max(2),
                    "{size:?} {lines:?}"
                );
                let widest = lines.iter().map(|line| visible_width(line)).max();
                assert!(widest <= Some(size.0.into()), "{size:?} {lines:?}");
            }
        }
    }

    #[test]
    fn a_frame_is_painted_over_the_last_and_only_if_it_differs() {
        let mut screen = Screen::default();
        let lines = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let first = screen.paint(lines(&["one", "two"]), 80);
        assert_eq!(
            first,
            "\x1b[?2026h\x1b[?25l\rone\x1b[K\ntwo\x1b[K\x1b[J\x1b[?2026l\n"
        );
        assert_eq!(screen.paint(lines(&["one", "two"]), 80), "");
        assert!(
            screen
                .paint(lines(&["1"]), 80)
                .contains("\r\x1b[2A1\x1b[K\x1b[J")
        );
        assert_eq!(screen.restore(80), "\r\x1b[1A\x1b[J\x1b[?25h");
        assert_eq!(screen.restore(80), "");
    }

    #[test]
    fn lines_that_a_narrower_terminal_wraps_are_counted() {
        let mut screen = Screen::default();
        screen.paint(vec!["x".repeat(50), "\x1b[31my\x1b[0m".into()], 80);
        assert!(screen.restore(20).starts_with("\r\x1b[4A"));
    }
}
