//! One document, json or yaml, written as its parts arrive: a listing of any length takes no more memory than a page,
//! and the document is closed properly even when the listing breaks off.

use std::io::{self, Write};

use super::style::{self, Style};
use super::{json, yaml};

/// A document on its way out.
pub struct Document<'w> {
    out: &'w mut dyn Write,
    style: Style,
    /// The whole of it, where a program is to see it.
    gathered: Vec<u8>,
    fields: usize,
    elements: Option<usize>,
}

impl<'w> Document<'w> {
    pub(super) fn new(out: &'w mut dyn Write, style: Style) -> Self {
        Document {
            out,
            style,
            gathered: Vec::new(),
            fields: 0,
            elements: None,
        }
    }

    /// A field with a raw JSON value.
    pub fn field(&mut self, name: &str, raw: &str) -> io::Result<()> {
        self.end_list()?;
        if self.style.yaml {
            self.fields += 1;
            return yaml::field(self.out, name, raw, 0);
        }
        self.name(name)?;
        self.value(raw, 1)
    }

    /// A field that is a list; its elements follow.
    pub fn list(&mut self, name: &str) -> io::Result<()> {
        self.end_list()?;
        self.name(name)?;
        self.elements = Some(0);
        if !self.style.yaml {
            self.out().write_all(b"[")?;
        }
        Ok(())
    }

    /// An element of the list.
    pub fn element(&mut self, raw: &str) -> io::Result<()> {
        let count = self.elements.get_or_insert(0);
        *count += 1;
        let is_first = *count == 1;
        if self.style.yaml {
            if is_first {
                self.out.write_all(b"\n")?;
            }
            return yaml::element(self.out, raw, 1);
        }
        if !is_first {
            self.out().write_all(b",")?;
        }
        json::new_line(self.out(), 2)?;
        self.value(raw, 2)
    }

    /// Ends the document.
    pub fn end(mut self) -> io::Result<()> {
        self.end_list()?;
        match self.fields {
            0 => self.out().write_all(b"{}\n")?,
            _ if self.style.yaml => {}
            _ => self.out().write_all(b"\n}\n")?,
        }
        self.leave()
    }

    /// The whole document at once, as somebody else wrote it.
    pub fn whole(mut self, raw: &str) -> io::Result<()> {
        if self.style.yaml {
            for (name, raw) in yaml::fields(raw)? {
                self.field(&name, raw.get())?;
            }
            return self.end();
        }
        self.value(raw, 0)?;
        self.out().write_all(b"\n")?;
        self.leave()
    }

    fn leave(self) -> io::Result<()> {
        match &self.style.program {
            Some(program) => program.document(self.out, style::text(self.gathered)),
            None => Ok(()),
        }
    }

    fn out(&mut self) -> &mut dyn Write {
        match self.style.program {
            Some(_) => &mut self.gathered,
            None => self.out,
        }
    }

    fn value(&mut self, raw: &str, level: usize) -> io::Result<()> {
        if self.style.program.is_some() {
            // A program does not see the layout.
            return self.out().write_all(raw.as_bytes());
        }
        json::pretty(self.out, raw, level, self.style.for_terminal)
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        self.fields += 1;
        if self.style.yaml {
            return write!(self.out, "{name}:");
        }
        let begin: &[u8] = if self.fields == 1 { b"{" } else { b"," };
        let out = self.out();
        out.write_all(begin)?;
        json::new_line(out, 1)?;
        write!(out, "{}: ", serde_json::Value::from(name))
    }

    fn end_list(&mut self) -> io::Result<()> {
        let yaml = self.style.yaml;
        match self.elements.take() {
            None => Ok(()),
            Some(0) if yaml => self.out.write_all(b" []\n"),
            Some(_) if yaml => Ok(()),
            Some(0) => self.out().write_all(b"]"),
            Some(_) => {
                json::new_line(self.out(), 1)?;
                self.out().write_all(b"]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(yaml: bool, elements: &[&str]) -> String {
        let mut out = Vec::new();
        let style = Style {
            yaml,
            ..Style::default()
        };
        let mut document = style.document(&mut out);
        document.field("RequestId", "\"R\"").unwrap();
        document.list("List").unwrap();
        for element in elements {
            document.element(element).unwrap();
        }
        document.field("PageInfo", r#"{"Count":1}"#).unwrap();
        document.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lists_of_any_length_close_properly() {
        for elements in [&[][..], &["{\"a\":1}"], &["1", "[2]"]] {
            let json = document(false, elements);
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(
                value["List"].as_array().unwrap().len(),
                elements.len(),
                "{json}"
            );
        }
    }

    #[test]
    fn both_styles_say_the_same() {
        assert_eq!(
            document(false, &["{\"a\":1}"]),
            "{\n  \"RequestId\": \"R\",\n  \"List\": [\n    {\n      \"a\": 1\n    }\n  ],\n  \"PageInfo\": {\n    \"Count\": 1\n  }\n}\n"
        );
        assert_eq!(
            document(true, &["{\"a\":1}"]),
            "RequestId: R\nList:\n  - a: 1\nPageInfo:\n  Count: 1\n"
        );
        assert_eq!(
            document(true, &[]),
            "RequestId: R\nList: []\nPageInfo:\n  Count: 1\n"
        );
    }
}
