//! Points in time as text, written digit by digit: chrono reads its pattern anew for every value, and that took a large
//! part of each row of a table.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};

/// The one form that results use: RFC 3339, UTC, milliseconds where there are any.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    let mut text = String::with_capacity("2026-11-22T05:04:03.210Z".len());
    seconds(&mut text, time.naive_utc(), 'T');
    match time.timestamp_subsec_millis() % 1000 {
        0 => {}
        ms => {
            text.push('.');
            digits(&mut text, ms, 3);
        }
    }
    text.push('Z');
    text
}

/// Adds `YYYY-MM-DD hh:mm:ss`, as people read it.
pub fn show(text: &mut String, time: NaiveDateTime) {
    seconds(text, time, ' ');
}

fn seconds(text: &mut String, time: NaiveDateTime, between: char) {
    match u32::try_from(time.year()) {
        Ok(year @ 0..=9999) => digits(text, year, 4),
        // Beyond four digits the standards ask for a sign.
        _ => text.push_str(&format!("{:+05}", time.year())),
    }
    for (mark, number) in [
        ('-', time.month()),
        ('-', time.day()),
        (between, time.hour()),
        (':', time.minute()),
        (':', time.second()),
    ] {
        text.push(mark);
        digits(text, number, 2);
    }
}

fn digits(text: &mut String, number: u32, count: u32) {
    for place in (0..count).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::SecondsFormat;

    proptest::proptest! {
        #[test]
        fn any_time_reads_as_chrono_writes_it(ms in -100_000_000_000_000_i64..400_000_000_000_000) {
            let time = DateTime::from_timestamp_millis(ms).unwrap();
            proptest::prop_assert_eq!(rfc3339(time), time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
            let mut shown = String::new();
            show(&mut shown, time.naive_utc());
            proptest::prop_assert_eq!(shown, time.format("%Y-%m-%d %H:%M:%S").to_string());
        }
    }
}
