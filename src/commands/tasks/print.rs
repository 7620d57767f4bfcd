//! How unified tasks are printed: rows, documents, lines, or counts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use crate::cli::global::Settings;
use crate::error::Error;
use crate::operation::column::{Cell, duration, progress};
use crate::render::rows::Rows;
use crate::render::{Format, junit};
use crate::task::Task;

/// A column of the unified table: its name, whether only wide tables show it, its value.
type Column = (&'static str, bool, for<'t> fn(&'t Task) -> Cell<'t>);

const COLUMNS: &[Column] = &[
    ("cloud", false, |task| task.cloud.into()),
    ("kind", false, |task| (&*task.facts.kind).into()),
    ("status", false, |task| Cell::Status(task.facts.status)),
    ("target", false, |task| (&task.facts.target).into()),
    ("progress", false, |task| progress(&task.facts)),
    ("started", false, |task| task.facts.started_at.into()),
    ("duration", false, |task| duration(&task.facts)),
    ("profile", false, |task| task.profile.as_str().into()),
    ("region", true, |task| task.region.as_str().into()),
    ("id", true, |task| (&task.facts.id).into()),
    ("name", true, |task| (&task.facts.name).into()),
    ("native-status", true, |task| {
        (&*task.facts.native_status).into()
    }),
    ("ended", true, |task| task.facts.ended_at.into()),
    ("message", true, |task| (&task.facts.message).into()),
    ("operation", true, |task| task.operation.into()),
    (DETAILS, true, |task| task.details.clone().into()),
];

const DETAILS: &str = "details";

/// The names of the columns.
pub(in crate::commands) fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|(name, ..)| *name)
}

/// How tasks go out.
pub(super) enum Printer {
    /// One by one.
    Tasks(Box<Rows>),
    /// Counted by cloud, kind and status.
    Summary(Box<Rows>),
}

impl Printer {
    /// # Errors
    /// A usage error for a column that is not known.
    pub(super) fn new(
        settings: &Settings,
        is_summary: bool,
        has_details: bool,
    ) -> Result<Self, Error> {
        if is_summary && settings.format == Format::Junit {
            return Err(Error::usage(
                "--summary",
                "does not go with -o junit, where each task is a test case",
            ));
        }
        if is_summary {
            let columns = ["cloud", "kind", "status", "count"].map(|name| (name, false));
            let rows = Rows::new(settings.format, &columns, &settings.shape)?;
            return Ok(Printer::Summary(Box::new(rows)));
        }
        let columns: Vec<_> = COLUMNS
            .iter()
            .map(|(name, wide, _)| (*name, *wide && !(has_details && *name == DETAILS)))
            .collect();
        let rows = Rows::new(settings.format, &columns, &settings.shape)?;
        Ok(Printer::Tasks(Box::new(rows)))
    }

    /// Takes the terminal's width anew.
    pub(super) fn fit(&mut self, terminal: Option<u16>) {
        let (Printer::Tasks(rows) | Printer::Summary(rows)) = self;
        rows.fit(terminal);
    }

    /// Writes all of it. Gives the names of columns for which the terminal has no room.
    pub(super) fn print(
        self,
        tasks: &[&Task],
        failures: &[Error],
        settings: &Settings,
        out: &mut dyn Write,
    ) -> io::Result<Vec<String>> {
        // Nobody answered: not even a header.
        let is_void = tasks.is_empty() && !failures.is_empty();
        match self {
            _ if settings.format == Format::Junit => {
                let errors: Vec<_> = failures
                    .iter()
                    .map(|error| {
                        format!("{}: {error}", error.target.as_deref().unwrap_or_default())
                    })
                    .collect();
                junit::write(tasks, &errors, out)?;
                Ok(Vec::new())
            }
            Printer::Tasks(_) | Printer::Summary(_) if is_void && settings.format.has_columns() => {
                Ok(Vec::new())
            }
            Printer::Tasks(rows) if settings.format.has_columns() => {
                let cell = |task: usize, column: usize| (COLUMNS[column].2)(tasks[task]);
                table(*rows, tasks.len(), cell, out)
            }
            Printer::Summary(rows) if settings.format.has_columns() => {
                let groups = summary(tasks);
                let cell = |group: usize, column| {
                    let (key, count) = groups[group];
                    match column {
                        0 => key.0.into(),
                        1 => key.1.into(),
                        2 => Cell::Status(key.2),
                        _ => Cell::Number(count as f64),
                    }
                };
                table(*rows, groups.len(), cell, out)
            }
            Printer::Tasks(_) => {
                let tasks = tasks.iter().map(|task| task.json());
                document("tasks", tasks, failures, settings, out)
            }
            Printer::Summary(_) => {
                let groups = summary(tasks).into_iter().map(|(key, count)| {
                    json!({"cloud": key.0, "kind": key.1, "status": key.2, "count": count})
                        .to_string()
                });
                document("summary", groups, failures, settings, out)
            }
        }
    }
}

type Group<'t> = (&'static str, &'t str, crate::task::Status);

fn summary<'t>(tasks: &[&'t Task]) -> Vec<(Group<'t>, u64)> {
    let mut groups = BTreeMap::<Group<'t>, u64>::new();
    for task in tasks {
        let group = (task.cloud, &*task.facts.kind, task.facts.status);
        *groups.entry(group).or_default() += 1;
    }
    groups.into_iter().collect()
}

/// So many rows; `cell` gives the value of a row in a column.
fn table<'t>(
    mut rows: Rows,
    count: usize,
    cell: impl Fn(usize, usize) -> Cell<'t>,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    for row in 0..count {
        rows.row(out, |column| cell(row, column))?;
    }
    rows.end(out)
}

fn document(
    name: &str,
    mut elements: impl Iterator<Item = String>,
    failures: &[Error],
    settings: &Settings,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    if settings.format == Format::Jsonl {
        settings.style.lines(out, elements)?;
        return Ok(Vec::new());
    }
    let mut document = settings.style.document(out);
    document.list(name)?;
    elements.try_for_each(|element| document.element(&element))?;
    document.list("errors")?;
    failures
        .iter()
        .try_for_each(|error| document.element(&error.json().to_string()))?;
    document.end()?;
    Ok(Vec::new())
}
