//! Which tasks a question's parameters leave.

use serde_json::Value;

use crate::operation::{Filter, Meta, Test};

/// Whether a task passes a filter.
pub(super) fn matches(meta: &Meta, filter: &Filter, values: &[String], item: &Value) -> bool {
    let found = filter
        .field
        .split('.')
        .try_fold(item, |value, key| value.get(key));
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    match filter.test {
        Test::Shown => true,
        Test::Is => found.is_some_and(|found| values.contains(&text(found))),
        Test::Contains => found.is_some_and(|found| {
            // NOTE: The documentation says no more than "fuzzy". In any case, as the services' databases compare.
            let found = text(found).to_lowercase();
            values
                .iter()
                .any(|value| found.contains(&value.to_lowercase()))
        }),
        Test::HasAll => found.and_then(Value::as_array).is_some_and(|list| {
            let list: Vec<_> = list.iter().map(text).collect();
            values.iter().all(|value| list.contains(value))
        }),
        Test::NotBefore | Test::NotAfter => {
            let as_text = meta.lifecycle.times.is_some_and(|times| times.as_text);
            let time = found.and_then(|found| match as_text {
                true => crate::operation::lenient::Text(Some(text(found).into()))
                    .china_time()
                    .map(|time| time.timestamp_millis()),
                false => found.as_i64(),
            });
            let bound = values.first().and_then(|value| value.parse::<i64>().ok());
            match (time, bound) {
                (Some(time), Some(bound)) if filter.test == Test::NotBefore => time >= bound,
                (Some(time), Some(bound)) => time <= bound,
                _ => true,
            }
        }
    }
}
