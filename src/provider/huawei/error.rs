//! How Huawei Cloud says no: HSS itself, the API gateway before it (`APIGW.` or `APIG.`), and IAM.
//!
//! HSS codes: <https://support.huaweicloud.com/intl/en-us/api-hss2.0/ErrorCode.html>, every one of them HTTP 400.
//! Gateway codes: <https://support.huaweicloud.com/devg-apisign/api-sign-errorcode.html>.

use serde::Deserialize;

use crate::error::Kind;
use crate::operation::lenient::{Object, Text};
use crate::operation::mend::readable;
use crate::provider::{Answer, Failure, Retry};

/// The spellings of the error envelope, in the order in which the vendor's SDK looks for them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(borrow)]
    error_code: Text<'a>,
    error_msg: Text<'a>,
    #[serde(rename = "errorCode")]
    camel_code: Text<'a>,
    #[serde(rename = "errorMsg", alias = "errorMessage")]
    camel_message: Text<'a>,
    code: Text<'a>,
    message: Text<'a>,
    request_id: Text<'a>,
    /// IAM nests code, message and title.
    error: Object<Nested<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Nested<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    message: Text<'a>,
}

/// What is wrong with an answer, if anything is.
pub(super) fn failure(answer: &Answer<'_>) -> Option<Failure> {
    // No envelope is nearly as long as a page, which is not read twice.
    if (200..300).contains(&answer.status) && answer.body.len() > crate::provider::LONGEST_ENVELOPE
    {
        return None;
    }
    // What quotes a name that was cut in two must not hide the code.
    let body = readable(answer.body, |text| {
        serde_json::from_str::<Envelope>(text).is_ok()
    });
    let envelope: Envelope = serde_json::from_str(&body).unwrap_or_default();
    let succeeded = (200..300).contains(&answer.status);
    if succeeded && envelope.error_code.get().is_none() {
        return None;
    }
    let nested = envelope.error.0.unwrap_or_default();
    let first = |texts: [&Text; 4]| texts.into_iter().find_map(Text::owned);
    let code = first([
        &envelope.error_code,
        &envelope.camel_code,
        &envelope.code,
        &nested.code,
    ]);
    let words = first([
        &envelope.error_msg,
        &envelope.camel_message,
        &envelope.message,
        &nested.message,
    ]);
    let message = match (&code, words) {
        (_, Some(words)) => without_canonical_request(&words).to_owned(),
        (Some(_), None) => format!("HTTP status {}", answer.status),
        (None, None) => crate::provider::bare_status(answer),
    };
    let code_text = code.as_deref().unwrap_or_default();
    let (kind, retry) = classify(code_text, &message, answer.status);
    let retry = match crate::provider::retry_after(answer) {
        Some(delay) if retry == Retry::Backoff => Retry::After(delay),
        _ => retry,
    };
    let header = |name| (answer.header)(name);
    Some(Failure {
        hint: hint(code_text, kind, &message, answer),
        message: english(code_text).map_or(message.clone(), |text| {
            if message.is_ascii() {
                message.clone()
            } else {
                format!("{text} ({message})")
            }
        }),
        kind,
        code,
        request_id: envelope
            .request_id
            .owned()
            .or_else(|| header("x-request-id"))
            .or_else(|| header("x-iam-trace-id")),
        retry,
    })
}

/// The number of a gateway code, whichever gateway sent it.
fn gateway(code: &str) -> Option<&str> {
    code.strip_prefix("APIGW.")
        .or_else(|| code.strip_prefix("APIG."))
}

fn classify(code: &str, message: &str, status: u16) -> (Kind, Retry) {
    if let Some(number) = gateway(code) {
        return match number {
            "0301" if message.contains("expired") => (Kind::Credential, Retry::Clock),
            "0307" => (Kind::Credential, Retry::Renew),
            "0301" | "0303" | "0305" | "0311" => (Kind::Credential, Retry::No),
            "0302" | "0304" | "0306" | "0310" | "0401" | "0402" | "0404" | "0802" => {
                (Kind::Permission, Retry::No)
            }
            "0308" => (Kind::Throttled, Retry::Backoff),
            _ => crate::provider::classify_status(status),
        };
    }
    match code {
        "HSS.0010" | "HSS.0013" => (Kind::Permission, Retry::No),
        _ => crate::provider::classify_status(status),
    }
}

/// NOTE: The gateway quotes the canonical request when a signature is wrong; with temporary keys the security token is
/// in it.
fn without_canonical_request(message: &str) -> &str {
    match message.find("canonicalRequest") {
        Some(cut) => message[..cut].trim_end_matches([',', ' ', ':']),
        None => message,
    }
}

