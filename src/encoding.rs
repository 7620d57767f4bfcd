//! What both clouds' signatures are made of: hashes in lower-case hex, and percent-encoding of UTF-8 in upper-case hex
//! with only `A-Z a-z 0-9 - _ . ~` left alone.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The text with everything but unreserved characters encoded; a space is `%20`.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `name=value` pairs joined by `&`, both sides encoded, in the order given.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(name, RESERVED));
        query.push('=');
        query.extend(utf8_percent_encode(value, RESERVED));
    }
    query
}

/// Headers as signatures have them, sorted by name: `name:value` lines, and the names joined by `;`. Names come in any
/// case and order.
pub fn canonical_headers<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> (String, String) {
    let lowered = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim()));
    let mut headers: Vec<_> = lowered.collect();
    headers.sort_unstable();
    let (mut lines, mut names) = (String::new(), String::new());
    for (name, value) in &headers {
        lines.extend([name.as_str(), ":", value, "\n"]);
        names.extend([if names.is_empty() { "" } else { ";" }, name]);
    }
    (lines, names)
}

/// The text with `%XX` decoded; what is not UTF-8 becomes U+FFFD.
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The pairs of a query string, decoded. A `+` is a space: the vendors' own clients send form encoding.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                decode(&name.replace('+', " ")),
                decode(&value.replace('+', " ")),
            )
        })
        .collect()
}

/// Lower-case hex of the SHA-256 of `bytes`.
pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Lower-case hex of HMAC-SHA256.
pub fn hmac_sha256_hex(key: &str, text: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// The query in the order in which it is signed: by name, in byte order.
pub fn canonical_query(pairs: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    sorted.sort_unstable();
    query(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("aZ09-_.~"), "aZ09-_.~");
        assert_eq!(encode(" *+/:="), "%20%2A%2B%2F%3A%3D");
        assert_eq!(encode("镜"), "%E9%95%9C");
    }

    #[test]
    fn a_query_is_read_as_it_was_written_and_as_forms_write_it() {
        let written = query([("a b", "1+1"), ("空", "&=")]);
        let read = pairs(&written);
        assert_eq!(read[0], ("a b".into(), "1+1".into()));
        assert_eq!(read[1], ("空".into(), "&=".into()));
        assert_eq!(
            pairs("a+b=c+d&e"),
            [("a b".into(), "c d".into()), ("e".into(), String::new())]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_the_round_trip(name in "[^=&+]{1,12}", value in ".{0,40}") {
            let read = pairs(&query([(name.as_str(), value.as_str())]));
            proptest::prop_assert_eq!(read, vec![(name, value)]);
        }
    }
}
