//! `scanq operations`: what can be asked.

use super::sheet;
use crate::cli::global::Settings;
use crate::context::Context;
use crate::error::Error;
use crate::operation::column::Cell;
use crate::provider;

pub(super) const COLUMNS: [(&str, bool); 6] = [
    ("cloud", false),
    ("command", false),
    ("operation", false),
    ("version", false),
    ("permission", false),
    ("documentation", true),
];

pub(super) fn run(settings: &Settings, context: &mut Context) -> Result<u8, Error> {
    let row = |meta: &crate::operation::Meta, cloud: &'static str| {
        let values = [
            cloud,
            meta.command,
            meta.api,
            meta.version,
            meta.permission,
            meta.doc,
        ];
        values.map(Cell::from).to_vec()
    };
    let rows: Vec<_> = provider::operations()
        .map(|(provider, entry)| row(entry.meta, provider.id))
        .collect();
    sheet::print("operations", &COLUMNS, &rows, settings, context)?;
    Ok(0)
}
