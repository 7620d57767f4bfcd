//! What a table can show of an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::lenient::{Int, List, Text};
use crate::moment::rfc3339;
use crate::task::details::Details;
use crate::task::{Facts, Status};

/// One value of a table, typed so that each format can show it in its own way and sorting is by meaning.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// The server said nothing.
    Empty,
    /// Text.
    Text(String),
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

impl Cell {
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
    pub fn order(&self, other: &Cell) -> Ordering {
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

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            Cell::Empty
        } else {
            Cell::Text(text.to_owned())
        }
    }
}

impl From<&Text> for Cell {
    fn from(text: &Text) -> Self {
        text.owned().map_or(Cell::Empty, Cell::Text)
    }
}

impl From<Int> for Cell {
    fn from(Int(number): Int) -> Self {
        number.map_or(Cell::Empty, |number| Cell::Number(number as f64))
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Cell::Empty, Cell::Text)
    }
}

impl From<&List<Text>> for Cell {
    fn from(list: &List<Text>) -> Self {
        let texts: Vec<_> = list.0.iter().filter_map(Text::get).collect();
        Cell::from(texts.join(",").as_str())
    }
}

impl From<Option<DateTime<Utc>>> for Cell {
    fn from(time: Option<DateTime<Utc>>) -> Self {
        time.map_or(Cell::Empty, Cell::Time)
    }
}

impl From<Option<Details>> for Cell {
    fn from(details: Option<Details>) -> Self {
        details.map_or(Cell::Empty, |details| Cell::Text(details.to_string()))
    }
}

/// A column of an operation's table.
pub struct Column<V> {
    /// Its name in `--columns` and, in capitals, in the header.
    pub name: &'static str,
    /// Only shown by `-o wide` and by name.
    pub wide: bool,
    /// Its value for one item.
    pub cell: fn(&V) -> Cell,
}

/// A column that every table shows. Columns are listed most important first: narrow terminals drop them from the end.
pub const fn column<V>(name: &'static str, cell: fn(&V) -> Cell) -> Column<V> {
    Column {
        name,
        wide: false,
        cell,
    }
}

/// A column for `-o wide` and `--columns`.
pub const fn wide<V>(name: &'static str, cell: fn(&V) -> Cell) -> Column<V> {
    Column {
        name,
        wide: true,
        cell,
    }
}

/// Percent done, as the unified task has it.
pub fn progress(facts: &Facts) -> Cell {
    facts
        .progress
        .map_or(Cell::Empty, |percent| Cell::Percent(percent.into()))
}

/// How long it took, as the unified task has it.
pub fn duration(facts: &Facts) -> Cell {
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
