//! Wire values as clouds really send them.
//!
//! A number may arrive as a number or as a numeric string, an id as a number, a list not at all. A field of an
//! unexpected type becomes "not known"; it never makes the item unreadable, because the raw item is printed anyway. What
//! serde_json itself refuses of valid JSON does, until it is [mended](super::mend).
//!
//! Text is borrowed from the page it came in, unless it has escapes: most of it is looked at once and thrown away.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone, Utc};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Text; a number or boolean is taken by its spelling.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text<'a>(pub Option<Cow<'a, str>>);

/// Text that holds JSON of its own. It is kept as spelled and read when it is asked for: with an escape at every other
/// character, reading it takes as long as reading the rest of the item.
#[derive(Debug, Clone, Copy, Default)]
pub struct Encoded<'a>(Option<&'a RawValue>);

impl<'a> Encoded<'a> {
    /// The text.
    pub fn text(self) -> Text<'a> {
        self.0
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default()
    }
}

/// An integer, or a string that holds one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Int(pub Option<i64>);

/// A decimal number, or a string that holds one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Decimal(pub Option<f64>);

/// An object; anything else is "not known". One that can't be read fails what it is in: a task would look well without
/// the numbers of its failures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<T>(pub Option<T>);

/// A list; anything else is an empty one. One that can't be read fails what it is in.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<'a> Text<'a> {
    /// The text, if there is any: an empty string says nothing.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The same as an owned value.
    pub fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }

    /// The same, for as long as the page lives.
    pub fn kept(&self) -> Option<Cow<'a, str>> {
        self.0.clone().filter(|text| !text.is_empty())
    }

    /// A point in time: milliseconds since the epoch, or `YYYY-MM-DD hh:mm:ss`, which has no zone on the wire.
    ///
    /// NOTE: The documentation names no zone. Both services that send such text run on China time (UTC+8).
    pub fn china_time(&self) -> Option<DateTime<Utc>> {
        let text = self.get()?;
        if let Ok(ms) = text.parse() {
            return DateTime::from_timestamp_millis(ms);
        }
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
        let china = FixedOffset::east_opt(8 * 3600)?;
        Some(china.from_local_datetime(&local).single()?.to_utc())
    }
}

impl Int {
    /// The number as milliseconds since the epoch. Zero means "not yet", as in other APIs of these clouds.
    pub fn time(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0.filter(|ms| *ms > 0)?)
    }
}

/// What a JSON value comes to when only scalars are wanted.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Other,
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Int(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Scalar<'de>, E> {
        Ok(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }
    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Text(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Text(text) => Some(text),
            Scalar::Int(number) => Some(digits(number)),
            Scalar::Float(number) => Some(number.to_string().into()),
            Scalar::Bool(value) => Some(value.to_string().into()),
            Scalar::Other => None,
        }))
    }
}

/// A status is a number of one digit in every item: its text takes no memory.
fn digits(number: i64) -> Cow<'static, str> {
    const DIGITS: &str = "0123456789";
    let digit = usize::try_from(number).ok();
    match digit.and_then(|digit| DIGITS.get(digit..=digit)) {
        Some(digit) => digit.into(),
        None => number.to_string().into(),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Encoded<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Encoded(Some(raw)))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Int(match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Int(number) => Some(number),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Float(number) if number.abs() < 9e15 => Some(number as i64),
            Scalar::Float(_) | Scalar::Bool(_) | Scalar::Other => None,
        }))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match deserializer.deserialize_any(ScalarVisitor)? {
            Scalar::Int(number) => Some(number as f64),
            Scalar::Float(number) => Some(number),
            Scalar::Text(text) => text.trim().parse().ok(),
            Scalar::Bool(_) | Scalar::Other => None,
        };
        Ok(Decimal(number.filter(|number: &f64| number.is_finite())))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = read_if(b'[', <&RawValue>::deserialize(deserializer)?);
        list.map(|list| List(list.unwrap_or_default()))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_if(b'{', <&RawValue>::deserialize(deserializer)?).map(Object)
    }
}

/// Reads a value that begins so.
fn read_if<'a, T: Deserialize<'a>, E: Error>(begin: u8, raw: &'a RawValue) -> Result<Option<T>, E> {
    let raw = raw.get();
    let found = raw.as_bytes().first() == Some(&begin);
    let read = found.then(|| serde_json::from_str(raw).map_err(E::custom));
    read.transpose()
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text().serialize(serializer)
    }
}

impl Serialize for Int {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Serialize> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(json: &str) -> Option<i64> {
        serde_json::from_str::<Int>(json).unwrap().0
    }

    fn text(json: &str) -> Option<String> {
        let Text(text) = serde_json::from_str(json).unwrap();
        text.map(Cow::into_owned)
    }

    #[test]
    fn numbers_come_as_numbers_or_as_strings() {
        assert_eq!(int("30"), Some(30));
        assert_eq!(int("\"30\""), Some(30));
        assert_eq!(int("30.0"), Some(30));
        assert_eq!(int("\"thirty\""), None);
        assert_eq!(int("1e300"), None);
        assert_eq!(int("18446744073709551615"), None);
        assert_eq!(
            serde_json::from_str::<Decimal>("\"154.11\"").unwrap().0,
            Some(154.11)
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_known_and_breaks_nothing() {
        for odd in ["null", "{}", "[1,{\"a\":2}]"] {
            assert_eq!(int(odd), None, "{odd}");
            assert_eq!(text(odd), None, "{odd}");
        }
        for number in [i64::MIN, -1, 0, 1, 9, 10, i64::MAX] {
            assert_eq!(text(&number.to_string()), Some(number.to_string()));
        }
        for odd in ["null", "3", "\"x\"", "{\"a\":1}", "true", "1.5"] {
            assert!(
                serde_json::from_str::<List<Int>>(odd).unwrap().0.is_empty(),
                "{odd}"
            );
        }
    }

    #[test]
    fn text_that_is_read_late_reads_the_same() {
        for json in [r#""{\"vul\":\"\u0041\"}""#, "7", "null", "[]"] {
            let late: Encoded = serde_json::from_str(json).unwrap();
            let at_once: Text = serde_json::from_str(json).unwrap();
            assert_eq!(late.text(), at_once, "{json}");
            let written = [
                serde_json::to_string(&late),
                serde_json::to_string(&at_once),
            ];
            let [late, at_once] = written.map(Result::unwrap);
            assert_eq!(late, at_once, "{json}");
        }
        assert_eq!(Encoded::default().text(), Text(None));
    }

    #[test]
    fn text_times_are_china_time_and_numbers_are_milliseconds() {
        let time = |value: &str| {
            Text(Some(value.into()))
                .china_time()
                .map(|t| t.to_rfc3339())
        };
        assert_eq!(
            time("2021-10-14 20:32:05").as_deref(),
            Some("2021-10-14T12:32:05+00:00")
        );
        assert_eq!(
            time("1634214725000").as_deref(),
            Some("2021-10-14T12:32:05+00:00")
        );
        assert_eq!(time("soon"), None);
        assert_eq!(Int(Some(0)).time(), None);
    }
}
