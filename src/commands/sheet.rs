//! Small results of our own, in whatever format is asked for: profiles, operations.

use super::finish;
use crate::cli::global::Settings;
use crate::context::Context;
use crate::error::Error;
use crate::operation::column::Cell;
use crate::render::Format;
use crate::render::rows::Rows;

/// Prints rows; `list` is their name in a document.
pub(super) fn print(
    list: &str,
    columns: &[(&str, bool)],
    rows: &[Vec<Cell>],
    settings: &Settings,
    context: &mut Context,
) -> Result<(), Error> {
    let out = &mut context.out;
    let object = |row: &Vec<Cell>| {
        let fields = columns
            .iter()
            .zip(row)
            .map(|((name, _), cell)| ((*name).replace('-', "_"), cell.json()));
        serde_json::Value::Object(fields.collect()).to_string()
    };
    let listed = match settings.format {
        Format::Jsonl => settings
            .style
            .lines(out, rows.iter().map(object))
            .map(|()| Vec::new()),
        Format::Json | Format::Yaml => {
            let mut document = settings.style.document(out);
            document
                .list(list)
                .and_then(|()| {
                    rows.iter()
                        .try_for_each(|row| document.element(&object(row)))
                })
                .and_then(|()| document.end())
                .map(|()| Vec::new())
        }
        format => {
            let mut table = Rows::new(format, columns, &settings.shape)?;
            let written = rows
                .iter()
                .try_for_each(|row| table.row(out, |column| row[column].clone()));
            written.and_then(|()| table.end(out))
        }
    };
    finish(listed, out, &context.ui)
}
