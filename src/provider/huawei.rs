//! Huawei Cloud: Host Security Service (HSS, v5).

pub mod credential;
pub mod endpoint;
pub mod error;
pub mod hss;
pub mod iam;
pub mod sign;

use super::{Provider, Request, Scope};
use crate::error::{Error, Kind};
use crate::operation::{Meta, Params};

/// Huawei Cloud.
pub static HUAWEI: Provider = Provider {
    id: "huawei",
    name: "Huawei Cloud HSS",
    operations: hss::OPERATIONS,
    regions: endpoint::regions,
    site: endpoint::site,
    vpc_site: None,
    default_regions: &[],
    region_variables: &["HUAWEICLOUD_SDK_REGION", "HW_REGION_NAME", "OS_REGION_NAME"],
    endpoint_variable: "SCANQ_HUAWEI_ENDPOINT",
    project_variables: credential::environment::PROJECT,
    find_project: Some(iam::find_project),
    has_cli_profiles: false,
    credential: credential::find,
    assume: None,
    build,
    sign: sign::sign,
    failure: error::failure,
};

/// The parameters that go into the query; every other one goes into the JSON body.
const IN_QUERY: [&str; 3] = ["enterprise_project_id", "offset", "limit"];

fn build(meta: &Meta, params: &Params, scope: &Scope) -> Result<Request, Error> {
    let project_id = scope.project_id.as_deref().ok_or_else(|| {
        Error::new(Kind::Config, "huawei", "the project id is not known")
            .hint("set HUAWEICLOUD_SDK_PROJECT_ID to the project of the region")
    })?;
    let mut body = params.clone();
    let mut query = Vec::new();
    for name in IN_QUERY {
        if let Some(value) = body.shift_remove(name) {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            query.push((name.to_owned(), text));
        }
    }
    let project = crate::encoding::encode(project_id);
    Ok(Request {
        api: meta.api,
        version: meta.version,
        method: "POST",
        path: meta.path.replace("{project_id}", &project),
        query,
        body: Some((
            "application/json",
            serde_json::to_vec(&body).expect("parameters are JSON"),
        )),
        project_id: Some(project_id.to_owned()),
    })
}
