//! Raw JSON, laid out anew without touching a token: numbers, strings and key order stay as the server spelled them.

use std::io::{self, Write};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::safe;

/// Spaces for each level.
const INDENT: usize = 2;

/// Writes `raw` on one line; the server's own white space stays where it has no line ends.
///
/// On a terminal, characters that it might obey are written as `\u` escapes: the same string to any JSON reader.
pub fn compact(out: &mut dyn Write, raw: &str, for_terminal: bool) -> io::Result<()> {
    if for_terminal {
        return tokens(raw).try_for_each(|token| string_for_terminal(out, token));
    }
    if memchr::memchr2(b'\n', b'\r', raw.as_bytes()).is_none() {
        return out.write_all(raw.as_bytes());
    }
    tokens(raw).try_for_each(|token| out.write_all(token.as_bytes()))
}

/// Writes `raw` with a line for each element, `level` deep.
///
/// On a terminal, characters that it might obey are written as `\u` escapes: the same string to any JSON reader.
pub fn pretty(
    out: &mut dyn Write,
    raw: &str,
    mut level: usize,
    for_terminal: bool,
) -> io::Result<()> {
    let mut fresh = false;
    for token in tokens(raw) {
        match token {
            "{" | "[" => {
                indent_if(out, &mut fresh, level)?;
                out.write_all(token.as_bytes())?;
                level += 1;
                fresh = true;
            }
            "}" | "]" => {
                level = level.saturating_sub(1);
                if !std::mem::take(&mut fresh) {
                    new_line(out, level)?;
                }
                out.write_all(token.as_bytes())?;
            }
            "," => {
                out.write_all(b",")?;
                new_line(out, level)?;
            }
            ":" => out.write_all(b": ")?,
            scalar => {
                indent_if(out, &mut fresh, level)?;
                if for_terminal {
                    string_for_terminal(out, scalar)?;
                } else {
                    out.write_all(scalar.as_bytes())?;
                }
            }
        }
    }
    Ok(())
}

fn indent_if(out: &mut dyn Write, fresh: &mut bool, level: usize) -> io::Result<()> {
    if std::mem::take(fresh) {
        new_line(out, level)?;
    }
    Ok(())
}

/// Deeper levels are not indented any further: what nests a thousandfold is not meant for eyes, and would grow with the
/// square of its depth.
pub const DEEPEST: usize = 64;

/// Starts a new line, `level` deep.
pub fn new_line(out: &mut dyn Write, level: usize) -> io::Result<()> {
    let level = level.min(DEEPEST);
    write!(out, "\n{:width$}", "", width = level * INDENT)
}

fn string_for_terminal(out: &mut dyn Write, token: &str) -> io::Result<()> {
    for c in token.chars() {
        if safe::is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        } else {
            write!(out, "{c}")?;
        }
    }
    Ok(())
}

/// The tokens of valid JSON, white space left out.
pub(super) fn tokens(raw: &str) -> impl Iterator<Item = &str> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let end = match rest.as_bytes().first()? {
            b'"' => string_end(rest),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => rest
                .find(['{', '}', '[', ']', ',', ':', ' ', '\t', '\n', '\r'])
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

/// Length of the string literal at the start of `text`, quotes included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The fields of an object in their order, names and values as they are spelled.
pub fn fields(raw: &str) -> serde_json::Result<Vec<(&RawValue, &RawValue)>> {
    serde_json::from_str(raw).map(|Object(fields)| fields)
}

struct Object<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const RAW: &str = "{ \"n\" :12345678901234567890123,\"x\":1.10 ,\n \"s\":\"a: {b}, \\\" \\u00e9\", \"e\":{},\"l\":[ ],\"k\":[1,\n[true,null]]}";

    #[test]
    fn layout_changes_and_tokens_do_not() {
        assert_eq!(
            written(|out| compact(out, RAW, false)),
            r#"{"n":12345678901234567890123,"x":1.10,"s":"a: {b}, \" \u00e9","e":{},"l":[],"k":[1,[true,null]]}"#
        );
        assert_eq!(
            written(|out| pretty(out, RAW, 0, false)),
            "{\n  \"n\": 12345678901234567890123,\n  \"x\": 1.10,\n  \"s\": \"a: {b}, \\\" \\u00e9\",\n  \"e\": {},\n  \"l\": [],\n  \"k\": [\n    1,\n    [\n      true,\n      null\n    ]\n  ]\n}"
        );
    }

    #[test]
    fn a_terminal_gets_escapes_that_mean_the_same() {
        let shown = written(|out| pretty(out, "\"a\u{202e}b\u{7f}\u{e0001}\"", 0, true));
        assert_eq!(shown, r#""a\u202eb\u007f\udb40\udc01""#);
        let read: String = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, "a\u{202e}b\u{7f}\u{e0001}");
    }

    proptest::proptest! {
        #[test]
        fn any_document_means_the_same_in_every_layout(text in "\\PC{0,30}", number in proptest::num::i64::ANY) {
            let value = serde_json::json!({"t": text, "list": [number, {"k": text}, []]});
            let raw = serde_json::to_string_pretty(&value).unwrap();
            for shown in [
                written(|out| compact(out, &raw, true)),
                written(|out| pretty(out, &raw, 3, false)),
                written(|out| pretty(out, &raw, 0, true)),
            ] {
                proptest::prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&shown).unwrap(), &value);
            }
        }
    }
}
