//! Aligned columns for people.
//!
//! Rows are laid out in blocks, so a long listing shows its first rows at once and never has to fit into memory. On a
//! terminal the first block decides the widths: long texts are cut with `…`, and where even that does not fit, the
//! least important columns are left out. In a pipe nothing is cut.

use std::io::{self, Write};

use chrono::{DateTime, Local, Utc};
use comfy_table::{
    Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, TableStyle, Width,
};
use unicode_width::UnicodeWidthStr;

use super::safe;
use crate::operation::column::Cell;
use crate::task::Status;

/// Rows laid out together.
const BLOCK: usize = 200;

/// Space between columns.
const GAP: usize = 2;

/// No column is cut to less than this; the first, which holds the id, is never cut.
const NARROWEST: usize = 12;

/// In which zone times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// The machine's (or `TZ`).
    #[default]
    Local,
    /// UTC, marked with a `Z`.
    Utc,
}

/// A table on its way out.
pub struct Table {
    header: Option<Vec<String>>,
    terminal: Option<usize>,
    color: bool,
    times: Times,
    block: Vec<Vec<(String, Option<Status>)>>,
    widths: Vec<usize>,
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
            columns: 0,
            header,
            terminal: terminal.map(usize::from),
            color,
            times,
            block: Vec::new(),
            widths: Vec::new(),
            kept: None,
        }
    }

    /// One row.
    pub fn row(&mut self, out: &mut dyn Write, cells: Vec<Cell>) -> io::Result<()> {
        let shown = cells.iter().map(|cell| {
            let status = match cell {
                Cell::Status(status) => Some(*status),
                _ => None,
            };
            (safe::escape(&text(cell, self.times)).into_owned(), status)
        });
        self.block.push(shown.collect());
        if self.block.len() == BLOCK {
            self.flush(out)?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.block.is_empty() && self.header.is_none() {
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
        let kept = self.kept.unwrap_or(self.widths.len());

        let mut table = comfy_table::Table::new();
        table
            .load_style(TableStyle::new())
            .set_content_arrangement(ContentArrangement::Disabled);
        if self.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if let Some(header) = header {
            table.set_header(
                header[..kept]
                    .iter()
                    .zip(&self.widths)
                    .map(|(name, width)| {
                        let cell = comfy_table::Cell::new(cut(name, *width));
                        if self.color {
                            cell.add_attribute(Attribute::Bold)
                        } else {
                            cell
                        }
                    }),
            );
        }
        for row in &block {
            table.add_row(
                row[..kept]
                    .iter()
                    .zip(&self.widths)
                    .map(|((text, status), width)| {
                        let cell = comfy_table::Cell::new(cut(text, *width));
                        match status.filter(|_| self.color) {
                            Some(status) => cell.fg(color(status)),
                            None => cell,
                        }
                    }),
            );
        }
        for (index, width) in self.widths[..kept].iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                let gap = if index + 1 == kept { 0 } else { GAP };
                let width = u16::try_from(width + gap).unwrap_or(u16::MAX);
                column
                    .set_padding((0, gap as u16))
                    .set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)))
                    .set_cell_alignment(CellAlignment::Left);
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Decides the widths: on a terminal once, by the first block; in a pipe they may still grow.
    fn measure(&mut self, header: Option<&[String]>, block: &[Vec<(String, Option<Status>)>]) {
        if self.terminal.is_some() && self.kept.is_some() {
            return;
        }
        self.columns = block
            .first()
            .map(Vec::len)
            .or(header.map(<[_]>::len))
            .unwrap_or_default();
        self.widths.resize(self.columns, 0);
        let texts = block
            .iter()
            .map(|row| row.iter().map(|(text, _)| text.width()).collect::<Vec<_>>());
        let names = header.map(|names| names.iter().map(|name| name.width()).collect());
        for widths in texts.chain(names) {
            for (known, width) in self.widths.iter_mut().zip(widths) {
                *known = (*known).max(width);
            }
        }
        let Some(terminal) = self.terminal else {
            return;
        };
        let mut kept = self.columns;
        while kept > 1 && !fit(&mut self.widths[..kept], terminal) {
            kept -= 1;
        }
        self.kept = Some(kept);
    }
}

/// Narrows the widest columns until the row fits. Leaves them as they are if that can't be.
fn fit(widths: &mut [usize], terminal: usize) -> bool {
    let gaps = GAP * widths.len().saturating_sub(1);
    let room = terminal.saturating_sub(gaps);
    let least: usize = widths.iter().take(1).sum::<usize>()
        + widths
            .iter()
            .skip(1)
            .map(|width| (*width).min(NARROWEST))
            .sum::<usize>();
    if least > room {
        return false;
    }
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().skip(1).max() {
            Some(widest) => *widest -= 1,
            None => return false,
        }
    }
    true
}

/// The text, cut to `width` columns with an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut end = 0;
    for (index, c) in text.char_indices() {
        let next = index + c.len_utf8();
        if text[..next].width() > width.saturating_sub(1) {
            break;
        }
        end = next;
    }
    match width {
        0 => String::new(),
        _ => format!("{}…", &text[..end]),
    }
}

/// A value as people read it.
fn text(cell: &Cell, times: Times) -> String {
    match cell {
        Cell::Empty => "-".to_owned(),
        Cell::Percent(percent) => format!("{percent}%"),
        Cell::Time(time) => moment(*time, times),
        Cell::Duration(ms) => duration(*ms),
        cell => cell.plain(),
    }
}

fn moment(time: DateTime<Utc>, times: Times) -> String {
    match times {
        Times::Utc => time.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        Times::Local => time
            .with_timezone(&Local)
            .format("%Y-%m-%d %H:%M:%S")
            .to_string(),
    }
}

/// `850ms`, `42s`, `3m 5s`, `2h 10m`, `3d 4h`: two units are enough to compare by.
pub fn duration(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 if ms > 0 => format!("{ms}ms"),
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

fn color(status: Status) -> Color {
    match status {
        Status::Pending => Color::DarkGrey,
        Status::Running => Color::Cyan,
        Status::Succeeded => Color::Green,
        Status::Partial | Status::TimedOut => Color::Yellow,
        Status::Failed => Color::Red,
        Status::Unknown => Color::Magenta,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(terminal: Option<u16>, color: bool, rows: &[[&str; 3]]) -> (String, Vec<usize>) {
        let header = ["ID", "TARGET", "NOTE"].map(str::to_owned).to_vec();
        let mut table = Table::new(Some(header), terminal, color, Times::Utc);
        let mut out = Vec::new();
        for row in rows {
            table
                .row(&mut out, row.iter().map(|text| Cell::from(*text)).collect())
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
        let row = vec![Cell::Status(Status::Failed), Cell::from("web")];
        for (color, escapes) in [(true, true), (false, false)] {
            let mut table = Table::new(None, None, color, Times::Utc);
            let mut out = Vec::new();
            table.row(&mut out, row.clone()).unwrap();
            table.end(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap().contains('\x1b'), escapes);
        }
    }

    #[test]
    fn durations_have_two_units() {
        let shown = [0, 850, 42_000, 185_000, 7_800_000, 273_600_000].map(duration);
        assert_eq!(shown, ["0s", "850ms", "42s", "3m 5s", "2h 10m", "3d 4h"]);
    }
}
