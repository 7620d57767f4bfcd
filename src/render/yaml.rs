//! Raw JSON as YAML, without touching a token.
//!
//! Written here, because YAML libraries take numbers as machine numbers: `1.10` and integers of 23 digits would not
//! survive. A string is plain only where no YAML reader could take it for something else; otherwise it stays the JSON
//! string that it is, which YAML reads as it stands.

use std::io::{self, Write};

use serde_json::value::RawValue;

use super::json;
use crate::operation::mend::without_lone_surrogates;

/// Writes the value after a key or a dash, and the line end after it. `level` is the indent of the value's own lines.
pub fn value(out: &mut dyn Write, raw: &str, level: usize) -> io::Result<()> {
    if level > json::DEEPEST {
        // JSON is YAML, on one line.
        out.write_all(b" ")?;
        json::compact(out, raw, true)?;
        return out.write_all(b"\n");
    }
    match raw.as_bytes().first() {
        Some(b'{') => {
            let entries = fields(raw)?;
            if entries.is_empty() {
                return writeln!(out, " {{}}");
            }
            writeln!(out)?;
            entries
                .iter()
                .try_for_each(|(name, raw)| field(out, name, raw.get(), level))
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(raw)?;
            if elements.is_empty() {
                return writeln!(out, " []");
            }
            writeln!(out)?;
            elements
                .iter()
                .try_for_each(|raw| element(out, raw.get(), level))
        }
        Some(b'"') => {
            let text = text(raw)?;
            if is_plain(&text) {
                writeln!(out, " {text}")
            } else {
                writeln!(out, " {}", quoted(&text)?)
            }
        }
        _ => writeln!(out, " {raw}"),
    }
}

/// The fields of an object in their order, values raw.
pub fn fields(raw: &str) -> serde_json::Result<Vec<(String, &RawValue)>> {
    let named = |(name, raw): (&RawValue, _)| Ok((text(name.get())?, raw));
    json::fields(raw)?.into_iter().map(named).collect()
}

/// The text of a JSON string. YAML has no word for half of a surrogate pair either.
fn text(raw: &str) -> serde_json::Result<String> {
    serde_json::from_str(raw).or_else(|_| serde_json::from_str(&without_lone_surrogates(raw)))
}

/// Writes `name: value`.
pub fn field(out: &mut dyn Write, name: &str, raw: &str, level: usize) -> io::Result<()> {
    let name = if is_plain(name) {
        name.to_owned()
    } else {
        quoted(name)?
    };
    write!(out, "{:1$}{name}:", "", level * 2)?;
    value(out, raw, level + 1)
}

/// Writes `- value`; the first field of an object stands on the line of its dash.
pub fn element(out: &mut dyn Write, raw: &str, level: usize) -> io::Result<()> {
    let mut nested = Vec::new();
    value(&mut nested, raw, level + 1)?;
    write!(out, "{:1$}-", "", level * 2)?;
    match nested.strip_prefix(b"\n") {
        // The nested lines are indented by one level more than the dash: two characters, the width of "- ".
        Some(lines) => {
            out.write_all(b" ")?;
            out.write_all(&lines[(level + 1) * 2..])
        }
        None => out.write_all(&nested),
    }
}

/// A JSON string is a YAML string, but for characters that YAML does not take as they are.
fn quoted(text: &str) -> io::Result<String> {
    let mut quoted = String::new();
    for c in serde_json::to_string(text)?.chars() {
        match c {
            c if (super::safe::is_unsafe(c) && (c as u32) < 0x1_0000)
                || matches!(c, '\u{fffe}' | '\u{ffff}') =>
            {
                quoted.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => quoted.push(c),
        }
    }
    Ok(quoted)
}

/// Whether a string needs no quotes: it begins with a letter, holds nothing with a meaning, and is no word that some
/// YAML reader takes for a boolean, a null or a number.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity",
    ];
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(raw: &str) -> String {
        let mut out = Vec::new();
        value(&mut out, raw, 0).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_keep_their_spelling_and_strings_stay_strings() {
        assert_eq!(
            yaml("12345678901234567890123"),
            " 12345678901234567890123\n"
        );
        assert_eq!(yaml("1.10"), " 1.10\n");
        for (raw, shown) in [
            (r#""web""#, " web\n"),
            (r#""no""#, " \"no\"\n"),
            (r#""12:30:00""#, " \"12:30:00\"\n"),
            (r#""2021-10-14""#, " \"2021-10-14\"\n"),
            (r#""1e5""#, " \"1e5\"\n"),
            (r#""a: b""#, " \"a: b\"\n"),
            (r#""""#, " \"\"\n"),
            ("\"\u{85}\u{1F980}\"", " \"\\u0085🦀\"\n"),
            (r#""cut \ud83d""#, " \"cut \u{fffd}\"\n"),
            (r#"{"\udc00":1e400}"#, "\n\"\u{fffd}\": 1e400\n"),
        ] {
            assert_eq!(yaml(raw), shown, "{raw}");
        }
    }

    #[test]
    fn nesting_is_shown_by_indentation() {
        assert_eq!(
            yaml(r#"{"a":[{"b":1,"c":[2,[3]]},{}],"d":{"e":null},"f":[]}"#),
            "\na:\n  - b: 1\n    c:\n      - 2\n      - - 3\n  - {}\nd:\n  e: null\nf: []\n"
        );
    }
}
