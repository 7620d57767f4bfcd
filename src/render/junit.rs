//! JUnit XML, which every CI system shows: a suite for each kind of task, a test case for each task.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::safe;
use crate::moment::rfc3339;
use crate::task::{Status, Task};

/// Writes the tasks as test cases. What did not end well is a failure, what has not ended is skipped, a state that is
/// not known is an error. `errors` are questions that nobody answered: each an error in a suite of its own.
pub fn write(tasks: &[&Task], errors: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut suites = BTreeMap::<String, Vec<&Task>>::new();
    for task in tasks {
        let name = format!("{}.{}", task.cloud, task.facts.kind);
        suites.entry(name).or_default().push(task);
    }
    let all = Counts::of(tasks.iter().copied());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"scanq\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        tasks.len() + errors.len(),
        all.failures,
        all.errors + errors.len(),
        all.skipped
    )?;
    for (name, tasks) in &suites {
        let counts = Counts::of(tasks.iter().copied());
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">",
            Escaped(name),
            tasks.len(),
            counts.failures,
            counts.errors,
            counts.skipped,
            Seconds(tasks.iter().filter_map(|task| task.facts.duration_ms).sum())
        )?;
        tasks.iter().try_for_each(|task| case(name, task, out))?;
        writeln!(out, "  </testsuite>")?;
    }
    if !errors.is_empty() {
        let count = errors.len();
        writeln!(
            out,
            "  <testsuite name=\"unanswered\" tests=\"{count}\" failures=\"0\" errors=\"{count}\" skipped=\"0\">"
        )?;
        for error in errors {
            let error = Escaped(error);
            writeln!(
                out,
                "    <testcase name=\"{error}\" classname=\"unanswered\"><error message=\"{error}\"/></testcase>"
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn case(suite: &str, task: &Task, out: &mut dyn Write) -> io::Result<()> {
    let facts = &task.facts;
    let name = match &facts.target {
        Some(target) => format!("{target} ({})", task.label()),
        None => task.label().to_owned(),
    };
    write!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"",
        Escaped(&name),
        Escaped(suite),
        Seconds(facts.duration_ms.unwrap_or_default())
    )?;
    if let Some(started) = facts.started_at {
        write!(out, " timestamp=\"{}\"", rfc3339(started))?;
    }
    let element = match facts.status {
        Status::Succeeded => return writeln!(out, "/>"),
        Status::Pending | Status::Running => "skipped",
        Status::Failed | Status::TimedOut | Status::Partial => "failure",
        Status::Unknown => "error",
    };
    let message = match &facts.message {
        Some(message) => format!("{}: {message}", facts.status),
        None => facts.status.to_string(),
    };
    let kind = match element {
        "skipped" => String::new(),
        _ => format!(" type=\"{}\"", facts.status),
    };
    let message = Escaped(&message);
    writeln!(out, "><{element} message=\"{message}\"{kind}/></testcase>")
}

struct Counts {
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of<'t>(tasks: impl Iterator<Item = &'t Task> + Clone) -> Self {
        let count =
            |is: fn(Status) -> bool| tasks.clone().filter(|task| is(task.facts.status)).count();
        Counts {
            failures: count(|status| Status::FAILURES.contains(&status)),
            errors: count(|status| status == Status::Unknown),
            skipped: count(Status::is_open),
        }
    }
}

/// Milliseconds, shown as seconds.
struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// Text of an attribute. Characters that XML 1.0 can't hold, not even as references, become U+FFFD. What a terminal might
/// obey is a reference, which is the same text to any XML reader.
struct Escaped<'t>(&'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write;
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // A parser would make a plain space of them.
                '\t' | '\n' | '\r' => write!(f, "&#{};", c as u32)?,
                '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c if safe::is_unsafe(c) => write!(f, "&#x{:x};", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Facts;

    fn task(status: Status, target: &str, message: Option<&str>) -> Task {
        Task {
            cloud: "huawei",
            profile: "p".into(),
            region: "r".into(),
            operation: "ListTasks",
            facts: Facts {
                id: Some("t1".into()),
                target: Some(target.to_owned().into()),
                message: message.map(|message| message.to_owned().into()),
                duration_ms: Some(61_005),
                started_at: chrono::DateTime::from_timestamp(1000, 0),
                ..Facts::new("iac-scan", status, "finished")
            },
            details: None,
        }
    }

    #[test]
    fn each_status_has_its_element_and_text_is_escaped() {
        let tasks = [
            task(Status::Succeeded, "a<b>&\"c\"", None),
            task(
                Status::Partial,
                "line\nbreak\u{1}\u{ffff}\u{9b}\u{202e}",
                Some("1 of 4 files failed"),
            ),
            task(Status::Failed, "x", None),
            task(Status::TimedOut, "x", None),
            task(Status::Pending, "x", None),
            task(Status::Running, "x", Some("about 5 min left")),
            task(Status::Unknown, "x", None),
        ];
        let mut out = Vec::new();
        let tasks: Vec<_> = tasks.iter().collect();
        write(&tasks, &["aliyun: no <answer>".into()], &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
