//! Alibaba Cloud's two signatures, each stage a pure function.
//!
//! ACS3-HMAC-SHA256: <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>.
//! RPC 1.0, HMAC-SHA1: <https://help.aliyun.com/document_detail/66384.html>.
//!
//! Canonical requests and strings to sign hold security tokens: they must never be logged.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::credential::Credential;
use crate::encoding::{self, canonical_headers, canonical_query, hmac_sha256_hex, sha256_hex};
use crate::provider::{Request, Signed, Signing};

/// Name of the current signature.
pub const ACS3: &str = "ACS3-HMAC-SHA256";

/// A time as both signatures send it, in whole seconds.
pub fn timestamp(now: DateTime<Utc>) -> String {
    now.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The stages of an ACS3 signature.
pub struct Acs3 {
    /// What is hashed.
    pub canonical_request: String,
    /// What is signed.
    pub string_to_sign: String,
    /// The names that are signed, joined by `;`.
    pub signed_headers: String,
    /// Lower-case hex.
    pub signature: String,
}

/// Signs a request by ACS3. `headers` are those to be signed, names in any case and order.
pub fn acs3_stages(
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &[(&str, &str)],
    hashed_payload: &str,
    secret: &str,
) -> Acs3 {
    let (lines, signed_headers) = canonical_headers(headers.iter().copied());
    let canonical_request = format!(
        "{method}\n{path}\n{}\n{lines}\n{signed_headers}\n{hashed_payload}",
        canonical_query(query)
    );
    let string_to_sign = format!("{ACS3}\n{}", sha256_hex(canonical_request.as_bytes()));
    let signature = hmac_sha256_hex(secret, &string_to_sign);
    Acs3 {
        canonical_request,
        string_to_sign,
        signed_headers,
        signature,
    }
}

/// A request signed by ACS3.
pub(super) fn acs3(request: &Request, signing: &Signing<'_>) -> Signed {
    let (content_type, body) = match &request.body {
        Some((content_type, body)) => (Some(*content_type), body.clone()),
        None => (None, Vec::new()),
    };
    let hashed_payload = sha256_hex(&body);
    let mut headers = vec![
        ("x-acs-action", request.api.to_owned()),
        ("x-acs-version", request.version.to_owned()),
        ("x-acs-date", timestamp(signing.now)),
        ("x-acs-signature-nonce", signing.nonce.to_owned()),
        ("x-acs-content-sha256", hashed_payload.clone()),
    ];
    headers.extend(content_type.map(|content_type| ("content-type", content_type.to_owned())));
    if let Credential::Keys {
        id,
        secret,
        security_token,
    } = signing.credential
    {
        if let Some(token) = security_token {
            // NOTE: The documentation does not list x-acs-accesskey-id; the vendor's SDK sends it beside the token.
            headers.push(("x-acs-accesskey-id", id.clone()));
            headers.push(("x-acs-security-token", token.expose().to_owned()));
        }
        let authority = signing.endpoint.authority();
        let mut signed: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        signed.push(("host", &authority));
        let stages = acs3_stages(
            request.method,
            &request.path,
            &request.query,
            &signed,
            &hashed_payload,
            secret.expose(),
        );
        headers.push((
            "authorization",
            format!(
                "{ACS3} Credential={id},SignedHeaders={},Signature={}",
                stages.signed_headers, stages.signature
            ),
        ));
    }
    headers.push(("accept", "application/json".into()));
    Signed {
        method: request.method,
        url: format!(
            "{}{}?{}",
            signing.endpoint.origin(),
            request.path,
            canonical_query(&request.query)
        ),
        headers,
        body,
        connect_timeout: None,
    }
}

/// The stages of an RPC 1.0 signature.
pub struct Rpc {
    /// What is signed.
    pub string_to_sign: String,
    /// Base64, not yet percent-encoded.
    pub signature: String,
}

/// Signs parameters, of query and form body together, by RPC 1.0.
pub fn rpc_stages(method: &str, params: &[(String, String)], secret: &str) -> Rpc {
    let string_to_sign = format!(
        "{method}&%2F&{}",
        encoding::encode(&canonical_query(params))
    );
    let key = format!("{secret}&");
    let mut mac =
        Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    Rpc {
        string_to_sign,
        signature,
    }
}

/// A request signed by RPC 1.0.
pub(super) fn rpc(request: &Request, signing: &Signing<'_>) -> Signed {
    let mut params = request.query.clone();
    let mut push = |name: &str, value: &str| params.push((name.to_owned(), value.to_owned()));
    push("Action", request.api);
    push("Version", request.version);
    push("Format", "JSON");
    push("Timestamp", &timestamp(signing.now));
    push("SignatureNonce", signing.nonce);
    push("SignatureMethod", "HMAC-SHA1");
    push("SignatureVersion", "1.0");
    if let Credential::Keys {
        id,
        secret,
        security_token,
    } = signing.credential
    {
        push("AccessKeyId", id);
        if let Some(token) = security_token {
            push("SecurityToken", token.expose());
        }
        let signature = rpc_stages(request.method, &params, secret.expose()).signature;
        params.push(("Signature".into(), signature));
    }
    Signed {
        method: request.method,
        url: format!(
            "{}{}?{}",
            signing.endpoint.origin(),
            request.path,
            canonical_query(&params)
        ),
        headers: vec![("accept", "application/json".into())],
        body: Vec::new(),
        connect_timeout: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Secret;
    use crate::provider::{Endpoint, Scheme};
    use serde_json::Value;

    fn vectors(group: &str) -> Vec<Value> {
        let all: Value =
            serde_json::from_str(include_str!("../../../fixtures/signatures/vectors.json"))
                .unwrap();
        all[group].as_array().unwrap().clone()
    }

    fn map(value: &Value) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let object = value.as_object().unwrap();
        object
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect()
    }

    fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn every_stage_of_acs3_is_the_vendors_sdks() {
        let vectors = vectors("acs3_hmac_sha256");
        assert_eq!(vectors.len(), 17);
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().unwrap();
            let headers = map(&vector["headers"]);
            let stages = acs3_stages(
                text("method"),
                text("path"),
                &map(&vector["query"]),
                &borrowed(&headers),
                text("hashed_payload"),
                text("access_key_secret"),
            );
            assert_eq!(sha256_hex(text("body").as_bytes()), text("hashed_payload"));
            assert_eq!(
                stages.canonical_request,
                text("canonical_request"),
                "{}",
                text("name")
            );
            assert_eq!(stages.string_to_sign, text("string_to_sign"));
            assert_eq!(stages.signed_headers, text("signed_headers"));
            assert_eq!(stages.signature, text("signature"));
            if let Some(published) = vector["published_signature"].as_str() {
                assert_eq!(stages.signature, published);
            }
        }
    }

    #[test]
    fn every_stage_of_rpc_is_the_vendors_sdks() {
        let vectors = vectors("rpc_hmac_sha1");
        assert_eq!(vectors.len(), 17);
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().unwrap();
            let mut params = map(&vector["query"]);
            params.extend(map(&vector["form_body"]));
            let stages = rpc_stages(text("method"), &params, text("access_key_secret"));
            assert_eq!(
                stages.string_to_sign,
                text("string_to_sign"),
                "{}",
                text("name")
            );
            assert_eq!(stages.signature, text("signature"));
        }
    }

    #[test]
    fn whole_requests_of_the_vendors_client_are_signed_the_same() {
        let vectors = vectors("alibaba_client_requests");
        assert_eq!(vectors.len(), 8);
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().unwrap();
            let mut query = map(&vector["query"]);
            if text("signature_mode") == "v2" {
                query.retain(|(name, _)| name != "Signature");
                let stages = rpc_stages(text("method"), &query, text("access_key_secret"));
                assert_eq!(
                    stages.string_to_sign,
                    text("string_to_sign"),
                    "{}",
                    text("name")
                );
                assert_eq!(stages.signature, text("signature"));
                continue;
            }
            // The SDK signs every header that it holds.
            let headers: Vec<_> = map(&vector["headers"])
                .into_iter()
                .filter(|(name, _)| name != "Authorization")
                .collect();
            let stages = acs3_stages(
                text("method"),
                text("path"),
                &query,
                &borrowed(&headers),
                &sha256_hex(b""),
                text("access_key_secret"),
            );
            assert_eq!(
                stages.canonical_request,
                text("canonical_request"),
                "{}",
                text("name")
            );
            assert_eq!(stages.string_to_sign, text("string_to_sign"));
            assert!(text("authorization").ends_with(&format!("Signature={}", stages.signature)));
        }
    }

    fn signed(scheme: Scheme, token: Option<&str>) -> Signed {
        let credential = Credential::Keys {
            id: "AK".into(),
            secret: Secret::new("SK"),
            security_token: token.map(Secret::new),
        };
        let request = Request {
            api: "ListAgentlessTask",
            version: "2018-12-03",
            method: "POST",
            path: "/".into(),
            query: vec![("TargetName".into(), "a b*".into())],
            body: None,
            project_id: None,
        };
        let signing = Signing {
            endpoint: &Endpoint::of_host("tds.cn-shanghai.aliyuncs.com"),
            credential: &credential,
            now: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            nonce: "n",
            scheme,
        };
        match scheme {
            Scheme::Current => acs3(&request, &signing),
            Scheme::Rpc => rpc(&request, &signing),
        }
    }

    #[test]
    fn an_acs3_request_sends_the_canonical_query_and_signs_the_token() {
        let signed = signed(Scheme::Current, Some("TOKEN"));
        assert_eq!(
            signed.url,
            "https://tds.cn-shanghai.aliyuncs.com/?TargetName=a%20b%2A"
        );
        let authorization = &signed
            .headers
            .iter()
            .find(|(name, _)| *name == "authorization")
            .unwrap()
            .1;
        assert!(authorization.starts_with(
            "ACS3-HMAC-SHA256 Credential=AK,SignedHeaders=host;x-acs-accesskey-id;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version,Signature="
        ));
    }

    #[test]
    fn an_rpc_request_carries_everything_in_its_query() {
        let signed = signed(Scheme::Rpc, Some("TOKEN"));
        for part in [
            "AccessKeyId=AK",
            "Action=ListAgentlessTask",
            "Format=JSON",
            "SecurityToken=TOKEN",
            "SignatureMethod=HMAC-SHA1",
            "SignatureVersion=1.0",
            "Timestamp=2023-11-14T22%3A13%3A20Z",
            "Version=2018-12-03",
            "&Signature=",
        ] {
            assert!(signed.url.contains(part), "{part} in {}", signed.url);
        }
    }
}
