//! Who may come in: signatures, times and nonces, checked as the documentation says the services check them.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Incoming, Refusal, keys, refuse};
use crate::encoding;
use crate::provider::{aliyun, huawei};

/// How far a request's time may be from the server's.
const TOLERANCE: TimeDelta = TimeDelta::minutes(15);

/// Nonces that are remembered. More than any client sends within the tolerance.
const REMEMBERED: usize = 1_000_000;

/// The parameters of the RPC protocol itself; every other one is the operation's.
const RPC_COMMON: [&str; 10] = [
    "AccessKeyId",
    "Action",
    "Format",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// The nonces that were used.
#[derive(Default)]
pub(super) struct Nonces {
    used: HashSet<String>,
    order: VecDeque<String>,
}

impl Nonces {
    /// Whether this is the first time that the nonce is seen.
    fn is_first(&mut self, nonce: &str) -> bool {
        if !self.used.insert(nonce.to_owned()) {
            return false;
        }
        self.order.push_back(nonce.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.used.remove(&oldest);
        }
        true
    }
}

/// An Alibaba Cloud request that may come in.
pub(super) struct Admitted {
    pub(super) action: String,
    pub(super) version: String,
    /// Business parameters, as sent.
    pub(super) params: Vec<(String, String)>,
}

/// Checks an Alibaba Cloud request, signed in either way.
pub(super) fn aliyun(
    request: &Incoming,
    now: DateTime<Utc>,
    nonces: &mut Nonces,
) -> Result<Admitted, Refusal> {
    if request.method != "GET" && request.method != "POST" {
        return Err(refuse(
            405,
            "UnsupportedHTTPMethod",
            "This http method is not supported.",
        ));
    }
    let query = encoding::pairs(&request.query);
    match request.header("authorization") {
        Some(authorization) => acs3(request, query, authorization, now, nonces),
        None => rpc(request, query, now, nonces),
    }
}

fn acs3(
    request: &Incoming,
    params: Vec<(String, String)>,
    authorization: &str,
    now: DateTime<Utc>,
    nonces: &mut Nonces,
) -> Result<Admitted, Refusal> {
    let incomplete = || {
        refuse(
            400,
            "IncompleteSignature",
            "The request signature does not conform to Aliyun standards.",
        )
    };
    let fields = authorization
        .strip_prefix("ACS3-HMAC-SHA256 ")
        .ok_or_else(incomplete)?;
    let field = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.split_once('='));
        fields
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    };
    let (id, signed, signature) = field("Credential")
        .zip(field("SignedHeaders"))
        .zip(field("Signature"))
        .map(|((id, signed), signature)| (id, signed, signature))
        .ok_or_else(incomplete)?;
    let secret = aliyun_secret(id)?;
    let signed: Vec<_> = signed.split(';').collect();
    let must_be_signed =
        |name: &str| name == "host" || name == "content-type" || name.starts_with("x-acs-");
    for name in [
        "host",
        "x-acs-action",
        "x-acs-version",
        "x-acs-date",
        "x-acs-content-sha256",
    ] {
        if request.header(name).is_none() {
            return Err(refuse(
                400,
                "MissingParameter",
                format!(
                    "The input parameter \"{name}\" that is mandatory for processing this request is not supplied."
                ),
            ));
        }
    }
    if request
        .headers
        .iter()
        .any(|(name, _)| must_be_signed(name) && !signed.contains(&name.as_str()))
    {
        return Err(incomplete());
    }
    let headers: Vec<_> = signed
        .iter()
        .map(|name| Some((*name, request.header(name)?)))
        .collect::<Option<_>>()
        .ok_or_else(incomplete)?;
    let payload = encoding::sha256_hex(&request.body);
    if request.header("x-acs-content-sha256") != Some(&payload) {
        return Err(refuse(
            400,
            "InvalidParameter",
            "Specified parameter x-acs-content-sha256 is not valid.",
        ));
    }
    let stages = aliyun::sign::acs3_stages(
        &request.method,
        &request.path,
        &params,
        &headers,
        &payload,
        secret,
    );
    check_signature(&stages.signature, signature)?;
    aliyun_token(id, request.header("x-acs-security-token"))?;
    aliyun_time(request.header("x-acs-date"), now)?;
    if let Some(nonce) = request.header("x-acs-signature-nonce") {
        check_nonce(nonce, nonces)?;
    }
    let text = |name| request.header(name).unwrap_or_default().to_owned();
    Ok(Admitted {
        action: text("x-acs-action"),
        version: text("x-acs-version"),
        params,
    })
}

