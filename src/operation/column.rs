//! What a table can show of an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::lenient::{Int, Text};
use super::{Operation, Row};
use crate::moment::rfc3339;
use crate::task::details::Details;
use crate::task::{Facts, Status};

/// One value of a table, typed so that each format can show it in its own way and sorting is by meaning.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// The server said nothing.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A count or an amount.
    Number(f64),
    /// 0 to 100.
    Percent(i64),
    /// A point in time.
    Time(DateTime<Utc>),
    /// Milliseconds.
    Duration(i64),
    /// What became of it.
    Status(Status),
}

impl Cell<'_> {
    /// The value as programs read it: RFC 3339 times, milliseconds, bare numbers.
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Cell::Empty => Cow::Borrowed(""),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Number(number) => Cow::Owned(spelled(*number)),
            Cell::Percent(percent) => Cow::Owned(percent.to_string()),
            Cell::Time(time) => Cow::Owned(rfc3339(*time)),
            Cell::Duration(ms) => Cow::Owned(ms.to_string()),
            Cell::Status(status) => Cow::Borrowed(status.name()),
        }
    }

    /// The same value, which outlives the page it came in.
    pub fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Empty => Cell::Empty,
            Cell::Text(text) => Cell::Text(text.into_owned().into()),
            Cell::Number(number) => Cell::Number(number),
            Cell::Percent(percent) => Cell::Percent(percent),
            Cell::Time(time) => Cell::Time(time),
            Cell::Duration(ms) => Cell::Duration(ms),
            Cell::Status(status) => Cell::Status(status),
        }
    }

    /// The value as JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Cell::Empty => serde_json::Value::Null,
            Cell::Number(number) if number.fract() == 0.0 => (*number as i64).into(),
            Cell::Number(number) => (*number).into(),
            Cell::Percent(number) | Cell::Duration(number) => (*number).into(),
            Cell::Text(_) | Cell::Time(_) | Cell::Status(_) => self.plain().into(),
        }
    }

    /// Order by meaning; what is not known comes last.
    pub fn order(&self, other: &Cell<'_>) -> Ordering {
        match (self, other) {
            (Cell::Empty, Cell::Empty) => Ordering::Equal,
            (Cell::Empty, _) => Ordering::Greater,
            (_, Cell::Empty) => Ordering::Less,
            (Cell::Number(a), Cell::Number(b)) => a.total_cmp(b),
            (Cell::Percent(a), Cell::Percent(b)) | (Cell::Duration(a), Cell::Duration(b)) => {
                a.cmp(b)
            }
            (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
            (Cell::Status(a), Cell::Status(b)) => a.cmp(b),
            (a, b) => a.plain().cmp(&b.plain()),
        }
    }
}

/// Most numbers are counts, which are quicker to write as such.
fn spelled(number: f64) -> String {
    let whole = number as i64;
    if whole as f64 == number && (1..1 << 53).contains(&whole) {
        whole.to_string()
    } else {
        number.to_string()
    }
}

impl<'a> From<Cow<'a, str>> for Cell<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text.is_empty() {
            true => Cell::Empty,
            false => Cell::Text(text),
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cow::Borrowed(text).into()
    }
}

impl<'a> From<&'a Option<Cow<'_, str>>> for Cell<'a> {
    fn from(text: &'a Option<Cow<'_, str>>) -> Self {
        text.as_deref().map_or(Cell::Empty, Cell::from)
    }
}

impl<'a> From<&'a Text<'_>> for Cell<'a> {
    fn from(Text(text): &'a Text<'_>) -> Self {
        text.into()
    }
}

impl From<Int> for Cell<'_> {
    fn from(Int(number): Int) -> Self {
        number.map_or(Cell::Empty, |number| Cell::Number(number as f64))
    }
}

impl From<Option<DateTime<Utc>>> for Cell<'_> {
    fn from(time: Option<DateTime<Utc>>) -> Self {
        time.map_or(Cell::Empty, Cell::Time)
    }
}

impl From<Option<Details>> for Cell<'_> {
    fn from(details: Option<Details>) -> Self {
        details.map_or(Cell::Empty, |details| {
            Cell::Text(details.to_string().into())
        })
    }
}

/// A column of an operation's table.
pub struct Column<T: Operation> {
    /// Its name in `--columns` and, in capitals, in the header.
    pub name: &'static str,
    /// Only shown by `-o wide` and by name.
    pub wide: bool,
    /// Its value for one item.
    pub cell: CellOf<T>,
}

/// How a cell is made of a row.
pub type CellOf<T> = for<'r, 'a> fn(&'r Row<'a, T>) -> Cell<'r>;

/// A column that every table shows. Columns are listed most important first: narrow terminals drop them from the end.
pub const fn column<T: Operation>(name: &'static str, cell: CellOf<T>) -> Column<T> {
    Column {
        name,
        wide: false,
        cell,
    }
}

/// A column for `-o wide` and `--columns`.
pub const fn wide<T: Operation>(name: &'static str, cell: CellOf<T>) -> Column<T> {
    Column {
        name,
        wide: true,
        cell,
    }
}

/// Percent done, as the unified task has it.
pub fn progress(facts: &Facts<'_>) -> Cell<'static> {
    facts
        .progress
        .map_or(Cell::Empty, |percent| Cell::Percent(percent.into()))
}

/// How long it took, as the unified task has it.
pub fn duration(facts: &Facts<'_>) -> Cell<'static> {
    facts.duration_ms.map_or(Cell::Empty, Cell::Duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_sort_by_meaning_and_the_unknown_comes_last() {
        let mut cells = [Cell::Empty, Cell::Number(10.0), Cell::Number(9.0)];
        cells.sort_by(Cell::order);
        assert_eq!(cells, [Cell::Number(9.0), Cell::Number(10.0), Cell::Empty]);
        let late = Cell::Status(Status::Failed);
        assert_eq!(Cell::Status(Status::Pending).order(&late), Ordering::Less);
    }
}
