//! Results as rows of cells: chosen columns, sorted if asked, as a table or as separated values.

use std::borrow::Cow;
use std::io::{self, Write};

use super::table::Table;
use super::when::Times;
use super::{Format, safe};
use crate::error::Error;
use crate::nearest::fold;
use crate::operation::column::Cell;

/// What the flags ask of rows.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// `--columns`, in order.
    pub columns: Option<Vec<String>>,
    /// `--sort-by`.
    pub sort_by: Option<String>,
    /// Not `--no-header`.
    pub header: bool,
    /// Whether a table is coloured.
    pub color: bool,
    /// `--utc`.
    pub times: Times,
    /// The terminal's width; none in a pipe, where nothing is cut.
    pub width: Option<u16>,
}

/// Rows on their way out.
pub struct Rows {
    format: Format,
    header: bool,
    /// Whether a person reads it: then csv is escaped as well.
    on_terminal: bool,
    /// Index of each shown column among the known ones.
    shown: Vec<usize>,
    sort_by: Option<usize>,
    sorted: Vec<Vec<Cell<'static>>>,
    names: Vec<String>,
    table: Table,
    records: Records,
    started: bool,
}

impl Rows {
    /// Rows with these known columns: name, and whether only wide tables show it.
    ///
    /// # Errors
    /// A usage error for a column that is not known.
    pub fn new(format: Format, known: &[(&str, bool)], shape: &Shape) -> Result<Self, Error> {
        let find = |flag: &str, name: &str| {
            let wanted = fold(name.trim());
            known
                .iter()
                .position(|(known, _)| *known == wanted)
                .ok_or_else(|| {
                    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                    Error::usage(flag, format!("unknown column: {name}"))
                        .did_you_mean(name, names.iter().copied())
                        .hint(format!("known columns: {}", names.join(", ")))
                })
        };
        let shown = match &shape.columns {
            Some(names) => names
                .iter()
                .map(|name| find("--columns", name))
                .collect::<Result<_, _>>()?,
            None => {
                let all = !matches!(format, Format::Table);
                (0..known.len())
                    .filter(|index| all || !known[*index].1)
                    .collect::<Vec<_>>()
            }
        };
        let names: Vec<_> = shown
            .iter()
            .map(|index| known[*index].0.to_owned())
            .collect();
        let sort_by = shape
            .sort_by
            .as_deref()
            .map(|name| find("--sort-by", name))
            .transpose()?;
        let header = shape
            .header
            .then(|| names.iter().map(|name| name.to_uppercase()).collect());
        Ok(Rows {
            format,
            header: shape.header,
            on_terminal: shape.width.is_some(),
            shown,
            sort_by,
            sorted: Vec::new(),
            names,
            table: Table::new(header, shape.width, shape.color, shape.times)
                .whole(format == Format::Wide || shape.columns.is_some()),
            records: Records::default(),
            started: false,
        })
    }

    /// Takes the terminal's width anew: it may have changed before the first row.
    pub fn fit(&mut self, terminal: Option<u16>) {
        self.table.fit(terminal);
    }

