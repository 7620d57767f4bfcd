//! Points in time, as people and scripts write them.

use std::time::Duration;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, TimeZone, Utc};

use crate::span::span;

/// How a point in time can be written, in the words of the help.
pub const FORMS: &str =
    "RFC 3339, YYYY-MM-DD[ HH:MM[:SS]], epoch milliseconds, or a span back from now (90m, 24h, 7d)";

/// A point in time whose meaning may depend on when the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Named exactly.
    At(DateTime<Utc>),
    /// So long before now.
    Ago(Duration),
}

impl Moment {
    /// Reads RFC 3339, `YYYY-MM-DD[ HH:MM[:SS]]` in local time, epoch milliseconds, or a span back from now.
    ///
    /// # Errors
    /// What can be written instead.
    pub fn parse(text: &str) -> Result<Moment, String> {
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Moment::At(time.to_utc()));
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return epoch_milliseconds(text).map(Moment::At);
        }
        if let Some(local) = local(text) {
            // A time that the clocks skip or repeat: the earlier reading, as in other tools.
            return match Local.from_local_datetime(&local).earliest() {
                Some(time) => Ok(Moment::At(time.to_utc())),
                None => Err("the local clocks skip this time".to_owned()),
            };
        }
        span(text).map(Moment::Ago).map_err(|_| {
            "not a time: write 2026-11-22T09:30:00Z, 2026-11-22, '2026-11-22 09:30', epoch milliseconds, or a span \
             back from now such as 90m, 24h or 7d"
                .to_owned()
        })
    }

    /// The time that is meant, if it is `now`.
    pub fn resolve(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Moment::At(time) => time,
            Moment::Ago(span) => chrono::TimeDelta::from_std(span)
                .ok()
                .and_then(|span| now.checked_sub_signed(span))
                .unwrap_or(DateTime::UNIX_EPOCH)
                // The services count from the epoch: nothing is older.
                .max(DateTime::UNIX_EPOCH),
        }
    }
}

fn epoch_milliseconds(text: &str) -> Result<DateTime<Utc>, String> {
    let ms: i64 = text
        .parse()
        .map_err(|_| "too large for epoch milliseconds".to_owned())?;
    // Ten digits are the seconds of our time: nobody means a day of January 1970.
    if (1_000_000_000..10_000_000_000).contains(&ms) {
        return Err(format!(
            "epoch times are in milliseconds: did you mean {text}000?"
        ));
    }
    DateTime::from_timestamp_millis(ms).ok_or_else(|| "too large for epoch milliseconds".to_owned())
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let text = text.replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
        .or_else(|| {
            NaiveDate::parse_from_str(&text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        match Moment::parse(text) {
            Ok(Moment::At(time)) => Some(time.to_rfc3339()),
            _ => None,
        }
    }

    #[test]
    fn exact_times_are_read_in_every_documented_form() {
        assert_eq!(
            utc("2026-11-22T09:30:00+08:00").as_deref(),
            Some("2026-11-22T01:30:00+00:00")
        );
        assert_eq!(
            utc("1700000000000").as_deref(),
            Some("2023-11-14T22:13:20+00:00")
        );
        for local in [
            "2026-11-22",
            "2026-11-22 09:30",
            "2026-11-22 09:30:01",
            "2026-11-22T09:30",
        ] {
            assert!(utc(local).is_some(), "{local}");
        }
    }

    #[test]
    fn spans_go_back_from_now() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        for (text, seconds) in [
            ("90m", 5400),
            ("24h", 86_400),
            ("7d", 604_800),
            ("1h30m", 5400),
        ] {
            let then = Moment::parse(text).unwrap().resolve(now);
            assert_eq!((now - then).num_seconds(), seconds, "{text}");
        }
        let ever = Moment::parse("36000d").unwrap().resolve(now);
        assert_eq!(ever, DateTime::UNIX_EPOCH);
    }

    #[test]
    fn what_is_no_time_says_what_is() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11-22 25:00",
            "-5m",
            "99999999999999999999",
        ] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
        assert!(Moment::parse("yesterday").unwrap_err().contains("24h"));
        assert!(
            Moment::parse("1700000000")
                .unwrap_err()
                .contains("1700000000000")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}") {
            if let Ok(moment) = Moment::parse(&text) {
                moment.resolve(DateTime::UNIX_EPOCH);
            }
        }
    }
}
