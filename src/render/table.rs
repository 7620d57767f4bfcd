//! Aligned columns for people.
//!
//! Rows are laid out in blocks, so a long listing shows its first rows at once and never has to fit into memory. On a
//! terminal the first block decides the widths: long texts are cut with `…`, and where even that does not fit, the
//! least important columns are left out, unless they were asked for. In a pipe nothing is cut.
//!
//! Laid out here: comfy-table counts widths in 16 bits and panics on a cell of 64 KiB, which any server can send.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

use super::room::{GAP, cut, fit, width};
use super::safe;
use super::when::{self, Times, duration};
use crate::operation::column::Cell;
use crate::task::Status;

/// Rows laid out together.
const BLOCK: usize = 200;

/// No column is cut to less than this; the first, which holds the id, is never cut.
const NARROWEST: usize = 12;

/// In a pipe, cells wider than this are not waited for by their neighbours.
const ALIGNED: usize = 120;

/// A cell as it will be shown.
struct Shown {
    /// Where its text stands in the block's.
    text: Range<usize>,
    /// Columns of the screen that the text takes.
    width: usize,
    status: Option<Status>,
    /// Only free text is cut: half a time or number says the wrong thing.
    can_be_cut: bool,
}

/// Rows that wait to be laid out together: one text for all of their cells, because a text for each would take longer
/// than laying it out.
#[derive(Default)]
struct Block {
    text: String,
    cells: Vec<Shown>,
}

impl Block {
    /// Adds a value as people read it.
    fn add(&mut self, cell: &Cell<'_>, times: Times) {
        let start = self.text.len();
        match cell {
            Cell::Empty => self.text.push('-'),
            Cell::Time(time) => when::show(&mut self.text, *time, times),
            Cell::Duration(ms) => self.text.push_str(&duration(*ms)),
            Cell::Percent(_) => self.text.extend([&cell.plain(), "%"]),
            Cell::Text(_) | Cell::Status(_) | Cell::Number(_) => {
                self.text.push_str(&safe::escape(&cell.plain()));
            }
        }
        self.cells.push(Shown {
            text: start..self.text.len(),
            width: width(&self.text[start..]),
            status: match cell {
                Cell::Status(status) => Some(*status),
                _ => None,
            },
            can_be_cut: matches!(cell, Cell::Text(_) | Cell::Empty),
        });
    }

    fn rows(&self, columns: usize) -> impl Iterator<Item = &[Shown]> {
        self.cells.chunks(columns.max(1))
    }
}

/// A table on its way out.
pub struct Table {
    header: Option<Vec<String>>,
    terminal: Option<usize>,
    color: bool,
    times: Times,
    block: Block,
    widths: Vec<usize>,
    /// Whether nothing is cut or left out, whatever the room.
    is_whole: bool,
    /// Columns that are shown, once the widths are known.
    kept: Option<usize>,
    columns: usize,
}

impl Table {
    /// A table; `terminal` is the width of the terminal that it must fit.
    pub fn new(
        header: Option<Vec<String>>,
        terminal: Option<u16>,
        color: bool,
        times: Times,
    ) -> Self {
        Table {
            columns: header.as_ref().map_or(0, Vec::len),
            header,
            terminal: terminal.map(usize::from),
            color,
            times,
            block: Block::default(),
            widths: Vec::new(),
            is_whole: false,
            kept: None,
        }
    }

    /// The same table, of which nobody wants anything left out: lines are as long as in a pipe, and the terminal wraps
    /// them.
    #[must_use]
    pub fn whole(self, is_whole: bool) -> Self {
        Table {
            is_whole,
            terminal: self.terminal.filter(|_| !is_whole),
            ..self
        }
    }

    /// Takes the width of the terminal anew, before the first row.
    pub fn fit(&mut self, terminal: Option<u16>) {
        self.terminal = terminal.map(usize::from).filter(|_| !self.is_whole);
    }

