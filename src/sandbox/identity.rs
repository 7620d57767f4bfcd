//! Where credentials come from, as the sandbox plays it: STS, both metadata services, a credentials URI, IAM.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::gate::Admitted;
use super::{Incoming, Refusal, Sandbox, keys, refuse};
use crate::encoding;
use crate::transport::Reply;

/// Roles that the sandbox's keys and tokens may take on.
const ROLES: [&str; 2] = [
    "acs:ram::1234567890123456:role/scanq",
    "acs:ram::1234567890123456:role/second",
];
const OIDC_PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ci";
const OIDC_TOKEN: &str = "sandbox-oidc-token";
const ECS_ROLE: &str = "sandbox-ecs-role";
/// User, password, account.
const USER: (&str, &str, &str) = ("sandbox-user", "sandbox-password", "sandbox-domain");
const METADATA_TOKEN: &str = "sandbox-metadata-token";

/// Temporary keys last an hour.
fn expiry(now: DateTime<Utc>) -> String {
    (now + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn temporary(now: DateTime<Utc>) -> Value {
    let (id, secret, token) = keys::ALIYUN_STS;
    json!({"AccessKeyId": id, "AccessKeySecret": secret, "SecurityToken": token, "Expiration": expiry(now)})
}

/// STS: `AssumeRole`, signed, and `AssumeRoleWithOIDC`, which is signed by nobody.
pub(super) fn sts(
    admitted: &Admitted,
    now: DateTime<Utc>,
    request_id: &str,
) -> Result<Value, Refusal> {
    let param = |name: &str| {
        let found = admitted.params.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    if admitted.version != "2015-04-01" {
        return Err(refuse(
            400,
            "InvalidVersion",
            "Specified parameter Version is not valid.",
        ));
    }
    for name in ["RoleArn", "RoleSessionName"] {
        if param(name).is_none() {
            return Err(refuse(
                400,
                &format!("Missing{name}"),
                format!("{name} is mandatory for this action."),
            ));
        }
    }
    if admitted.action == "AssumeRoleWithOIDC" {
        if param("OIDCProviderArn") != Some(OIDC_PROVIDER) {
            return Err(refuse(
                404,
                "EntityNotExist.OIDCProvider",
                "The specified OIDC provider does not exist.",
            ));
        }
        if param("OIDCToken") != Some(OIDC_TOKEN) {
            return Err(refuse(
                400,
                "AuthenticationFail.OIDCToken.Invalid",
                "This OIDC token is invalid.",
            ));
        }
    }
    let role = param("RoleArn").unwrap_or_default();
    if !ROLES.contains(&role) {
        return Err(refuse(
            404,
            "EntityNotExist.Role",
            format!("The role not exists: {role}."),
        ));
    }
    let session = param("RoleSessionName").unwrap_or_default();
    Ok(json!({
        "RequestId": request_id,
        "AssumedRoleUser": {"Arn": format!("{role}/{session}"), "AssumedRoleId": format!("3300000000000000:{session}")},
        "Credentials": temporary(now),
    }))
}

/// What is asked beside the operations, by the names under which it is counted.
pub(super) const NAMES: [&str; 7] = [
    "AssumeRole",
    "AssumeRoleWithOIDC",
    "URI",
    "IAM-token",
    "IAM-projects",
    "IMDS",
    "ECS-agency",
];

/// Everything that is asked by path. None: not one of these.
pub(super) fn answer(sandbox: &Sandbox, request: &Incoming, now: DateTime<Utc>) -> Option<Reply> {
    let path = request.path.as_str();
    let (name, reply) = match path {
        "/credentials" => ("URI", with_code(temporary(now))),
        _ if path.starts_with("/latest/")
            || path.starts_with("/meta-data/")
            || path.starts_with("/openstack/") =>
        {
            return metadata(sandbox, request, now);
        }
        "/v3/auth/tokens" => ("IAM-token", sign_in(request, now)),
        "/v3/projects" => ("IAM-projects", projects(request, now)),
        _ => return None,
    };
    sandbox.note(name);
    Some(reply)
}

fn metadata(sandbox: &Sandbox, request: &Incoming, now: DateTime<Utc>) -> Option<Reply> {
    const ROLE: &str = "/latest/meta-data/ram/security-credentials/";
    if !sandbox.metadata {
        return Some(text(503, "no metadata service here"));
    }
    let path = request.path.as_str();
    let is = |name: &str| request.header(name) == Some(METADATA_TOKEN);
    Some(match (request.method.as_str(), path) {
        ("PUT", "/latest/api/token" | "/meta-data/latest/api/token") => text(200, METADATA_TOKEN),
        ("GET", _) if path == ROLE && is("x-aliyun-ecs-metadata-token") => text(200, ECS_ROLE),
        ("GET", _)
            if path.strip_prefix(ROLE) == Some(ECS_ROLE) && is("x-aliyun-ecs-metadata-token") =>
        {
            sandbox.note("IMDS");
            with_code(temporary(now))
        }
        ("GET", "/openstack/latest/securitykey") if is("x-metadata-token") => {
            sandbox.note("ECS-agency");
            let (access, secret, token) = keys::HUAWEI_STS;
            document(
                200,
                &json!({"credential": {
                    "access": access, "secret": secret, "securitytoken": token, "expires_at": expiry(now),
                }}),
            )
        }
        _ => text(404, "not found"),
    })
}

/// IAM's `POST /v3/auth/tokens`.
fn sign_in(request: &Incoming, now: DateTime<Utc>) -> Reply {
    let wrong = || {
        let message = "The username or password is wrong.";
        document(
            401,
            &json!({"error": {"code": 401, "message": message, "title": "Unauthorized"}}),
        )
    };
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return document(
            400,
            &json!({"error_code": "IAM.0011", "error_msg": "Request body is invalid."}),
        );
    };
    let user = &body["auth"]["identity"]["password"]["user"];
    let given = (
        user["name"].as_str(),
        user["password"].as_str(),
        user["domain"]["name"].as_str(),
    );
    if given != (Some(USER.0), Some(USER.1), Some(USER.2)) {
        return wrong();
    }
    let project = &body["auth"]["scope"]["project"];
    if project["id"] != keys::HUAWEI_PROJECT && project["name"] != keys::REGIONS.1 {
        return wrong();
    }
    let mut reply = document(
        201,
        &json!({"token": {
            "expires_at": (now + TimeDelta::hours(24)).to_rfc3339_opts(SecondsFormat::Micros, true),
            "project": {"id": keys::HUAWEI_PROJECT, "name": keys::REGIONS.1},
        }}),
    );
    reply
        .headers
        .push(("x-subject-token".into(), keys::HUAWEI_TOKEN.into()));
    reply
}

/// IAM's `GET /v3/projects`.
fn projects(request: &Incoming, now: DateTime<Utc>) -> Reply {
    if let Err(refusal) = super::gate::huawei(request, now) {
        return document(
            refusal.status,
            &json!({"error_code": refusal.code, "error_msg": refusal.message}),
        );
    }
    let name = encoding::pairs(&request.query)
        .into_iter()
        .find(|(name, _)| name == "name")
        .map(|(_, value)| value);
    let own = json!({"id": keys::HUAWEI_PROJECT, "name": keys::REGIONS.1, "enabled": true});
    // One region with a project of its own, one with two, none elsewhere.
    let projects = match name.as_deref() {
        Some("cn-north-4") => json!([own]),
        Some("cn-north-1") => {
            json!([own, {"id": "another", "name": "cn-north-1", "enabled": true}])
        }
        _ => json!([]),
    };
    document(200, &json!({"projects": projects, "links": {}}))
}

fn with_code(mut keys: Value) -> Reply {
    keys["Code"] = "Success".into();
    document(200, &keys)
}

fn document(status: u16, value: &Value) -> Reply {
    let headers = vec![("content-type".into(), "application/json".into())];
    Reply {
        status,
        headers,
        body: Bytes::from(value.to_string()),
    }
}

fn text(status: u16, text: &'static str) -> Reply {
    Reply {
        status,
        headers: vec![("content-type".into(), "text/plain".into())],
        body: Bytes::from(text),
    }
}