/// What a code means, for messages that come in Chinese.
fn english(code: &str) -> Option<&'static str> {
    Some(match code {
        "HSS.0001" => "Invalid parameter",
        "HSS.0002" => "Failed to parse the request",
        "HSS.0010" => "Access denied",
        "HSS.0011" => "Requested resource not found",
        "HSS.0013" => "Insufficient permissions",
        "HSS.1011" => "Invalid time format",
        _ => return None,
    })
}

fn hint(code: &str, kind: Kind, message: &str, answer: &Answer<'_>) -> Option<String> {
    let hint = match (gateway(code), kind) {
        (Some("0301"), _) if message.contains("expired") => {
            "set this machine's clock: requests are taken within 15 minutes of the server's time".into()
        }
        (Some("0301"), _) => {
            "check HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or HUAWEICLOUD_SDK_TOKEN if that is set".into()
        }
        (Some("0307"), _) => "the X-Auth-Token has ended: set a new HUAWEICLOUD_SDK_TOKEN".into(),
        (Some("0101"), _) => "check the region, and that HSS is offered there".into(),
        (_, Kind::Permission) => format!(
            "grant {}, and name your enterprise project with --enterprise-project-id if you have rights to one only",
            answer.permission
        ),
        (_, Kind::Throttled) if answer.status == 302 => crate::provider::REDIRECTED.into(),
        (_, Kind::Throttled) => "ask less often, or lower --concurrency".into(),
        _ => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::answer;
    use std::time::Duration;

    #[test]
    fn gateway_and_service_codes_are_told_apart() {
        for (code, message, status, kind, retry) in [
            (
                "APIGW.0301",
                "verify aksk signature fail",
                401,
                Kind::Credential,
                Retry::No,
            ),
            (
                "APIGW.0301",
                "signature expired",
                401,
                Kind::Credential,
                Retry::Clock,
            ),
            (
                "APIG.0307",
                "The token must be updated.",
                401,
                Kind::Credential,
                Retry::Renew,
            ),
            (
                "APIGW.0308",
                "throttling",
                429,
                Kind::Throttled,
                Retry::Backoff,
            ),
            (
                "APIG.0308",
                "throttling",
                429,
                Kind::Throttled,
                Retry::Backoff,
            ),
            ("APIGW.0302", "", 403, Kind::Permission, Retry::No),
            ("APIGW.0101", "", 404, Kind::Refused, Retry::No),
            ("APIGW.0201", "", 504, Kind::Server, Retry::Backoff),
            ("APIGW.0201", "", 400, Kind::Refused, Retry::No),
            ("APIGW.0613", "", 503, Kind::Server, Retry::Backoff),
            ("HSS.0013", "", 400, Kind::Permission, Retry::No),
            ("HSS.0001", "", 400, Kind::Refused, Retry::No),
            ("HSS.0041", "", 500, Kind::Server, Retry::Backoff),
            ("", "", 403, Kind::Permission, Retry::No),
        ] {
            assert_eq!(
                classify(code, message, status),
                (kind, retry),
                "{status} {code}"
            );
        }
    }

    #[test]
    fn every_spelling_of_the_envelope_is_read() {
        for body in [
            r#"{"error_code":"C.1","error_msg":"words","request_id":"R"}"#,
            r#"{"errorCode":"C.1","errorMsg":"words"}"#,
            r#"{"code":"C.1","message":"words"}"#,
            r#"{"code":"C.1","message":"words","extra":"\ud83d"}"#,
            r#"{"error":{"code":"C.1","message":"words","title":"t"}}"#,
        ] {
            let failure = answer(400, body, &[("x-request-id", "R")], failure).unwrap();
            assert_eq!(failure.code.as_deref(), Some("C.1"), "{body}");
            assert_eq!(failure.message, "words");
            assert_eq!(failure.request_id.as_deref(), Some("R"));
        }
        let iam = r#"{"error":{"code":401,"message":"The username or password is wrong."}}"#;
        assert_eq!(
            answer(401, iam, &[], failure).unwrap().code.as_deref(),
            Some("401")
        );
    }

    #[test]
    fn a_chinese_message_gets_the_codes_english_text() {
        let body = r#"{"error_code":"HSS.0013","error_msg":"权限不足"}"#;
        assert_eq!(
            answer(400, body, &[], failure).unwrap().message,
            "Insufficient permissions (权限不足)"
        );
    }

    #[test]
    fn the_canonical_request_is_never_repeated() {
        let body = r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:POST|/|x-security-token:TOK"}"#;
        let failure = answer(401, body, &[], failure).unwrap();
        assert!(!failure.message.contains("TOK"));
        assert!(failure.message.ends_with("verify aksk signature fail"));
    }

    #[test]
    fn a_proxys_retry_after_is_honoured() {
        let body = r#"{"error_code":"APIGW.0308","error_msg":"m"}"#;
        let failure = answer(429, body, &[("retry-after", "7")], failure).unwrap();
        assert_eq!(failure.retry, Retry::After(Duration::from_secs(7)));
    }
}
