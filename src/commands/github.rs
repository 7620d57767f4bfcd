//! What a GitHub Actions runner is told of a failed gate: annotations, which it reads from stderr as well, and a table
//! in the job's summary. Stdout is for results.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::Write;

use crate::context::{Env, Ui};
use crate::error::Error;
use crate::render::safe;
use crate::task::Task;

/// The runner shows no more annotations of a step than this.
const ANNOTATIONS: usize = 10;

/// Tells the runner, if there is one.
pub(super) fn report(why: &Error, tasks: &[Task], ui: &Ui, env: &Env) {
    if !env.is_on("GITHUB_ACTIONS") {
        return;
    }
    for task in tasks.iter().take(ANNOTATIONS) {
        ui.raw(&annotation(task));
    }
    let Some(path) = env.get("GITHUB_STEP_SUMMARY") else {
        return;
    };
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(summary(why, tasks).as_bytes()));
    if let Err(error) = written {
        ui.warn(format!(
            "the job's summary can't be written: {path}: {error}"
        ));
    }
}

fn annotation(task: &Task) -> String {
    let facts = &task.facts;
    let title = format!("{} {} {}", task.cloud, facts.kind, facts.status);
    let mut text = task.label().to_owned();
    for part in [&facts.target, &facts.message].into_iter().flatten() {
        text = format!("{text}: {part}");
    }
    // The runner decodes what it shows, but the line goes through a log that a terminal may read.
    format!(
        "::error title={}::{}",
        property(&safe::escape(&title)),
        data(&safe::escape(&text))
    )
}

/// NOTE: As the runner's own toolkit escapes what follows `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// NOTE: As the runner's own toolkit escapes properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn summary(why: &Error, tasks: &[Task]) -> String {
    let mut text = format!(
        "### scanq: {}\n\n| cloud | kind | status | id | target | message |\n| --- | --- | --- | --- | --- | --- |\n",
        cell(&why.what)
    );
    for task in tasks {
        let facts = &task.facts;
        let known = |text: &Option<Cow<'_, str>>| cell(text.as_deref().unwrap_or("-"));
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            task.cloud,
            cell(&facts.kind),
            facts.status,
            known(&facts.id),
            known(&facts.target),
            known(&facts.message)
        ));
    }
    text.push('\n');
    text
}

/// Text of a server in a cell of Markdown: no markup, no links, no HTML.
fn cell(text: &str) -> String {
    let mut shown = String::new();
    for c in safe::escape(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '.' | ',' | '/' | ':' | ' ') {
            // Numeric references are text in Markdown wherever they stand.
            shown.push_str(&format!("&#{};", c as u32));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::task::{Facts, Status};

    fn task(target: &str) -> Task {
        Task {
            cloud: "aliyun",
            profile: "p".into(),
            region: "r".into(),
            operation: "ListAgentlessTask",
            facts: Facts {
                id: Some("t1".into()),
                target: Some(target.to_owned().into()),
                ..Facts::new("a,b:c", Status::Failed, "3")
            },
            details: None,
        }
    }

    #[test]
    fn annotations_can_not_be_forged() {
        assert_eq!(
            annotation(&task("100%\r\n::warning::\x1b[2J")),
            "::error title=aliyun a%2Cb%3Ac failed::t1: 100%25\\r\\n::warning::\\x1b[2J"
        );
    }

    #[test]
    fn the_summary_is_a_table_and_nothing_else() {
        let why = Error::new(Kind::Gate, "1 of 2 tasks failed", "t1");
        let text = summary(&why, &[task("a|b\n<img src=x> [l](u)")]);
        assert_eq!(text.lines().count(), 6, "{text}");
        let row = text.lines().nth(4).unwrap();
        assert_eq!(row.matches('|').count(), 7, "{row}");
        assert!(!row.contains(['<', '[', '`']), "{row}");
    }
}
