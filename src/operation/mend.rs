//! JSON that a strict reader refuses, made readable at the cost of no more than the part that it stumbles over.
//!
//! A server that cuts UTF-16 text sends half of a pair (`\ud83d` alone), others a number that no machine holds, a name
//! twice in an object, or brackets a thousand deep. All of that is JSON, and none of it is met on ordinary days: what can
//! be read as it stands never comes here, and what is printed as it was sent is never mended.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Deeper brackets hold nothing that is known of an item.
const DEEPEST: usize = 32;

/// The same JSON for a reader of wire types: half a pair is the replacement character, a number that is too large is its
/// spelling, of fields with one name the last counts, as to most readers, and what nests too deep is null.
pub fn mended(raw: &str) -> Option<String> {
    let raw = without_lone_surrogates(raw);
    Some(value(serde_json::from_str(&raw).ok()?, 0).to_string())
}

/// The text of an answer: mended, where a reader can't read it as it stands.
pub fn readable(body: &[u8], reads: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(body);
    match reads(&text) {
        true => text,
        false => mended(&text).map_or(text, Cow::Owned),
    }
}

fn value(raw: &RawValue, level: usize) -> Value {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{' | b'[') if level == DEEPEST => Value::Null,
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_str(text).expect("it is an object, and its names can be read");
            let mended = |(name, raw)| (name, value(raw, level + 1));
            fields.into_iter().map(mended).collect()
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).expect("it is a list");
            elements.iter().map(|raw| value(raw, level + 1)).collect()
        }
        _ => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

/// JSON in which half of a pair (`\ud83d` alone, from a server that cut an emoji in two) is the replacement character,
/// as in jq: it is no text that any reader takes.
pub fn without_lone_surrogates(raw: &str) -> Cow<'_, str> {
    if !raw.contains("\\ud") && !raw.contains("\\uD") {
        return raw.into();
    }
    let unit = |at: usize| {
        let digits = raw.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut mended, mut at) = (String::with_capacity(raw.len()), 0);
    while let Some(found) = raw[at..].find('\\') {
        mended.push_str(&raw[at..at + found]);
        at += found;
        let length = match (unit(at), unit(at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                mended.push_str("\\ufffd");
                at += 6;
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        // What is no JSON may end here.
        let Some(kept) = raw.get(at..at + length) else {
            break;
        };
        mended.push_str(kept);
        at += length;
    }
    mended.push_str(&raw[at..]);
    mended.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;
    use proptest::prelude::*;

    #[test]
    fn only_what_no_reader_takes_is_changed() {
        for (raw, readable) in [
            (
                r#"{"a":"x\ud800y\ud83d\ude00","b":[1.5,true]}"#,
                "{\"a\":\"x\u{fffd}y😀\",\"b\":[1.5,true]}",
            ),
            (
                r#"{"n":1e400,"m":[-1E999]}"#,
                r#"{"m":["-1E999"],"n":"1e400"}"#,
            ),
            (
                r#"{"a":1,"a":2,"\udc00":null}"#,
                "{\"a\":2,\"\u{fffd}\":null}",
            ),
        ] {
            assert_eq!(mended(raw).as_deref(), Some(readable), "{raw}");
        }
        let deep = format!(
            r#"{{"a":"b","deep":{}{}}}"#,
            "[".repeat(9999),
            "]".repeat(9999)
        );
        assert!(mended(&deep).unwrap().starts_with(r#"{"a":"b","deep":[["#));
        for other in ["{", "<a>\\ud\\", "\\ud\\é", "\\udé", "\\ud80"] {
            assert_eq!(mended(other), None, "{other}");
            assert_eq!(readable(other.as_bytes(), |_| false), other);
        }
    }

    /// Any JSON, with everything in it that is valid and yet refused.
    fn odd() -> impl Strategy<Value = String> {
        let text =
            prop::sample::select(vec!["\"\\ud800\"", "\"3\"", "\"\"", "\"\\udfff\\ud800x\""]);
        let number = prop::sample::select(vec!["3", "1e400", "-1.10", "99999999999999999999999"]);
        let leaf = prop_oneof![text, number, Just("null"), Just("true")].prop_map(str::to_owned);
        leaf.prop_recursive(3, 20, 4, |inner| {
            let fields = prop::collection::vec((name(), inner.clone()), 0..4);
            let fields = fields.prop_map(|fields| {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, raw)| format!("\"{name}\":{raw}"))
                    .collect();
                format!("{{{}}}", fields.join(","))
            });
            let elements = prop::collection::vec(inner, 0..4);
            prop_oneof![
                fields,
                elements.prop_map(|all| format!("[{}]", all.join(",")))
            ]
        })
    }

    /// Names that operations know, among others.
    fn name() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "TaskId",
            "Status",
            "TaskImageInfo",
            "CostTimeInfo",
            "Extension",
            "ProgressByProject",
            "MeasureSpace",
            "TaskInfo",
            "StartTime",
            "FixTime",
            "task_status",
            "cluster_scan_info",
            "iac_scan_info",
            "scan_type_list",
            "failed_file_num",
            "\\ud800",
        ])
    }

    proptest! {
        #[test]
        fn every_operation_can_read_any_object_once_it_is_mended(
            fields in prop::collection::vec((name(), odd()), 0..8),
        ) {
            let fields: Vec<_> = fields.iter().map(|(name, raw)| format!("\"{name}\":{raw}")).collect();
            let readable = mended(&format!("{{{}}}", fields.join(","))).unwrap();
            for (_, entry) in provider::operations() {
                let read = (entry.view)(&readable).map(|_| ());
                prop_assert!(read.is_ok(), "{} {readable}: {read:?}", entry.meta.api);
            }
        }
    }
}
