//! IAM: a token for a password, and the project of a region.
//!
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>

use chrono::DateTime;
use serde::Deserialize;
use serde_json::json;

use super::{error, sign};
use crate::context::Env;
use crate::credential::seek::Seek;
use crate::credential::{Credential, Lease, Secret, Source};
use crate::error::{Error, Kind};
use crate::operation::lenient::{List, Object, Text};
use crate::provider::{Endpoint, Finding, Request, Scheme, Signed, Signing};

/// Regions with an IAM address of their own; any other is served by the global one.
const REGIONS: &[&str] = &[
    "cn-north-1",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-north-12",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "af-south-1",
    "sa-brazil-1",
    "la-south-2",
    "la-north-2",
    "na-mexico-1",
    "eu-west-0",
    "my-kualalumpur-1",
    "ru-moscow-1",
    "me-east-1",
    "ae-ad-1",
    "tr-west-1",
];

/// Variables that name another address of IAM, first one wins.
const ADDRESSES: [&str; 3] = [
    "SCANQ_HUAWEI_IAM_ENDPOINT",
    "HUAWEICLOUD_SDK_IAM_ENDPOINT",
    "OS_AUTH_URL",
];

/// The address of IAM for a region.
///
/// # Errors
/// A variable that is no address, or plain http to anywhere but loopback.
fn endpoint(env: &Env, region: Option<&str>) -> Result<Endpoint, Error> {
    if let Some((name, address)) = env.first(&ADDRESSES) {
        // OS_AUTH_URL ends in the API's version.
        let origin = address.trim_end_matches('/').trim_end_matches("/v3");
        return Endpoint::parse(name, origin);
    }
    Ok(Endpoint::of_host(&match region {
        Some(region) if REGIONS.contains(&region) => format!("iam.{region}.myhuaweicloud.com"),
        // NOTE: The European region is a cloud of its own; its IAM is named by analogy, the SDK's map lacks it.
        Some("eu-west-101") => "iam.eu-west-101.myhuaweicloud.eu".to_owned(),
        _ => "iam.myhuaweicloud.com".to_owned(),
    }))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SignIn<'a> {
    #[serde(borrow)]
    token: Object<Token<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Token<'a> {
    #[serde(borrow)]
    expires_at: Text<'a>,
    project: Object<Project<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Project<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

/// Signs in with a password, project scope. The token is kept between runs; a wrong password is tried once.
pub(super) async fn password(seek: &Seek<'_>, region: Option<&str>) -> Result<Source, Error> {
    let env = seek.env;
    let user = env.first(&["OS_USERNAME", "HW_USER_NAME"]);
    let password = env.first(&["OS_PASSWORD", "HW_USER_PASSWORD"]);
    let broken = |why: &str| Error::new(Kind::Config, "password sign-in", why);
    let ((_, user), (password_name, password)) = match (user, password) {
        (Some(user), Some(password)) => (user, password),
        (None, None) => {
            return Ok(Source::nothing(
                "password sign-in: OS_USERNAME and OS_PASSWORD are not set",
            ));
        }
        (Some((name, _)), None) => {
            return Err(broken(&format!("{name} is set, but OS_PASSWORD is not")));
        }
        (None, Some((name, _))) => {
            return Err(broken(&format!("{name} is set, but OS_USERNAME is not")));
        }
    };
    let Some((_, domain)) = env.first(&["OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "HW_DOMAIN_NAME"])
    else {
        return Err(broken("the account is not known")
            .hint("set OS_USER_DOMAIN_NAME to the account's name"));
    };
    let project_id = env.first(&[
        "OS_PROJECT_ID",
        "HUAWEICLOUD_SDK_PROJECT_ID",
        "HW_PROJECT_ID",
    ]);
    let project_name = env
        .first(&["OS_PROJECT_NAME", "OS_TENANT_NAME", "HW_PROJECT_NAME"])
        .map(|(_, name)| name)
        .or(region);
    let project = match (project_id, project_name) {
        (Some((_, id)), _) => json!({"id": id}),
        (None, Some(name)) => json!({"name": name}),
        (None, None) => {
            return Err(broken("the project is not known")
                .hint("set OS_PROJECT_NAME (usually the region), OS_PROJECT_ID, or a region"));
        }
    };
    let endpoint = endpoint(env, region)?;
    let (origin, scope) = (endpoint.origin(), project.to_string());
    let source = format!("password sign-in of {user}");
    let who = ["huawei", "password", &origin, domain, user, &scope];
    let sign_in = async {
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": user, "password": password, "domain": {"name": domain},
            }}},
            "scope": {"project": project},
        }});
        let request = |_| Signed {
            method: "POST",
            // Without the catalog the answer is a hundredth of the size.
            url: format!("{origin}/v3/auth/tokens?nocatalog=true"),
            headers: vec![("content-type", "application/json;charset=utf8".to_owned())],
            body: body.to_string().into_bytes(),
            connect_timeout: None,
        };
        let reply = seek
            .ask(
                "password sign-in",
                request,
                error::failure,
                "a sign-in by password",
            )
            .await;
        let reply = reply.map_err(|error| match error.kind {
            Kind::Credential => Error { hints: Vec::new(), ..error }
                .hint(format!("check OS_USERNAME, {password_name} and the account; it was tried once, so as not to lock the user out")),
            _ => error,
        })?;
        let token = reply.header("x-subject-token").ok_or_else(|| {
            Error::new(
                Kind::Answer,
                "password sign-in",
                "the answer has no X-Subject-Token",
            )
        })?;
        let answer: SignIn = serde_json::from_slice(&reply.body).unwrap_or_default();
        let answer = answer.token.0.unwrap_or_default();
        let expires = answer
            .expires_at
            .get()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        Ok(Lease {
            expires: expires.map(|time| time.to_utc()),
            project_id: answer.project.0.and_then(|project| project.id.owned()),
            ..Lease::new(Credential::Token(Secret::new(token)), &*source)
        })
    };
    let lease = seek
        .cache
        .lease(&who, seek.now(), seek.ui, &source, sign_in)
        .await;
    seek.or_stand_in(lease, Credential::stand_in_token())
        .map(Source::from)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Projects<'a> {
    #[serde(borrow)]
    projects: List<Project<'a>>,
}

