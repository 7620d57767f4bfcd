//! How results look. Everything here takes values and a writer; nothing asks a cloud.

pub mod document;
pub mod json;
pub mod junit;
pub mod live;
pub mod program;
pub mod request;
mod room;
pub mod rows;
pub mod safe;
pub mod style;
pub mod table;
pub mod when;
pub mod yaml;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Aligned columns, the most important ones.
    #[default]
    Table,
    /// Aligned columns, all of them.
    Wide,
    /// One JSON document.
    Json,
    /// One JSON value a line, as they arrive.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// One YAML document.
    Yaml,
    /// JUnit XML: unified tasks only.
    Junit,
}

impl Format {
    /// Every format, by its name on the command line.
    pub const ALL: [(&'static str, Format); 8] = [
        ("table", Format::Table),
        ("wide", Format::Wide),
        ("json", Format::Json),
        ("jsonl", Format::Jsonl),
        ("csv", Format::Csv),
        ("tsv", Format::Tsv),
        ("yaml", Format::Yaml),
        ("junit", Format::Junit),
    ];

    /// The format of this name.
    pub fn named(name: &str) -> Option<Format> {
        let found = Format::ALL
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, format)| *format)
    }

    /// Whether it has rows and columns.
    pub fn has_columns(self) -> bool {
        matches!(
            self,
            Format::Table | Format::Wide | Format::Csv | Format::Tsv
        )
    }
}
