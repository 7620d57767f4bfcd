//! The room that texts take on a screen, and how they are made to fit. Nothing in them is a control character any more.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Space between columns.
pub(super) const GAP: usize = 2;

/// Columns of the screen that a text takes.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// Narrows the widest columns until the row fits. Leaves them as they are if that can't be.
pub(super) fn fit(widths: &mut [usize], least: &[usize], terminal: usize) -> bool {
    let room = terminal.saturating_sub(GAP * widths.len().saturating_sub(1));
    let narrowest = widths
        .iter()
        .zip(least)
        .map(|(width, least)| width.min(least))
        .sum::<usize>();
    if narrowest > room {
        return false;
    }
    while widths.iter().sum::<usize>() > room {
        let narrower = widths
            .iter_mut()
            .zip(least)
            .filter(|(width, least)| **width > **least);
        match narrower.max_by_key(|(width, _)| **width) {
            Some((widest, _)) => *widest -= 1,
            None => return false,
        }
    }
    true
}

/// The text, cut to `width` columns with an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut end = 0;
    let mut taken = 0;
    for (index, c) in text.char_indices() {
        taken += c.width().unwrap_or(0);
        if taken > width.saturating_sub(1) {
            break;
        }
        end = index + c.len_utf8();
    }
    match width {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{}…", &text[..end])),
    }
}