/// The id of the project that a region's tasks are in.
pub(super) fn find_project<'a>(
    seek: &'a Seek<'a>,
    lease: &'a Lease,
    region: &'a str,
) -> Finding<'a, String> {
    Box::pin(async move {
        let endpoint = endpoint(seek.env, Some(region))?;
        let request = Request {
            api: "KeystoneListProjects",
            version: "v3",
            method: "GET",
            path: "/v3/projects".into(),
            query: vec![("name".into(), region.to_owned())],
            body: None,
            project_id: None,
        };
        let signed = |now| {
            let signing = Signing {
                endpoint: &endpoint,
                credential: &lease.credential,
                now,
                nonce: "",
                scheme: Scheme::Current,
            };
            sign::sign(&request, &signing)
        };
        let what = "look up the project";
        let reply = seek
            .ask(
                what,
                signed,
                error::failure,
                "the IAM permission to list projects",
            )
            .await;
        let set = "set HUAWEICLOUD_SDK_PROJECT_ID, or project_id in the profile";
        let reply = reply.map_err(|error| error.hint(set))?;
        let answer: Projects = serde_json::from_slice(&reply.body)
            .map_err(|_| Error::new(Kind::Answer, what, "the answer has no projects"))?;
        let ids: Vec<_> = answer
            .projects
            .0
            .iter()
            .filter_map(|project| project.id.get())
            .collect();
        match ids[..] {
            [id] => Ok(id.to_owned()),
            [] => Err(Error::new(
                Kind::Config,
                what,
                format!("IAM knows no project of the region {region}"),
            )
            .hint(set)),
            _ => Err(Error::new(
                Kind::Config,
                what,
                format!("the region {region} has several: {}", ids.join(", ")),
            )
            .hint(set)),
        }
    })
}
