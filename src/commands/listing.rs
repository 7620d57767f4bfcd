//! Prints what a provider's operation answers, in any format, page by page.

use std::io::{self, Write};

use serde_json::Value;

use crate::cli::global::Settings;
use crate::client::pages::{Batch, Walked};
use crate::error::Error;
use crate::operation::page::Page;
use crate::operation::{Entry, Items, Total, View};
use crate::render::Format;
use crate::render::document::Document;
use crate::render::rows::Rows;
use crate::render::style::Style;

/// A provider's items on their way out.
pub(super) struct Listing<'w> {
    entry: &'static Entry,
    style: Style,
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
    Lines(&'w mut dyn Write),
    Documents(&'w mut dyn Write),
    Document(Box<Option<Document<'w>>>, Option<&'w mut dyn Write>),
}

/// The rows of an operation, if the format has rows.
///
/// # Errors
/// A usage error for a column that is not known.
pub(super) fn rows(entry: &Entry, settings: &Settings) -> Result<Option<Box<Rows>>, Error> {
    if !settings.format.has_columns() {
        return Ok(None);
    }
    let rows = Rows::new(settings.format, &(entry.columns)(), &settings.shape)?;
    Ok(Some(Box::new(rows)))
}

impl<'w> Listing<'w> {
    /// A listing that goes to `out`, as `rows` if there are any.
    pub(super) fn new(
        entry: &'static Entry,
        settings: &Settings,
        rows: Option<Box<Rows>>,
        single: bool,
        out: &'w mut dyn Write,
    ) -> Self {
        let as_sent = single || matches!(entry.meta.items, Items::Document);
        let form = match rows {
            Some(rows) => Form::Rows(out, rows),
            None if settings.format == Format::Jsonl => Form::Lines(out),
            None if as_sent => Form::Documents(out),
            None => Form::Document(Box::new(None), Some(out)),
        };
        Listing {
            entry,
            style: settings.style.clone(),
            form,
            as_sent,
            counters: None,
            printed: 0,
            answered: false,
        }
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
            Form::Lines(out) => self.style.lines(out, &batch.items),
            Form::Documents(out) => self.style.document(out).whole(batch.page.document()),
            Form::Document(document, out) => {
                if let Some(out) = out.take() {
                    let mut begun = self.style.document(out);
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
pub(super) fn view<'i>(entry: &Entry, item: &'i str) -> Box<dyn View + 'i> {
    (entry.view)(item)
        .or_else(|_| (entry.view)("{}"))
        .expect("every field of a wire type is optional")
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
