//! Text from a server, made safe to show.
//!
//! A task's name is written by whoever pushed the image. It must not be able to move the cursor, recolour the screen,
//! reverse the reading order or start a spreadsheet formula.

use std::borrow::Cow;

/// Whether a terminal might act on the character instead of showing it.
///
/// C0 and C1 controls and DEL; line and paragraph separators; the bidirectional controls of Unicode TR #36; the tag
/// and interlinear characters, which show nothing at all.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{fff9}'..='\u{fffb}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line, with unsafe characters as `\n`, `\t`, `\x1b` or `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_where(text, is_unsafe)
}

/// Like [`escape`], but keeps line breaks: for our own texts that quote a server's.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| c != '\n' && is_unsafe(c))
}

/// Like [`escape_lines`], but keeps tabs too: for text that a user has laid out.
pub fn escape_layout(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| c != '\n' && c != '\t' && is_unsafe(c))
}

fn escape_where(text: &str, escapes: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Every byte is looked at, so that many are looked at together: stopping at the first takes three times as long.
    let is_odd = |odd, byte: &u8| odd | !matches!(byte, b' '..=b'~');
    if !text.as_bytes().iter().fold(false, is_odd) || !text.chars().any(&escapes) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !escapes(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if (c as u32) < 0x100 => escaped.push_str(&format!("\\x{:02x}", c as u32)),
            c => escaped.push_str(&format!("\\u{{{:x}}}", c as u32)),
        }
    }
    Cow::Owned(escaped)
}

/// A cell that no spreadsheet runs as a formula: `=`, `+`, `-`, `@`, also as wide as an ideograph, a tab or a line end at
/// its start gets a `'`.
///
/// Numbers keep their sign: `-5` is no formula.
pub fn without_formula(cell: &str) -> Cow<'_, str> {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n')
            if cell.parse::<f64>().is_err() =>
        {
            Cow::Owned(format!("'{cell}"))
        }
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_direction_overrides_are_shown_not_obeyed() {
        assert_eq!(escape("a\x1b[31mred"), "a\\x1b[31mred");
        assert_eq!(escape("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\r");
        assert_eq!(escape("\u{9b}31m"), "\\x9b31m");
        assert_eq!(escape("cod\u{202e}exe.txt"), "cod\\u{202e}exe.txt");
        assert_eq!(escape("\u{0}\u{7f}"), "\\x00\\x7f");
    }

    #[test]
    fn ordinary_text_of_any_language_passes_untouched() {
        for text in ["prod/web:1.2", "镜像扫描", "naïve 🦀", ""] {
            assert!(matches!(escape(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        assert_eq!(without_formula("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(without_formula("@SUM"), "'@SUM");
        assert_eq!(without_formula("-1+1"), "'-1+1");
        for cell in ["＝1+1", "＋1", "－5", "＠SUM", "\n=1+1", "\r=1", "\t=1"] {
            assert_eq!(without_formula(cell), format!("'{cell}"));
        }
        assert_eq!(without_formula("-5"), "-5");
        assert_eq!(without_formula("web"), "web");
    }
}
