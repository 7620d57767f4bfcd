//! How Alibaba Cloud says no.
//!
//! Pages disagree on the HTTP status of a code, so the code decides and the status is only a fallback.
//! Gateway codes: <https://help.aliyun.com/en/document_detail/434846.html>.

use std::time::Duration;

use serde::Deserialize;

use crate::error::Kind;
use crate::operation::lenient::{Object, Text};
use crate::operation::mend::readable;
use crate::provider::{Answer, Failure, Retry};

/// The error envelope. Some products use lower camel case, so both are read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope<'a> {
    #[serde(rename = "Code", alias = "code")]
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(rename = "Message", alias = "message")]
    message: Text<'a>,
    #[serde(rename = "RequestId", alias = "requestId")]
    request_id: Text<'a>,
    #[serde(rename = "AccessDeniedDetail", alias = "accessDeniedDetail")]
    denied: Object<Denied<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Denied<'a> {
    #[serde(rename = "AuthAction", alias = "authAction")]
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(rename = "PolicyType", alias = "policyType")]
    policy: Text<'a>,
    #[serde(rename = "NoPermissionType", alias = "noPermissionType")]
    denial: Text<'a>,
}

/// What is wrong with an answer, if anything is.
pub(super) fn failure(answer: &Answer<'_>) -> Option<Failure> {
    // No envelope is nearly as long as a page, which is not read twice.
    if answer.status == 200 && answer.body.len() > crate::provider::LONGEST_ENVELOPE {
        return None;
    }
    // What quotes a name that was cut in two must not hide the code.
    let body = readable(answer.body, |text| {
        serde_json::from_str::<Envelope>(text).is_ok()
    });
    let envelope: Envelope = serde_json::from_str(&body).unwrap_or_default();
    // NOTE: A 200 with an error envelope is not documented for these operations, but costs nothing to recognise.
    let has_code = envelope.code.get().is_some() && envelope.message.get().is_some();
    if answer.status == 200 && !has_code {
        return None;
    }
    let code = envelope.code.get().unwrap_or_default();
    let (kind, retry) = classify(code, answer.status);
    let retry = match server_delay(answer) {
        // Any answer may count down a limit: that is no reason not to set the clock or renew the token.
        Some(delay) if retry == Retry::Backoff || answer.status == 429 => Retry::After(delay),
        _ => retry,
    };
    let message = match envelope.message.get() {
        Some(message) => without_string_to_sign(message).to_owned(),
        None => crate::provider::bare_status(answer),
    };
    let request_id = envelope
        .request_id
        .owned()
        .or_else(|| (answer.header)("x-acs-request-id"));
    Some(Failure {
        hint: hint(code, kind, answer, &envelope.denied),
        kind,
        code: envelope.code.owned(),
        message,
        request_id,
        retry,
    })
}

fn classify(code: &str, status: u16) -> (Kind, Retry) {
    match code {
        "InvalidTimeStamp.Expired" => (Kind::Credential, Retry::Clock),
        "SignatureNonceUsed" => (Kind::Refused, Retry::Backoff),
        "InvalidSecurityToken.Expired" => (Kind::Credential, Retry::Renew),
        "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidAccessKeySecret"
        | "MissingSecurityToken" => (Kind::Credential, Retry::No),
        _ if code.starts_with("InvalidAccessKeyId")
            || code.starts_with("InvalidSecurityToken")
            || code == "Forbidden.AccessKeyDisabled" =>
        {
            (Kind::Credential, Retry::No)
        }
        _ if code.starts_with("Throttling") || code == "SystemBusy" || code == "ServiceBusy" => {
            (Kind::Throttled, Retry::Backoff)
        }
        "ServiceUnavailable"
        | "ServiceUnavailableTemporary"
        | "InternalError"
        | "UnknownError"
        | "InternalFailure"
        | "ServerError" => (Kind::Server, Retry::Backoff),
        _ if code.starts_with("NoPermission") || code.starts_with("Forbidden") => {
            (Kind::Permission, Retry::No)
        }
        _ => crate::provider::classify_status(status),
    }
}

/// How long the server asks to wait: `x-acs-retry-after` in milliseconds, `TimeLeft` of the rate limit headers in
/// milliseconds, or a proxy's `Retry-After` in seconds.
fn server_delay(answer: &Answer<'_>) -> Option<Duration> {
    let number = |text: String| text.trim().parse::<u64>().ok();
    if let Some(ms) = (answer.header)("x-acs-retry-after").and_then(number) {
        return Some(Duration::from_millis(ms));
    }
    let time_left = |name| {
        (answer.header)(name)?
            .split(',')
            .find_map(|part| part.trim().strip_prefix("TimeLeft:")?.trim().parse().ok())
    };
    let limits = [
        time_left("x-ratelimit-user-api"),
        time_left("x-ratelimit-user"),
    ];
    if let Some(ms) = limits.into_iter().flatten().max() {
        return Some(Duration::from_millis(ms));
    }
    crate::provider::retry_after(answer)
}