    /// One row.
    pub fn row<'c>(
        &mut self,
        out: &mut dyn Write,
        cells: impl Iterator<Item = Cell<'c>>,
    ) -> io::Result<()> {
        let before = self.block.cells.len();
        cells.for_each(|cell| self.block.add(&cell, self.times));
        self.columns = self.block.cells.len() - before;
        match self.block.cells.len() < BLOCK * self.columns {
            true => Ok(()),
            false => self.flush(out),
        }
    }

    /// Writes what is left.
    pub fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.block.cells.is_empty() && self.header.is_none() {
            return Ok(());
        }
        self.flush(out)
    }

    /// The columns for which there was no room.
    pub fn dropped(&self) -> std::ops::Range<usize> {
        self.kept.unwrap_or(self.columns)..self.columns
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let header = self.header.take();
        let block = std::mem::take(&mut self.block);
        self.measure(header.as_deref(), &block);
        let widths = &self.widths[..self.kept.unwrap_or(self.widths.len())];
        let fits = self.terminal.is_some();
        let mut lines = String::new();
        if let Some(header) = header {
            let style = if self.color { "1" } else { "" };
            let cells = header.iter().map(|name| (&**name, width(name), style));
            line(&mut lines, cells.zip(widths), fits);
        }
        for row in block.rows(self.columns) {
            let cells = row.iter().map(|shown| {
                let style = shown.status.filter(|_| self.color).map_or("", color);
                (&block.text[shown.text.clone()], shown.width, style)
            });
            line(&mut lines, cells.zip(widths), fits);
        }
        out.write_all(lines.as_bytes())
    }

    /// Decides the widths: on a terminal once, by the first block; in a pipe they may still grow.
    fn measure(&mut self, header: Option<&[String]>, block: &Block) {
        if self.terminal.is_some() && self.kept.is_some() {
            return;
        }
        self.widths.resize(self.columns, 0);
        let mut least = vec![NARROWEST; self.columns];
        for (index, name) in header.unwrap_or_default().iter().enumerate() {
            self.widths[index] = self.widths[index].max(width(name));
        }
        let rows = block.rows(self.columns);
        for (index, shown) in rows.flat_map(|row| row.iter().enumerate()) {
            let width = shown.width;
            // One endless cell must not push every other row a screen to the right.
            if self.terminal.is_some() || width <= ALIGNED {
                self.widths[index] = self.widths[index].max(width);
            }
            if index == 0 || !shown.can_be_cut {
                least[index] = least[index].max(width);
            }
        }
        let Some(terminal) = self.terminal else {
            return;
        };
        let mut kept = self.columns;
        while kept > 1 && !fit(&mut self.widths[..kept], &least, terminal) {
            kept -= 1;
        }
        self.kept = Some(kept);
    }
}

/// Adds a row: text, width and style of each cell, with the width of its column. No spaces at the end.
fn line<'a>(
    lines: &mut String,
    cells: impl Iterator<Item = ((&'a str, usize, &'a str), &'a usize)>,
    fits: bool,
) {
    let mut gap = 0;
    for ((text, shown, style), column) in cells {
        let (text, shown) = match fits && shown > *column {
            true => {
                let cut = cut(text, *column);
                let shown = width(&cut);
                (cut, shown)
            }
            false => (Cow::Borrowed(text), shown),
        };
        if shown > 0 {
            spaces(lines, gap);
            gap = 0;
        }
        if style.is_empty() || shown == 0 {
            lines.push_str(&text);
        } else {
            for part in ["\x1b[", style, "m", &text, "\x1b[0m"] {
                lines.push_str(part);
            }
        }
        gap += column.saturating_sub(shown) + GAP;
    }
    lines.push('\n');
}

/// Adds spaces, many at a time.
fn spaces(lines: &mut String, count: usize) {
    const SOME: &str = "                                ";
    for from in (0..count).step_by(SOME.len()) {
        lines.push_str(&SOME[..SOME.len().min(count - from)]);
    }
}