    /// One row; `cell` gives the value of a known column.
    pub fn row<'c>(
        &mut self,
        out: &mut dyn Write,
        cell: impl Fn(usize) -> Cell<'c>,
    ) -> io::Result<()> {
        let shown = std::mem::take(&mut self.shown);
        let cells = shown.iter().map(|index| cell(*index));
        let written = match self.sort_by {
            Some(by) => {
                let keyed = std::iter::once(cell(by)).chain(cells);
                self.sorted.push(keyed.map(Cell::into_owned).collect());
                Ok(())
            }
            None => self.write(out, cells),
        };
        self.shown = shown;
        written
    }

    /// Writes what was held back. Gives the names of columns that the terminal has no room for.
    pub fn end(&mut self, out: &mut dyn Write) -> io::Result<Vec<String>> {
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.sort_by(|a, b| a[0].order(&b[0]));
        for keyed in sorted {
            self.write(out, keyed.into_iter().skip(1))?;
        }
        match self.format {
            Format::Csv | Format::Tsv => self.start(out)?,
            _ => self.table.end(out)?,
        }
        Ok(self.names[self.table.dropped()].to_vec())
    }

    fn write<'c>(
        &mut self,
        out: &mut dyn Write,
        cells: impl Iterator<Item = Cell<'c>>,
    ) -> io::Result<()> {
        match self.format {
            Format::Csv | Format::Tsv => {
                self.start(out)?;
                self.separated(out, cells)
            }
            _ => self.table.row(out, cells),
        }
    }

    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::replace(&mut self.started, true) && self.header {
            let names = self.names.clone();
            self.separated(out, names.iter().map(|name| Cell::from(&**name)))?;
        }
        Ok(())
    }

    fn separated<'c>(
        &mut self,
        out: &mut dyn Write,
        cells: impl Iterator<Item = Cell<'c>>,
    ) -> io::Result<()> {
        if self.format == Format::Tsv {
            // Tabs and line ends are escaped with the other controls, so a line is a row and a tab ends a cell.
            let mut tab = "";
            for cell in cells {
                write!(out, "{tab}{}", safe::escape(&cell.plain()))?;
                tab = "\t";
            }
            return writeln!(out);
        }
        for cell in cells {
            let text = cell.plain();
            let text = match self.on_terminal {
                true => safe::escape(&text),
                false => Cow::Borrowed(&*text),
            };
            self.records
                .field(safe::without_formula(&text).as_bytes())?;
        }
        self.records.end(out)
    }
}

/// Writes one csv record after the other: making a writer costs more than writing a record.
struct Records {
    writer: csv::Writer<Vec<u8>>,
    /// How much of what was written has gone out.
    sent: usize,
}

/// A writer keeps what it wrote. At this length it is replaced.
const LONGEST: usize = 64 * 1024;

impl Default for Records {
    fn default() -> Self {
        Records {
            writer: csv::Writer::from_writer(Vec::new()),
            sent: 0,
        }
    }
}

impl Records {
    fn field(&mut self, cell: &[u8]) -> io::Result<()> {
        Ok(self.writer.write_field(cell)?)
    }

    /// Ends the record and sends it.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.writer.write_record(None::<&[u8]>)?;
        self.writer.flush()?;
        let written = self.writer.get_ref();
        out.write_all(&written[self.sent..])?;
        self.sent = written.len();
        if self.sent > LONGEST {
            *self = Records::default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(format: Format, shape: &Shape, rows: &[[&str; 2]]) -> String {
        let mut out = Vec::new();
        let mut writer = Rows::new(format, &[("name", false), ("note", true)], shape).unwrap();
        for row in rows {
            writer
                .row(&mut out, |index| Cell::from(row[index]))
                .unwrap();
        }
        writer.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn with_header() -> Shape {
        Shape {
            header: true,
            ..Shape::default()
        }
    }

    #[test]
    fn separated_values_are_safe_and_complete() {
        let rows = [["a,b", "=1+1"], ["line\nbreak", "\x1b[31m"]];
        assert_eq!(
            rendered(Format::Csv, &with_header(), &rows),
            "name,note\n\"a,b\",'=1+1\n\"line\nbreak\",\u{1b}[31m\n"
        );
        assert_eq!(
            rendered(Format::Tsv, &with_header(), &rows),
            "name\tnote\na,b\t=1+1\nline\\nbreak\t\\x1b[31m\n"
        );
    }

    #[test]
    fn columns_can_be_chosen_sorted_and_left_without_a_header() {
        let shape = Shape {
            columns: Some(vec!["note".into()]),
            sort_by: Some("name".into()),
            ..Shape::default()
        };
        let rows = [["b", "second"], ["", "last"], ["a", "first"]];
        assert_eq!(
            rendered(Format::Tsv, &shape, &rows),
            "first\nsecond\nlast\n"
        );
    }

    #[test]
    fn an_empty_listing_still_has_its_header() {
        assert_eq!(rendered(Format::Csv, &with_header(), &[]), "name,note\n");
        assert_eq!(rendered(Format::Table, &with_header(), &[]), "NAME\n");
    }

    #[test]
    fn an_unknown_column_is_told_the_known_ones() {
        let shape = Shape {
            columns: Some(vec!["nmae".into()]),
            ..Shape::default()
        };
        let error = Rows::new(Format::Csv, &[("name", false)], &shape)
            .err()
            .unwrap();
        assert_eq!(error.hints, ["did you mean name?", "known columns: name"]);
    }
}
