//! Spans of time, as flags, profiles and faults have them: one rule for all.

use std::time::Duration;

/// Longer spans could not be added to a time.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Reads a span: `500ms`, `30s`, `90m`, `24h`, `7d`, or several together (`1h30m`).
///
/// # Errors
/// What can be written instead.
pub fn span(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(span) if span <= LONGEST => Ok(span),
        _ => Err(
            "not a span of time: write a number and a unit, such as 500ms, 30s, 5m, 24h or 7d"
                .to_owned(),
        ),
    }
}

/// Reads a span that is longer than nothing.
///
/// # Errors
/// What can be written instead.
pub fn positive_span(text: &str) -> Result<Duration, String> {
    match span(text)? {
        Duration::ZERO => Err("must be more than 0".into()),
        span => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit_and_an_end() {
        assert_eq!(span("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(span("0s"), Ok(Duration::ZERO));
        for text in ["", "30", "-5m", "soon", "101y", "1000000000y"] {
            assert!(span(text).is_err(), "{text}");
        }
        assert!(positive_span("0s").is_err());
    }
}