/// The colour of a status, as the number of its escape sequence.
pub(super) fn color(status: Status) -> &'static str {
    match status {
        Status::Pending => "90",
        Status::Running => "36",
        Status::Succeeded => "32",
        Status::Partial | Status::TimedOut => "33",
        Status::Failed => "31",
        Status::Unknown => "35",
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn rendered(terminal: Option<u16>, color: bool, rows: &[[&str; 3]]) -> (String, Vec<usize>) {
        let header = ["ID", "TARGET", "NOTE"].map(str::to_owned).to_vec();
        let mut table = Table::new(Some(header), terminal, color, Times::Utc);
        let mut out = Vec::new();
        for row in rows {
            table
                .row(&mut out, row.iter().map(|text| Cell::from(*text)))
                .unwrap();
        }
        table.end(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), table.dropped().collect())
    }

    #[test]
    fn wide_characters_line_up() {
        let (shown, _) = rendered(
            None,
            false,
            &[["1", "镜像", "x"], ["2", "web", "y"], ["3", "🦀", "z"]],
        );
        assert_eq!(
            shown,
            "ID  TARGET  NOTE\n1   镜像    x\n2   web     y\n3   🦀      z\n"
        );
    }

    #[test]
    fn a_terminal_gets_cut_texts_and_a_pipe_all_of_them() {
        let long = "a-target-with-a-really-long-name-that-goes-on";
        let (shown, dropped) = rendered(Some(34), false, &[["1", long, "note"]]);
        assert_eq!(
            shown,
            "ID  TARGET                    NOTE\n1   a-target-with-a-really-…  note\n"
        );
        assert!(dropped.is_empty());
        assert!(
            rendered(None, false, &[["1", long, "note"]])
                .0
                .contains(long)
        );
    }

    #[test]
    fn columns_without_room_are_dropped_from_the_end() {
        let id = "0123456789012345678901234567";
        let (shown, dropped) = rendered(
            Some(44),
            false,
            &[[id, "a-long-target-name", "a-note-that-is-long"]],
        );
        assert_eq!(dropped, [2]);
        assert!(shown.lines().all(|line| line.width() <= 44), "{shown}");
        assert!(shown.contains(id));
    }

    #[test]
    fn columns_that_were_asked_for_are_wrapped_but_neither_cut_nor_dropped() {
        let row = [
            "0123456789012345678901234567",
            "a-long-target-name",
            "a-note-that-is-long",
        ];
        let shown = |terminal: u16| {
            let mut table = Table::new(None, Some(terminal), false, Times::Utc).whole(true);
            let mut out = Vec::new();
            table
                .row(&mut out, row.iter().map(|text| Cell::from(*text)))
                .unwrap();
            table.end(&mut out).unwrap();
            assert!(table.dropped().is_empty());
            String::from_utf8(out).unwrap()
        };
        for terminal in [20, 56, 200] {
            assert_eq!(shown(terminal), format!("{}\n", row.join("  ")));
        }
    }

    #[test]
    fn columns_stay_aligned_over_blocks() {
        let mut rows = vec![["1", "first", "x"]; BLOCK];
        rows.push(["2", "t", "last"]);
        let (shown, _) = rendered(None, false, &rows);
        let positions: Vec<_> = [0, BLOCK]
            .map(|i| shown.lines().nth(i + 1).unwrap())
            .to_vec();
        assert_eq!(positions[0].find('x'), positions[1].find("last"));
    }

    #[test]
    fn control_characters_are_measured_as_they_are_shown() {
        let (shown, _) = rendered(None, false, &[["1", "a\x1b[2J", "x"], ["2", "b", "y"]]);
        assert_eq!(
            shown,
            "ID  TARGET    NOTE\n1   a\\x1b[2J  x\n2   b         y\n"
        );
    }

    #[test]
    fn only_statuses_are_coloured_and_only_if_asked() {
        let row = [Cell::Status(Status::Failed), Cell::from("web")];
        for (color, escapes) in [(true, true), (false, false)] {
            let mut table = Table::new(None, None, color, Times::Utc);
            let mut out = Vec::new();
            table.row(&mut out, row.iter().cloned()).unwrap();
            table.end(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap().contains('\x1b'), escapes);
        }
    }
}
