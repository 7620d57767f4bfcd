//! Alibaba Cloud: Security Center (`sas`, version 2018-12-03).

pub mod credential;
pub mod endpoint;
pub mod error;
pub mod sas;
pub mod sign;

use serde_json::Value;

use super::{Provider, Request, Scheme, Scope, Signed, Signing};
use crate::error::Error;
use crate::operation::{Meta, Params};

/// Alibaba Cloud.
pub static ALIYUN: Provider = Provider {
    id: "aliyun",
    name: "Alibaba Cloud Security Center",
    operations: sas::OPERATIONS,
    regions: endpoint::regions,
    site: endpoint::site,
    vpc_site: Some(endpoint::vpc_site),
    default_regions: &["cn-shanghai", "ap-southeast-1"],
    region_variables: &[
        "ALIBABA_CLOUD_REGION_ID",
        "ALIBABACLOUD_REGION_ID",
        "ALICLOUD_REGION_ID",
    ],
    endpoint_variable: "SCANQ_ALIYUN_ENDPOINT",
    project_variables: &[],
    find_project: None,
    has_cli_profiles: true,
    credential: credential::find,
    assume: Some(credential::assume),
    build,
    sign,
    failure: error::failure,
};

/// An RPC request: every parameter in the query, an empty body, POST as the vendor's SDK has it.
fn build(meta: &Meta, params: &Params, _: &Scope) -> Result<Request, Error> {
    let mut query = Vec::new();
    for (name, value) in params {
        flatten(&mut query, name, value);
    }
    Ok(Request {
        api: meta.api,
        version: meta.version,
        method: "POST",
        path: meta.path.into(),
        query,
        body: None,
        project_id: None,
    })
}

/// Lists become `Name.1`, `Name.2`, …; objects `Name.Key`; null and empty lists are not sent.
fn flatten(query: &mut Vec<(String, String)>, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(value) => query.push((name.to_owned(), value.to_string())),
        Value::Number(number) => query.push((name.to_owned(), number.to_string())),
        Value::String(text) => query.push((name.to_owned(), text.clone())),
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                flatten(query, &format!("{name}.{}", index + 1), element);
            }
        }
        Value::Object(object) => {
            for (key, element) in object {
                flatten(query, &format!("{name}.{key}"), element);
            }
        }
    }
}

fn sign(request: &Request, signing: &Signing<'_>) -> Signed {
    match signing.scheme {
        Scheme::Current => sign::acs3(request, signing),
        Scheme::Rpc => sign::rpc(request, signing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_numbered_from_one_and_nulls_left_out() {
        let params = serde_json::json!({
            "StatusList": ["INIT", "START"], "RelateInfo": true, "PageSize": 20, "None": null, "Empty": [],
            "Tag": [{"Key": "a"}],
        });
        let mut query = Vec::new();
        for (name, value) in params.as_object().unwrap() {
            flatten(&mut query, name, value);
        }
        let shown: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "StatusList.1=INIT",
                "StatusList.2=START",
                "RelateInfo=true",
                "PageSize=20",
                "Tag.1.Key=a"
            ]
        );
    }
}
