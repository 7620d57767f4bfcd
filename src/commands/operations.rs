//! `scanq operations`: what can be asked.

use std::io::Write;

use serde_json::json;

use super::output;
use crate::cli::global::Settings;
use crate::context::Context;
use crate::error::Error;
use crate::operation::column::Cell;
use crate::provider;
use crate::render::Format;
use crate::render::document::{Document, Style};
use crate::render::rows::Rows;

const COLUMNS: [(&str, bool); 6] = [
    ("cloud", false),
    ("command", false),
    ("operation", false),
    ("version", false),
    ("permission", false),
    ("documentation", true),
];

pub(super) fn run(settings: &Settings, context: &mut Context) -> Result<u8, Error> {
    let all = provider::operations().map(|(provider, entry)| {
        let meta = entry.meta;
        [
            provider.id,
            meta.command,
            meta.api,
            meta.version,
            meta.permission,
            meta.doc,
        ]
    });
    let object = |values: [&str; 6]| {
        let fields = COLUMNS
            .iter()
            .zip(values)
            .map(|((name, _), value)| ((*name).to_owned(), json!(value)));
        serde_json::Value::Object(fields.collect()).to_string()
    };
    let out = &mut context.out;
    let result = match settings.format {
        Format::Jsonl => all.map(object).try_for_each(|line| writeln!(out, "{line}")),
        Format::Json | Format::Yaml => {
            let style = if settings.format == Format::Yaml {
                Style::Yaml
            } else {
                Style::Json
            };
            let mut document = Document::new(out, style);
            document
                .list("operations")
                .and_then(|()| {
                    all.map(object)
                        .try_for_each(|element| document.element(&element))
                })
                .and_then(|()| document.end())
        }
        format => {
            let mut rows = Rows::new(format, &COLUMNS, &settings.shape)?;
            let mut all = all;
            let written =
                all.try_for_each(|values| rows.row(out, |column| Cell::from(values[column])));
            written.and_then(|()| rows.end(out)).map(|dropped| {
                super::operation::report_dropped(&context.ui, &dropped);
            })
        }
    };
    result.and_then(|()| context.out.flush()).map_err(output)?;
    Ok(0)
}
