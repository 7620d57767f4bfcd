//! Huawei Cloud's SDK-HMAC-SHA256, each stage a pure function, and the ready-made X-Auth-Token.
//!
//! <https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html>.
//!
//! Canonical requests hold security tokens: they must never be logged.

use chrono::{DateTime, Utc};

use crate::credential::Credential;
use crate::encoding;
use crate::encoding::{canonical_headers, canonical_query, hmac_sha256_hex, sha256_hex};
use crate::provider::{Request, Signed, Signing};

/// Name of the signature.
pub const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A time as the signature has it.
pub fn timestamp(now: DateTime<Utc>) -> String {
    now.format("%Y%m%dT%H%M%SZ").to_string()
}

/// The path as it is signed: each part decoded and encoded again, and always a slash at its end.
///
/// The path that is sent stays as it is.
pub fn canonical_uri(path: &str) -> String {
    let decoded = encoding::decode(path);
    let parts: Vec<_> = decoded.split('/').map(encoding::encode).collect();
    let mut uri = parts.join("/");
    if !uri.ends_with('/') {
        uri.push('/');
    }
    uri
}

/// The stages of a signature.
pub struct Stages {
    /// What is hashed.
    pub canonical_request: String,
    /// What is signed.
    pub string_to_sign: String,
    /// The names that are signed, joined by `;`.
    pub signed_headers: String,
    /// Lower-case hex.
    pub signature: String,
}

/// Signs a request. `headers` are those to be signed, among them `x-sdk-date`, names in any case and order; names with
/// an underscore are left out, as the vendor's SDK leaves them out.
pub fn stages(
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &[(&str, &str)],
    hashed_payload: &str,
    secret: &str,
) -> Stages {
    let known = headers.iter().filter(|(name, _)| !name.contains('_'));
    let (lines, signed_headers) = canonical_headers(known.copied());
    let canonical_request = format!(
        "{method}\n{}\n{}\n{lines}\n{signed_headers}\n{hashed_payload}",
        canonical_uri(path),
        canonical_query(query)
    );
    let date = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("x-sdk-date"))
        .map_or("", |(_, value)| value.trim());
    let string_to_sign = format!(
        "{ALGORITHM}\n{date}\n{}",
        sha256_hex(canonical_request.as_bytes())
    );
    let signature = hmac_sha256_hex(secret, &string_to_sign);
    Stages {
        canonical_request,
        string_to_sign,
        signed_headers,
        signature,
    }
}

/// A request with a signature, or with a token.
pub(super) fn sign(request: &Request, signing: &Signing<'_>) -> Signed {
    let (content_type, body) = match &request.body {
        Some((content_type, body)) => (*content_type, body.clone()),
        None => ("application/json", Vec::new()),
    };
    let mut headers = vec![("content-type", content_type.to_owned())];
    match signing.credential {
        Credential::Token(token) => headers.push(("x-auth-token", token.expose().to_owned())),
        Credential::Keys {
            id,
            secret,
            security_token,
        } => {
            headers.push(("x-sdk-date", timestamp(signing.now)));
            headers.extend(request.project_id.clone().map(|id| ("x-project-id", id)));
            if let Some(token) = security_token {
                headers.push(("x-security-token", token.expose().to_owned()));
            }
            let authority = signing.endpoint.authority();
            let mut signed: Vec<_> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            signed.push(("host", &authority));
            let stages = stages(
                request.method,
                &request.path,
                &request.query,
                &signed,
                &sha256_hex(&body),
                secret.expose(),
            );
            headers.push((
                "authorization",
                format!(
                    "{ALGORITHM} Access={id}, SignedHeaders={}, Signature={}",
                    stages.signed_headers, stages.signature
                ),
            ));
        }
    }
    let query = canonical_query(&request.query);
    let separator = if query.is_empty() { "" } else { "?" };
    Signed {
        method: request.method,
        url: format!(
            "{}{}{separator}{query}",
            signing.endpoint.origin(),
            request.path
        ),
        headers,
        body,
        connect_timeout: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Secret;
    use crate::provider::{Endpoint, Scheme};
    use serde_json::Value;

    /// NOTE: V11 (derived keys) and UNSIGNED-PAYLOAD are not used for HSS; the rest applies.
    const NOT_OURS: [&str; 1] = ["derived-v11"];

    fn vectors() -> Vec<Value> {
        let all: Value =
            serde_json::from_str(include_str!("../../../fixtures/signatures/vectors.json"))
                .unwrap();
        let vectors = all["huawei_sdk_hmac_sha256"].as_array().unwrap().clone();
        assert_eq!(vectors.len(), 22);
        vectors
    }

    fn pairs(query: &Value) -> Vec<(String, String)> {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let mut pairs = Vec::new();
        for pair in query.as_array().unwrap() {
            match &pair[1] {
                Value::Array(list) => {
                    pairs.extend(list.iter().map(|value| (text(&pair[0]), text(value))));
                }
                value => pairs.push((text(&pair[0]), text(value))),
            }
        }
        pairs
    }

    #[test]
    fn every_stage_is_the_vendors_sdks() {
        for vector in vectors() {
            let text = |key: &str| vector[key].as_str().unwrap();
            if NOT_OURS.contains(&text("name")) {
                continue;
            }
            let sent = vector["sent_headers"].as_object().unwrap();
            let headers: Vec<_> = sent
                .iter()
                .filter(|(name, _)| *name != "Authorization" && *name != "X-Auth-Token")
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            let body = vector["body"].as_str().unwrap_or_default();
            let payload = vector["hashed_payload"]
                .as_str()
                .map_or_else(|| sha256_hex(body.as_bytes()), str::to_owned);
            let stages = stages(
                text("method"),
                text("path"),
                &pairs(&vector["query"]),
                &headers,
                &payload,
                text("secret_key"),
            );
            assert_eq!(
                stages.canonical_request,
                text("canonical_request"),
                "{}",
                text("name")
            );
            assert_eq!(stages.string_to_sign, text("string_to_sign"));
            assert_eq!(stages.signed_headers, text("signed_headers"));
            assert_eq!(stages.signature, text("signature"));
        }
    }

    fn signed(credential: &Credential) -> Signed {
        let request = Request {
            api: "ListTasks",
            version: "v5",
            method: "POST",
            path: "/v5/p/common/tasks/batch-query".into(),
            query: vec![
                ("offset".into(), "0".into()),
                ("limit".into(), "200".into()),
            ],
            body: Some(("application/json", b"{}".to_vec())),
            project_id: Some("p".into()),
        };
        sign(
            &request,
            &Signing {
                endpoint: &Endpoint::of_host("hss.cn-north-4.myhuaweicloud.com"),
                credential,
                now: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
                nonce: "unused",
                scheme: Scheme::Current,
            },
        )
    }

    #[test]
    fn keys_sign_what_no_proxy_rewrites() {
        let signed = signed(&Credential::Keys {
            id: "AK".into(),
            secret: Secret::new("SK"),
            security_token: Some(Secret::new("T")),
        });
        assert!(signed.url.ends_with("/batch-query?limit=200&offset=0"));
        let authorization = &signed.headers.last().unwrap().1;
        assert!(authorization.starts_with(
            "SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token, Signature="
        ));
    }

    #[test]
    fn a_token_is_sent_instead_of_a_signature() {
        let signed = signed(&Credential::Token(Secret::new("TOKEN")));
        let names: Vec<_> = signed.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["content-type", "x-auth-token"]);
    }
}
