//! One page of an answer: the vendor's envelope, and its items as the raw slices that the server sent.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lenient::Int;
use super::{Items, Meta, Total};

/// A decoded page. It owns the body; items and envelope are ranges of it, so nothing is copied.
#[derive(Debug, Clone)]
pub struct Page {
    body: Arc<String>,
    items: Vec<Range<u32>>,
    envelope: Vec<(String, Range<u32>)>,
    /// How many items the server says there are in all.
    pub total: Option<u64>,
    /// The page size that the server says it used. It may be smaller than what was asked for.
    pub size: Option<u64>,
}

/// Why a body is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not the JSON object that was expected.
    #[error("not the JSON that was expected: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON is UTF-8.
    #[error("not valid UTF-8 from byte {0} on")]
    Utf8(usize),
    /// JSON, but none of the operation's own keys is in it.
    #[error("the answer has neither `{0}` nor a total")]
    Foreign(&'static str),
}

impl Page {
    /// Decodes a body. A missing list is an empty one, as long as the total is there.
    pub fn decode(meta: &Meta, body: impl Into<Vec<u8>>) -> Result<Page, PageError> {
        let body = String::from_utf8(body.into())
            .map_err(|e| PageError::Utf8(e.utf8_error().valid_up_to()))?;
        let text = body.as_str();
        let range = |slice: &str| {
            let start = slice.as_ptr() as usize - text.as_ptr() as usize;
            // Bodies are bounded to 64 MiB (client/http.rs).
            start as u32..(start + slice.len()) as u32
        };
        let (list, total) = match meta.items {
            Items::List { key, total } => (key, Some(total)),
            Items::Document => ("", None),
        };
        let mut json = serde_json::Deserializer::from_str(text);
        let found = Envelope { list, total }.deserialize(&mut json)?;
        json.end()?;
        let items = match (&meta.items, found.items) {
            (Items::Document, _) => vec![range(text.trim())],
            (Items::List { .. }, Some(items)) => {
                items.iter().map(|item| range(item.get())).collect()
            }
            (Items::List { .. }, None) if found.total.is_some() => Vec::new(),
            (Items::List { key, .. }, None) => return Err(PageError::Foreign(key)),
        };
        let envelope = found
            .rest
            .into_iter()
            .map(|(key, raw)| (key.into_owned(), range(raw.get())))
            .collect();
        let (total, size) = (found.total, found.size);
        Ok(Page {
            items,
            envelope,
            total,
            size,
            body: Arc::new(body),
        })
    }

    /// How many items the page has.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether the page has no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items, each exactly as the server spelled it.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|range| self.slice(range))
    }

    /// The other keys of the document, with their raw values, in the server's order.
    pub fn envelope(&self) -> impl Iterator<Item = (&str, &str)> {
        self.envelope
            .iter()
            .map(|(key, range)| (key.as_str(), self.slice(range)))
    }

    /// The whole document as sent.
    pub fn document(&self) -> &str {
        &self.body
    }

    fn slice(&self, range: &Range<u32>) -> &str {
        &self.body[range.start as usize..range.end as usize]
    }
}

/// The object around the items, read in one pass.
struct Envelope {
    list: &'static str,
    total: Option<Total>,
}

#[derive(Default)]
struct Found<'a> {
    items: Option<Vec<&'a RawValue>>,
    rest: Vec<(Cow<'a, str>, &'a RawValue)>,
    total: Option<u64>,
    size: Option<u64>,
}

/// Alibaba Cloud's counters. `Count` is only known to two operations, so it is not needed.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct PageInfo {
    total_count: Int,
    page_size: Int,
}

/// A key, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Envelope {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Envelope {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::default();
        let count = |raw: &RawValue| {
            let Int(number) = serde_json::from_str(raw.get()).unwrap_or_default();
            number.and_then(|number| u64::try_from(number).ok())
        };
        while let Some(Key(key)) = map.next_key()? {
            if key == self.list && found.items.is_none() {
                found.items = Some(map.next_value::<Option<_>>()?.unwrap_or_default());
                continue;
            }
            let raw: &RawValue = map.next_value()?;
            match self.total {
                Some(Total::PageInfo) if key == "PageInfo" => {
                    let info: PageInfo = serde_json::from_str(raw.get()).unwrap_or_default();
                    found.total = info.total_count.0.and_then(|n| u64::try_from(n).ok());
                    found.size = info.page_size.0.and_then(|n| u64::try_from(n).ok());
                }
                Some(Total::Key(total)) if key == total => found.total = count(raw),
                _ => {}
            }
            found.rest.push((key, raw));
        }
        Ok(found)
    }
}

