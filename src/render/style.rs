//! Where JSON leaves: as a document or as lines, whichever command wrote it, and through the user's program if there is
//! one.

use std::io::{self, Write};
use std::rc::Rc;

use super::document::Document;
use super::json;
use super::program::Program;

/// How documents and lines look.
#[derive(Clone, Default)]
pub struct Style {
    /// YAML, not JSON.
    pub yaml: bool,
    /// Escapes for what a terminal might obey.
    pub for_terminal: bool,
    /// `--jq` or `--query`: what it makes of JSON is printed instead.
    pub program: Option<Rc<Program>>,
}

impl Style {
    /// Begins a document.
    pub fn document<'w>(&self, out: &'w mut dyn Write) -> Document<'w> {
        Document::new(out, self.clone())
    }

    /// Writes each of these documents on a line.
    pub fn lines<T: AsRef<str>>(
        &self,
        out: &mut dyn Write,
        documents: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        let Some(program) = &self.program else {
            return documents
                .into_iter()
                .try_for_each(|raw| line(out, raw.as_ref(), self.for_terminal));
        };
        let mut lines = Vec::new();
        for raw in documents {
            line(&mut lines, raw.as_ref(), false)?;
        }
        program.lines(out, text(lines))
    }
}

fn line(out: &mut dyn Write, raw: &str, for_terminal: bool) -> io::Result<()> {
    json::compact(out, raw, for_terminal)?;
    out.write_all(b"\n")
}

/// What JSON was written to.
pub(super) fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).expect("it was made of text")
}
