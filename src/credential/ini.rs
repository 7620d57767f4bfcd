//! The ini files in which both clouds' SDKs keep credentials.
//!
//! Written here for its errors: they name the line, and never quote it, because its neighbour may be a secret.
//!
//! NOTE: Alibaba Cloud's Python SDK cuts a value at its first `#`, inside a secret as well. Here only a line that begins
//! with `#` or `;` is a comment.

use std::path::Path;

use super::seek::line_of;
use crate::error::Error;

/// The sections of a file, in order.
pub struct Ini(Vec<(String, Vec<(String, String)>)>);

/// The keys of one section.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    /// Its name.
    pub name: &'a str,
    entries: &'a [(String, String)],
}

impl Ini {
    /// Reads a file.
    ///
    /// # Errors
    /// With the number of the line that is no section, no `key = value` and no comment.
    pub fn parse(path: &Path, text: &str) -> Result<Ini, Error> {
        let mut sections: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let wrong = |why| Err(line_of(path, index + 1, why));
            if let Some(header) = line.strip_prefix('[') {
                match header.strip_suffix(']') {
                    Some(name) => sections.push((name.trim().to_owned(), Vec::new())),
                    None => return wrong("a section is not closed by ]"),
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return wrong("not of the form key = value");
            };
            match sections.last_mut() {
                Some((_, entries)) => {
                    entries.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()))
                }
                None => return wrong("a key stands before the first [section]"),
            }
        }
        Ok(Ini(sections))
    }

    /// The first section of this name.
    pub fn section(&self, name: &str) -> Option<Section<'_>> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(name, entries)| Section { name, entries })
    }

    /// The names of the sections.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Section<'_> {
    /// A value that is set and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.entries.iter().rev().find(|(known, _)| known == key);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Ini, Error> {
        Ini::parse(Path::new("file"), text)
    }

    #[test]
    fn sections_keys_and_comments_are_read() {
        let ini =
            parse("# c\n[default]\n ; c\nType = access_key\nsecret=a=b#c\nempty =\n[b]\n").unwrap();
        let section = ini.section("default").unwrap();
        assert_eq!(section.get("type"), Some("access_key"));
        assert_eq!(section.get("secret"), Some("a=b#c"));
        assert_eq!(section.get("empty"), None);
        assert_eq!(ini.names(), ["default", "b"]);
    }

    #[test]
    fn mistakes_name_the_line_and_quote_nothing() {
        for (text, line) in [("a = b", 1), ("[s]\nsecret", 2), ("\n[s\n", 2)] {
            let error = parse(text).err().unwrap();
            assert!(error.what.ends_with(&format!("line {line}")), "{error}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]=#;a \\n\\PC]{0,60}") {
            if let Ok(ini) = parse(&text) {
                ini.names();
            }
        }
    }
}
