//! Times and durations as people read them.

use chrono::{DateTime, Local, Utc};

use crate::moment;

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// In the zone of the machine (or `TZ`).
    #[default]
    Local,
    /// UTC, marked with a `Z`.
    Utc,
    /// As the time that has passed until this moment: what a person at a terminal asks for.
    Ago(DateTime<Utc>),
}

/// Adds a point in time.
pub fn show(text: &mut String, time: DateTime<Utc>, times: Times) {
    match times {
        Times::Utc => {
            moment::show(text, time.naive_utc());
            text.push('Z');
        }
        Times::Local => moment::show(text, time.with_timezone(&Local).naive_local()),
        Times::Ago(now) => text.push_str(&ago(time, now)),
    }
}

/// `12s ago`, `3m ago`, `2h ago`, `5d ago`, or `in 3m` for what is yet to come. What is further off than a month has a
/// date: nobody counts so many days.
fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = (now - time).num_seconds();
    let span = match passed.abs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..172_800 => format!("{}h", seconds / 3600),
        seconds @ 172_800..2_592_000 => format!("{}d", seconds / 86_400),
        _ => return time.with_timezone(&Local).format("%Y-%m-%d").to_string(),
    };
    match passed {
        ..0 => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

/// `850ms`, `42s`, `3m 5s`, `2h 10m`, `3d 4h`: two units are enough to compare by.
pub fn duration(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 if ms > 0 => format!("{ms}ms"),
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let mut text = String::new();
        show(&mut text, time, Times::Ago(now));
        text
    }

    #[test]
    fn times_are_counted_back_from_now_until_they_are_a_month_old() {
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let shown = [0, 59, 60, 3599, 3600, 172_799, 172_800, 2_591_999, -90]
            .map(|passed| text(now - chrono::TimeDelta::seconds(passed), now));
        assert_eq!(
            shown,
            [
                "0s ago", "59s ago", "1m ago", "59m ago", "1h ago", "47h ago", "2d ago", "29d ago",
                "in 1m"
            ]
        );
        let month = now - chrono::TimeDelta::days(31);
        let date = month.with_timezone(&Local).format("%Y-%m-%d").to_string();
        assert_eq!(text(month, now), date);
    }

    #[test]
    fn durations_have_two_units() {
        let shown = [0, 850, 42_000, 185_000, 7_800_000, 273_600_000].map(duration);
        assert_eq!(shown, ["0s", "850ms", "42s", "3m 5s", "2h 10m", "3d 4h"]);
    }
}