/// The text or number under `key` of a raw item, by which it is recognised. Nothing behind it is read: an item of a page
/// is known to be JSON.
pub fn scalar<'a>(item: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let mut found = None;
    // Stopping half-way is an error to the deserializer, and so is an item that is no object.
    let _ = serde_json::Deserializer::from_str(item).deserialize_map(First(key, &mut found));
    let raw = found?.get();
    match raw.as_bytes() {
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => {
            raw.get(1..raw.len() - 1).map(Cow::Borrowed)
        }
        // What is no text to any reader still tells one item from another.
        [b'"', ..] => Some(serde_json::from_str::<Key<'a>>(raw).map_or(raw.into(), |key| key.0)),
        [b'-' | b'0'..=b'9', ..] => Some(Cow::Borrowed(raw)),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// The first value under a key, and where it goes.
struct First<'k, 'a>(&'k str, &'k mut Option<&'a RawValue>);

impl<'a> Visitor<'a> for First<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            if key == self.0 {
                *self.1 = Some(map.next_value()?);
                break;
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    fn agentless(body: &'static str) -> Result<Page, PageError> {
        let entry = provider::operation("ListAgentlessTask").expect("it is registered");
        Page::decode(entry.meta, body)
    }

    #[test]
    fn items_and_envelope_keep_the_servers_spelling() {
        let page = agentless(
            r#"{"RequestId":"R","List":[ {"TaskId":"1", "n":12345678901234567890123,"x":1.10}, 7],
                "PageInfo":{"TotalCount":"2","PageSize":20},"New":null}"#,
        )
        .unwrap();
        let items: Vec<_> = page.items().collect();
        assert_eq!(
            items,
            [
                r#"{"TaskId":"1", "n":12345678901234567890123,"x":1.10}"#,
                "7"
            ]
        );
        assert_eq!((page.total, page.size), (Some(2), Some(20)));
        let keys: Vec<_> = page.envelope().map(|(key, _)| key).collect();
        assert_eq!(keys, ["RequestId", "PageInfo", "New"]);
    }

    #[test]
    fn a_missing_or_null_list_is_empty_as_long_as_there_is_a_total() {
        assert_eq!(
            agentless(r#"{"PageInfo":{"TotalCount":0}}"#).unwrap().len(),
            0
        );
        assert_eq!(agentless(r#"{"List":null}"#).unwrap().len(), 0);
        assert!(matches!(agentless("{}"), Err(PageError::Foreign("List"))));
    }

    #[test]
    fn what_is_no_page_is_an_error() {
        assert!(matches!(agentless("[]"), Err(PageError::Json(_))));
        assert!(matches!(agentless("<html>"), Err(PageError::Json(_))));
        assert!(matches!(
            agentless(r#"{"List":[]} trailing"#),
            Err(PageError::Json(_))
        ));
        let entry = provider::operation("ListAgentlessTask").expect("it is registered");
        let bad = Page::decode(entry.meta, b"{\"List\":[\"\xff\"]}");
        assert!(matches!(bad, Err(PageError::Utf8(10))));
    }

    #[test]
    fn an_item_is_recognised_by_the_text_or_number_under_its_key() {
        let id = |item| scalar(item, "TaskId").map(Cow::into_owned);
        assert_eq!(
            id(r#"{"a":{"TaskId":"no"},"TaskId":"yes"}"#).as_deref(),
            Some("yes")
        );
        assert_eq!(
            id(r#"{"TaskId":"first","TaskId":"last"}"#).as_deref(),
            Some("first")
        );
        assert_eq!(id(r#"{"TaskId":15}"#).as_deref(), Some("15"));
        assert_eq!(id(r#"{"TaskId":"\u0041"}"#).as_deref(), Some("A"));
        assert_eq!(id(r#"{"TaskId":"\ud800"}"#).as_deref(), Some(r#""\ud800""#));
        for none in [
            r#"{"TaskId":null}"#,
            r#"{"TaskId":""}"#,
            "{}",
            "3",
            r#"{"TaskId":{}}"#,
        ] {
            assert_eq!(id(none), None, "{none}");
        }
    }
}