fn rpc(
    request: &Incoming,
    mut params: Vec<(String, String)>,
    now: DateTime<Utc>,
    nonces: &mut Nonces,
) -> Result<Admitted, Refusal> {
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if is_form {
        params.extend(encoding::pairs(&String::from_utf8_lossy(&request.body)));
    }
    let param = |name: &str| {
        let found = params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let required = |name: &str| {
        param(name).ok_or_else(|| {
            refuse(
                400,
                &format!("Missing{name}"),
                format!("{name} is mandatory for this action."),
            )
        })
    };
    let (action, version) = (required("Action")?, required("Version")?);
    // Whoever has a token of the identity provider has no keys yet.
    if action == "AssumeRoleWithOIDC" {
        return Ok(Admitted {
            action,
            version,
            params,
        });
    }
    let id = required("AccessKeyId")?;
    let signature = required("Signature")?;
    let nonce = required("SignatureNonce")?;
    let timestamp = required("Timestamp")?;
    if required("SignatureMethod")? != "HMAC-SHA1" || required("SignatureVersion")? != "1.0" {
        return Err(refuse(
            400,
            "InvalidSignatureMethod",
            "Specified signature method is not valid.",
        ));
    }
    let secret = aliyun_secret(&id)?;
    let signed: Vec<_> = params
        .iter()
        .filter(|(name, _)| name != "Signature")
        .cloned()
        .collect();
    let stages = aliyun::sign::rpc_stages(&request.method, &signed, secret);
    check_signature(&stages.signature, &signature)?;
    aliyun_token(&id, param("SecurityToken").as_deref())?;
    aliyun_time(Some(&timestamp), now)?;
    check_nonce(&nonce, nonces)?;
    params.retain(|(name, _)| !RPC_COMMON.contains(&name.as_str()));
    Ok(Admitted {
        action,
        version,
        params,
    })
}

fn aliyun_secret(id: &str) -> Result<&'static str, Refusal> {
    match id {
        _ if id == keys::ALIYUN.0 => Ok(keys::ALIYUN.1),
        _ if id == keys::ALIYUN_STS.0 => Ok(keys::ALIYUN_STS.1),
        _ => Err(refuse(
            404,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        )),
    }
}

fn aliyun_token(id: &str, token: Option<&str>) -> Result<(), Refusal> {
    let is_temporary = id == keys::ALIYUN_STS.0;
    match token {
        None if is_temporary => Err(refuse(
            400,
            "MissingSecurityToken",
            "SecurityToken is mandatory for this action.",
        )),
        Some(token) if is_temporary && token != keys::ALIYUN_STS.2 => Err(refuse(
            400,
            "InvalidSecurityToken.Malformed",
            "Specified SecurityToken is malformed.",
        )),
        Some(_) if !is_temporary => Err(refuse(
            400,
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        )),
        _ => Ok(()),
    }
}

fn check_signature(expected: &str, given: &str) -> Result<(), Refusal> {
    if expected == given {
        return Ok(());
    }
    Err(refuse(
        400,
        "SignatureDoesNotMatch",
        "Specified signature does not match our calculation.",
    ))
}

fn check_nonce(nonce: &str, nonces: &mut Nonces) -> Result<(), Refusal> {
    if nonces.is_first(nonce) {
        return Ok(());
    }
    Err(refuse(
        400,
        "SignatureNonceUsed",
        "Specified signature nonce was used already.",
    ))
}

fn aliyun_time(text: Option<&str>, now: DateTime<Utc>) -> Result<(), Refusal> {
    let time = text
        .and_then(|text| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok())
        .ok_or_else(|| {
            refuse(
                400,
                "InvalidTimeStamp.Format",
                "Specified time stamp or date value is not well formatted.",
            )
        })?;
    if (time.and_utc() - now).abs() > TOLERANCE {
        return Err(refuse(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        ));
    }
    Ok(())
}

/// Checks a Huawei Cloud request: a token, or a signature.
pub(super) fn huawei(request: &Incoming, now: DateTime<Utc>) -> Result<(), Refusal> {
    let refused = |detail: &str| {
        refuse(
            401,
            "APIGW.0301",
            format!("Incorrect IAM authentication information: {detail}"),
        )
    };
    if let Some(token) = request.header("x-auth-token") {
        return if token == keys::HUAWEI_TOKEN {
            Ok(())
        } else {
            Err(refused("decrypt token fail"))
        };
    }
    let incomplete = || refused("Unauthorized");
    let fields = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("SDK-HMAC-SHA256 "))
        .ok_or_else(incomplete)?;
    let field = |name: &str| {
        let mut fields = fields.split(", ").filter_map(|field| field.split_once('='));
        fields
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    };
    let (id, signed, signature) = field("Access")
        .zip(field("SignedHeaders"))
        .zip(field("Signature"))
        .map(|((id, signed), signature)| (id, signed, signature))
        .ok_or_else(incomplete)?;
    let (secret, token) = match id {
        _ if id == keys::HUAWEI.0 => (keys::HUAWEI.1, None),
        _ if id == keys::HUAWEI_STS.0 => (keys::HUAWEI_STS.1, Some(keys::HUAWEI_STS.2)),
        _ => return Err(refused("get secretKey by ak failed")),
    };
    let signed: Vec<_> = signed.split(';').collect();
    if !signed.contains(&"host") || !signed.contains(&"x-sdk-date") {
        return Err(incomplete());
    }
    let headers: Vec<_> = signed
        .iter()
        .map(|name| Some((*name, request.header(name)?)))
        .collect::<Option<_>>()
        .ok_or_else(incomplete)?;
    let payload = encoding::sha256_hex(&request.body);
    let query = encoding::pairs(&request.query);
    let stages = huawei::sign::stages(
        &request.method,
        &request.path,
        &query,
        &headers,
        &payload,
        secret,
    );
    if stages.signature != signature {
        return Err(refused("verify aksk signature fail"));
    }
    if request.header("x-security-token") != token
        || (token.is_some() && !signed.contains(&"x-security-token"))
    {
        return Err(refused("verify security token fail"));
    }
    let date = request
        .header("x-sdk-date")
        .and_then(|text| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok())
        .ok_or_else(incomplete)?;
    if (date.and_utc() - now).abs() > TOLERANCE {
        return Err(refused("signature expired"));
    }
    Ok(())
}
