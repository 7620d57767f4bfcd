//! One document, json or yaml, written as its parts arrive: a listing of any length takes no more memory than a page,
//! and the document is closed properly even when the listing breaks off.

use std::io::{self, Write};

use super::{json, yaml};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Indented JSON.
    Json,
    /// Indented JSON with escapes for what a terminal might obey.
    JsonForTerminal,
    /// YAML.
    Yaml,
}

/// A document that is an object.
pub struct Document<'w> {
    out: &'w mut dyn Write,
    style: Style,
    fields: usize,
    elements: Option<usize>,
}

impl<'w> Document<'w> {
    /// Begins a document.
    pub fn new(out: &'w mut dyn Write, style: Style) -> Self {
        Document {
            out,
            style,
            fields: 0,
            elements: None,
        }
    }

    /// A field with a raw JSON value.
    pub fn field(&mut self, name: &str, raw: &str) -> io::Result<()> {
        self.end_list()?;
        if self.style == Style::Yaml {
            self.fields += 1;
            return yaml::field(self.out, name, raw, 0);
        }
        self.name(name)?;
        json::pretty(self.out, raw, 1, self.style == Style::JsonForTerminal)
    }

    /// A field that is a list; its elements follow.
    pub fn list(&mut self, name: &str) -> io::Result<()> {
        self.end_list()?;
        self.name(name)?;
        self.elements = Some(0);
        if self.style != Style::Yaml {
            self.out.write_all(b"[")?;
        }
        Ok(())
    }

    /// An element of the list.
    pub fn element(&mut self, raw: &str) -> io::Result<()> {
        let count = self.elements.get_or_insert(0);
        *count += 1;
        let is_first = *count == 1;
        if self.style == Style::Yaml {
            if is_first {
                self.out.write_all(b"\n")?;
            }
            return yaml::element(self.out, raw, 1);
        }
        if !is_first {
            self.out.write_all(b",")?;
        }
        json::new_line(self.out, 2)?;
        json::pretty(self.out, raw, 2, self.style == Style::JsonForTerminal)
    }

    /// Ends the document.
    pub fn end(mut self) -> io::Result<()> {
        self.end_list()?;
        match (self.style, self.fields) {
            (_, 0) => self.out.write_all(b"{}\n"),
            (Style::Yaml, _) => Ok(()),
            _ => self.out.write_all(b"\n}\n"),
        }
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        self.fields += 1;
        if self.style == Style::Yaml {
            return write!(self.out, "{name}:");
        }
        self.out
            .write_all(if self.fields == 1 { b"{" } else { b"," })?;
        json::new_line(self.out, 1)?;
        write!(self.out, "{}: ", serde_json::Value::from(name))
    }

    fn end_list(&mut self) -> io::Result<()> {
        match (self.elements.take(), self.style) {
            (None, _) => Ok(()),
            (Some(0), Style::Yaml) => self.out.write_all(b" []\n"),
            (Some(_), Style::Yaml) => Ok(()),
            (Some(0), _) => self.out.write_all(b"]"),
            (Some(_), _) => {
                json::new_line(self.out, 1)?;
                self.out.write_all(b"]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(style: Style, elements: &[&str]) -> String {
        let mut out = Vec::new();
        let mut document = Document::new(&mut out, style);
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
            let json = document(Style::Json, elements);
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
            document(Style::Json, &["{\"a\":1}"]),
            "{\n  \"RequestId\": \"R\",\n  \"List\": [\n    {\n      \"a\": 1\n    }\n  ],\n  \"PageInfo\": {\n    \"Count\": 1\n  }\n}\n"
        );
        assert_eq!(
            document(Style::Yaml, &["{\"a\":1}"]),
            "RequestId: R\nList:\n  - a: 1\nPageInfo:\n  Count: 1\n"
        );
        assert_eq!(
            document(Style::Yaml, &[]),
            "RequestId: R\nList: []\nPageInfo:\n  Count: 1\n"
        );
    }
}
