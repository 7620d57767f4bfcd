//! Prints what a provider's operation answers, in any format, page by page.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::cli::global::Settings;
use crate::client::pages::Batch;
use crate::error::Error;
use crate::operation::mend::mended;
use crate::operation::page::Page;
use crate::operation::{Entry, Items, Total, View};
use crate::render::Format;
use crate::render::document::Document;
use crate::render::json;
use crate::render::rows::Rows;
use crate::render::style::Style;

/// A provider's items on their way out.
pub(super) struct Listing<'w> {
    entry: &'static Entry,
    style: Style,
    form: Form<'w>,
    /// With `--page`, or where the whole document is the item: documents go out as the server sent them.
    as_sent: bool,
    /// The counters of the first page, to be adjusted at the end: name and raw value.
    counters: Option<(String, String)>,
    /// The server's last word, to each query, on how many items there are.
    totals: BTreeMap<usize, u64>,
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
            totals: BTreeMap::new(),
            printed: 0,
            answered: false,
        }
    }

    /// Prints what is new in a page of a query.
    pub(super) fn page(&mut self, query: usize, batch: &Batch<'_>) -> io::Result<()> {
        self.totals
            .extend(batch.page.total.map(|total| (query, total)));
        self.printed += batch.items.len() as u64;
        self.answered = true;
        match &mut self.form {
            Form::Rows(out, rows) => {
                for item in &batch.items {
                    view(self.entry, item, |view| {
                        rows.row(out, |column| view.cell(column))
                    })?;
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

    /// Ends the output, after whatever arrived. Gives the names of columns for which the terminal has no room.
    ///
    /// The total stays the server's, unless items were filtered here: those that are left out are no part of it.
    pub(super) fn end(self, is_filtered: bool) -> io::Result<Vec<String>> {
        let counted = if is_filtered {
            0
        } else {
            self.totals.values().sum()
        };
        let total = self.printed.max(counted);
        match self.form {
            _ if !self.answered => Ok(Vec::new()),
            Form::Rows(out, mut rows) => rows.end(out),
            Form::Document(document, ..) => {
                if let Some(mut document) = *document {
                    if let Some((name, counters)) = self.counters {
                        let counters = adjusted(&counters, self.printed, total);
                        document.field(&name, &counters)?;
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

/// Gives `look` the typed view of an item. What is no object at all has no fields.
pub(super) fn view<T>(entry: &Entry, item: &str, look: impl FnOnce(&dyn View) -> T) -> T {
    // The wire types would take a list's elements for fields.
    let object = if item.starts_with('{') { item } else { "{}" };
    let readable;
    let view = match (entry.view)(object) {
        Ok(view) => view,
        Err(_) => {
            readable = mended(object).unwrap_or_default();
            (entry.view)(&readable).expect("any object can be read once it is mended")
        }
    };
    look(&*view)
}

/// Writes the envelope and opens the list. Gives the counters, which come last: only then are they known.
fn begin(
    document: &mut Document<'_>,
    entry: &Entry,
    page: &Page,
) -> io::Result<Option<(String, String)>> {
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
            counters = Some((name.to_owned(), raw.to_owned()));
        } else {
            document.field(name, raw)?;
        }
    }
    document.list(key)?;
    Ok(counters)
}

/// Counters of the merged document: one page, as large as what is printed, of `total` items. All else stays as it was
/// sent, and so does what counts nothing.
fn adjusted(counters: &str, printed: u64, total: u64) -> String {
    match counters.as_bytes().first() {
        Some(b'{') => {}
        Some(b'"' | b'0'..=b'9') if counters.trim_matches('"').parse::<u64>().is_ok() => {
            return total.to_string();
        }
        _ => return counters.to_owned(),
    }
    let Ok(fields) = json::fields(counters) else {
        return counters.to_owned();
    };
    let fields = fields.iter().map(|(name, raw)| {
        // What counts nothing that can be read stays as it was sent.
        let is_count = raw.get().trim_matches('"').parse::<u64>().is_ok();
        let counted = match name.get() {
            r#""CurrentPage""# => Some(1),
            r#""PageSize""# | r#""Count""# => Some(printed),
            r#""TotalCount""# => Some(total),
            _ => None,
        };
        let counted = counted.filter(|_| is_count);
        let value = counted.map_or(raw.to_string(), |count| count.to_string());
        format!("{name}:{value}")
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_counted_anew_and_nothing_else_is_touched() {
        for (sent, shown) in [
            (
                r#"{"CurrentPage": 3, "PageSize":"20","New":1.10,"TotalCount":9,"n":12345678901234567890123}"#,
                r#"{"CurrentPage":1,"PageSize":5,"New":1.10,"TotalCount":7,"n":12345678901234567890123}"#,
            ),
            ("40", "7"),
            (r#""40""#, "7"),
            ("null", "null"),
            ("1e400", "1e400"),
            (
                r#"{"PageSize":20,"TotalCount":999999999999999999999999}"#,
                r#"{"PageSize":5,"TotalCount":999999999999999999999999}"#,
            ),
            ("[]", "[]"),
        ] {
            assert_eq!(adjusted(sent, 5, 7), shown);
        }
    }
}
