//! Prints what a provider's operation answers, in any format, page by page.

use std::io::{self, Write};

use serde_json::Value;

use crate::client::pages::{Batch, Walked};
use crate::error::Error;
use crate::operation::page::Page;
use crate::operation::{Entry, Items, Total, View};
use crate::render::document::{Document, Style};
use crate::render::rows::{Rows, Shape};
use crate::render::{Format, json};

/// A provider's items on their way out.
pub(super) struct Listing<'w> {
    entry: &'static Entry,
    form: Form<'w>,
    /// With `--page`, or where the whole document is the item: documents go out as the server sent them.
    as_sent: bool,
    /// The counters of the first page, to be adjusted at the end.
    counters: Option<(String, Value)>,
    /// Items printed.
    pub(super) printed: u64,
    /// Whether anything was answered: a listing that failed at once prints nothing, not even a header.
    answered: bool,
}

enum Form<'w> {
    Rows(&'w mut dyn Write, Box<Rows>),
    Lines(&'w mut dyn Write, bool),
    Documents(&'w mut dyn Write, Style),
    Document(Box<Option<Document<'w>>>, Style, Option<&'w mut dyn Write>),
}

impl<'w> Listing<'w> {
    /// # Errors
    /// A usage error for a column that is not known.
    pub(super) fn new(
        entry: &'static Entry,
        format: Format,
        shape: &Shape,
        single: bool,
        out: &'w mut dyn Write,
    ) -> Result<Self, Error> {
        let as_sent = single || matches!(entry.meta.items, Items::Document);
        let style = match format {
            Format::Yaml => Style::Yaml,
            _ if shape.width.is_some() => Style::JsonForTerminal,
            _ => Style::Json,
        };
        let form = match format {
            Format::Jsonl => Form::Lines(out, shape.width.is_some()),
            Format::Json | Format::Yaml if as_sent => Form::Documents(out, style),
            Format::Json | Format::Yaml => Form::Document(Box::new(None), style, Some(out)),
            Format::Table | Format::Wide | Format::Csv | Format::Tsv | Format::Junit => {
                Form::Rows(out, Box::new(Rows::new(format, &(entry.columns)(), shape)?))
            }
        };
        Ok(Listing {
            entry,
            form,
            as_sent,
            counters: None,
            printed: 0,
            answered: false,
        })
    }

    /// Prints what is new in a page.
    pub(super) fn page(&mut self, batch: &Batch<'_>) -> io::Result<()> {
        self.printed += batch.items.len() as u64;
        self.answered = true;
        match &mut self.form {
            Form::Rows(out, rows) => {
                for item in &batch.items {
                    let view = view(self.entry, item);
                    rows.row(out, |column| view.cell(column))?;
                }
                Ok(())
            }
            Form::Lines(out, for_terminal) => {
                for item in &batch.items {
                    json::compact(out, item, *for_terminal)?;
                    out.write_all(b"\n")?;
                }
                Ok(())
            }
            Form::Documents(out, style) => whole(*out, *style, batch.page),
            Form::Document(document, style, out) => {
                if let Some(out) = out.take() {
                    let mut begun = Document::new(out, *style);
                    self.counters = begin(&mut begun, self.entry, batch.page)?;
                    **document = Some(begun);
                }
                let document = document
                    .as_mut()
                    .as_mut()
                    .expect("it was begun with the first page");
                batch
                    .items
                    .iter()
                    .try_for_each(|item| document.element(item))
            }
        }
    }

    /// Ends the output, after whatever arrived. `total` is the server's word on how many items there are. Gives the
    /// names of columns for which the terminal has no room.
    pub(super) fn end(self, walked: &[Walked]) -> io::Result<Vec<String>> {
        let total = walked
            .iter()
            .filter_map(|walked| walked.total)
            .sum::<u64>()
            .max(self.printed);
        match self.form {
            _ if !self.answered => Ok(Vec::new()),
            Form::Rows(out, mut rows) => rows.end(out),
            Form::Document(document, ..) => {
                if let Some(mut document) = *document {
                    if let Some((name, counters)) = self.counters {
                        let counters = adjusted(counters, self.printed, total);
                        document.field(&name, &counters.to_string())?;
                    }
                    document.end()?;
                }
                Ok(Vec::new())
            }
            Form::Lines(..) | Form::Documents(..) => {
                debug_assert!(self.as_sent || self.counters.is_none());
                Ok(Vec::new())
            }
        }
    }
}

/// The typed view of an item. What is no object at all has no fields.
pub(super) fn view(entry: &Entry, item: &str) -> Box<dyn View> {
    (entry.view)(item)
        .or_else(|_| (entry.view)("{}"))
        .expect("every field of a wire type is optional")
}

fn whole(out: &mut dyn Write, style: Style, page: &Page) -> io::Result<()> {
    if style == Style::Yaml {
        let mut document = Document::new(out, style);
        let fields: Vec<(String, &serde_json::value::RawValue)> =
            crate::render::yaml::fields(page.document())?;
        for (name, raw) in fields {
            document.field(&name, raw.get())?;
        }
        return document.end();
    }
    json::pretty(out, page.document(), 0, style == Style::JsonForTerminal)?;
    out.write_all(b"\n")
}

/// Writes the envelope and opens the list. Gives the counters, which come last: only then are they known.
fn begin(
    document: &mut Document<'_>,
    entry: &Entry,
    page: &Page,
) -> io::Result<Option<(String, Value)>> {
    let Items::List { key, total } = entry.meta.items else {
        return Ok(None);
    };
    let counter = match total {
        Total::PageInfo => "PageInfo",
        Total::Key(key) => key,
    };
    let mut counters = None;
    for (name, raw) in page.envelope() {
        if name == counter {
            counters = Some((name.to_owned(), serde_json::from_str(raw)?));
        } else {
            document.field(name, raw)?;
        }
    }
    document.list(key)?;
    Ok(counters)
}

/// Counters of the merged document: one page, as large as what is printed. The total stays the server's.
fn adjusted(mut counters: Value, printed: u64, total: u64) -> Value {
    let Some(info) = counters.as_object_mut() else {
        return total.into();
    };
    for (name, value) in info.iter_mut() {
        *value = match name.as_str() {
            "CurrentPage" => 1.into(),
            "PageSize" | "Count" => printed.into(),
            "TotalCount" => total.into(),
            _ => continue,
        };
    }
    counters
}