/// NOTE: Some gateways append the string that they signed, or the canonical request. Both hold the AccessKeyId and,
/// with temporary keys, the security token: cut there.
fn without_string_to_sign(message: &str) -> &str {
    let lower = message.to_ascii_lowercase();
    [
        "server string to sign",
        "server stringtosign",
        "server canonicalrequest",
    ]
    .iter()
    .filter_map(|mark| lower.find(mark))
    .min()
    .map_or(message, |cut| message[..cut].trim_end())
}

fn hint(code: &str, kind: Kind, answer: &Answer<'_>, denied: &Object<Denied>) -> Option<String> {
    let permission = answer.permission;
    let hint = match kind {
        Kind::Permission => {
            let denied = denied.0.as_ref();
            let action = denied.and_then(|d| d.action.get()).unwrap_or(permission);
            let policy = denied.and_then(|d| Some((d.denial.get()?, d.policy.get()?)));
            let because = policy.map_or(String::new(), |(denial, policy)| format!(" ({denial} by {policy})"));
            format!("grant the RAM action {action} on resource *{because}, and check that Security Center is activated")
        }
        _ if code.starts_with("InvalidAccessKeyId.NotFound") => {
            "check ALIBABA_CLOUD_ACCESS_KEY_ID; a key of the China site is unknown to the international site".into()
        }
        _ if code.starts_with("InvalidAccessKeyId") || code == "Forbidden.AccessKeyDisabled" => {
            "enable the access key in the RAM console, or use another".into()
        }
        _ if code == "SignatureDoesNotMatch" || code == "IncompleteSignature" => {
            "check ALIBABA_CLOUD_ACCESS_KEY_SECRET: it does not belong to this access key id".into()
        }
        _ if code == "InvalidTimeStamp.Expired" => {
            "set this machine's clock: requests are taken within 15 minutes of the server's time".into()
        }
        _ if code == "MissingSecurityToken" || code.starts_with("InvalidSecurityToken") => {
            "temporary keys need their own ALIBABA_CLOUD_SECURITY_TOKEN, and end after some hours: get new ones".into()
        }
        Kind::Throttled if answer.status == 302 => crate::provider::REDIRECTED.into(),
        Kind::Throttled => "ask less often, or lower --concurrency".into(),
        _ if code == "ServiceUnavailable" => {
            // NOTE: Security Center answers 503 to some requests that lack a parameter.
            "try again later; this service also says so when a parameter is missing".into()
        }
        _ => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::answer;

    #[test]
    fn the_code_decides_and_the_status_is_the_fallback() {
        for (code, status, kind, retry) in [
            (
                "InvalidAccessKeyId.NotFound",
                404,
                Kind::Credential,
                Retry::No,
            ),
            (
                "InvalidAccessKeyId.NotFound",
                400,
                Kind::Credential,
                Retry::No,
            ),
            (
                "InvalidAccessKeyId.Inactive",
                400,
                Kind::Credential,
                Retry::No,
            ),
            (
                "Forbidden.AccessKeyDisabled",
                403,
                Kind::Credential,
                Retry::No,
            ),
            ("SignatureDoesNotMatch", 400, Kind::Credential, Retry::No),
            (
                "InvalidTimeStamp.Expired",
                400,
                Kind::Credential,
                Retry::Clock,
            ),
            ("SignatureNonceUsed", 400, Kind::Refused, Retry::Backoff),
            (
                "InvalidSecurityToken.Expired",
                403,
                Kind::Credential,
                Retry::Renew,
            ),
            (
                "InvalidSecurityToken.Malformed",
                400,
                Kind::Credential,
                Retry::No,
            ),
            ("MissingTaskType", 400, Kind::Refused, Retry::No),
            ("InvalidParameter", 400, Kind::Refused, Retry::No),
            ("InvalidApi.NotFound", 404, Kind::Refused, Retry::No),
            ("Throttling.User", 400, Kind::Throttled, Retry::Backoff),
            (
                "Throttling.Api.Concurrency",
                503,
                Kind::Throttled,
                Retry::Backoff,
            ),
            ("ServiceUnavailable", 503, Kind::Server, Retry::Backoff),
            ("ServerError", 500, Kind::Server, Retry::Backoff),
            ("NoPermission", 403, Kind::Permission, Retry::No),
            ("Forbidden.RAM", 403, Kind::Permission, Retry::No),
            ("-101", 400, Kind::Refused, Retry::No),
            ("", 502, Kind::Server, Retry::Backoff),
            ("", 429, Kind::Throttled, Retry::Backoff),
            ("", 302, Kind::Throttled, Retry::Backoff),
        ] {
            assert_eq!(classify(code, status), (kind, retry), "{status} {code}");
        }
    }

    #[test]
    fn both_spellings_of_the_envelope_are_read() {
        let upper = answer(
            400,
            r#"{"Code":"X","Message":"m","RequestId":"R"}"#,
            &[],
            failure,
        )
        .unwrap();
        let lower = answer(
            400,
            r#"{"code":"X","message":"m","requestId":"R"}"#,
            &[],
            failure,
        )
        .unwrap();
        assert_eq!(upper, lower);
        assert_eq!(upper.request_id.as_deref(), Some("R"));
        let number = answer(400, r#"{"Code":-101,"Message":"m"}"#, &[], failure).unwrap();
        assert_eq!(number.code.as_deref(), Some("-101"));
        let cut = answer(400, r#"{"Code":"X","Message":"\ud83d"}"#, &[], failure).unwrap();
        assert_eq!(cut.code.as_deref(), Some("X"));
    }

    #[test]
    fn an_error_envelope_is_an_error_even_with_status_200() {
        assert!(
            answer(
                200,
                r#"{"Code":"NoPermission","Message":"m"}"#,
                &[],
                failure
            )
            .is_some()
        );
        assert!(answer(200, r#"{"List":[],"Code":"200"}"#, &[], failure).is_none());
    }

    #[test]
    fn what_the_server_signed_is_never_repeated() {
        for message in [
            "Specified signature is not matched with our calculation. server string to sign is:GET&%2F&SecurityToken%3DTOK",
            "Specified signature does not match our calculation. server StringToSign is [x TOK] server CanonicalRequest is [TOK]",
        ] {
            let body = serde_json::json!({"Code": "SignatureDoesNotMatch", "Message": message})
                .to_string();
            let failure = answer(400, &body, &[], failure).unwrap();
            assert!(!failure.message.contains("TOK"), "{}", failure.message);
            assert!(failure.message.ends_with("our calculation."));
        }
    }

    #[test]
    fn every_way_to_name_a_delay_is_honoured() {
        let body = r#"{"Code":"Throttling.User","Message":"m"}"#;
        for (name, value, ms) in [
            ("x-acs-retry-after", "1500", 1500),
            (
                "x-ratelimit-user",
                "Limit:1,Remain:0,TimeLeft:2000,Reset:1234",
                2000,
            ),
            ("retry-after", "3", 3000),
        ] {
            let failure = answer(400, body, &[(name, value)], failure).unwrap();
            assert_eq!(
                failure.retry,
                Retry::After(Duration::from_millis(ms)),
                "{name}"
            );
        }
    }

    #[test]
    fn a_delay_is_only_for_what_is_tried_again_as_it_is() {
        let limit = "Limit:1,Remain:0,TimeLeft:2000,Reset:1234";
        for (code, status, retry) in [
            ("InvalidTimeStamp.Expired", 400, Retry::Clock),
            ("InvalidSecurityToken.Expired", 403, Retry::Renew),
            ("NoPermission", 403, Retry::No),
            ("ServerError", 500, Retry::After(Duration::from_secs(2))),
            ("", 429, Retry::After(Duration::from_secs(2))),
        ] {
            let body = serde_json::json!({"Code": code, "Message": "m"}).to_string();
            let failure = answer(status, &body, &[("x-ratelimit-user", limit)], failure).unwrap();
            assert_eq!(failure.retry, retry, "{status} {code}");
        }
    }

    #[test]
    fn a_denial_names_the_action_to_grant() {
        let body = r#"{"Code":"NoPermission","Message":"m","AccessDeniedDetail":{"AuthAction":"yundun-sas:X",
            "NoPermissionType":"ImplicitDeny","PolicyType":"AccountLevelIdentityBasedPolicy"}}"#;
        let hint = answer(403, body, &[], failure).unwrap().hint.unwrap();
        assert!(
            hint.contains("yundun-sas:X") && hint.contains("ImplicitDeny"),
            "{hint}"
        );
    }
}
