//! Huawei Cloud's side of the sandbox: the API gateway, HSS, and their error envelope.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::world::Asked;
use super::{Incoming, Refusal, Sandbox, gate, keys, refuse};
use crate::encoding;
use crate::provider;

/// Status and body.
pub(super) fn answer(sandbox: &Sandbox, request: &Incoming, now: DateTime<Utc>) -> (u16, String) {
    match respond(sandbox, request, now) {
        Ok(body) => (200, body.to_string()),
        Err(refusal) => {
            let body = json!({
                "error_code": refusal.code,
                "error_msg": refusal.message,
                "request_id": sandbox.request_id(),
            });
            (refusal.status, body.to_string())
        }
    }
}

fn respond(sandbox: &Sandbox, request: &Incoming, now: DateTime<Utc>) -> Result<Value, Refusal> {
    gate::huawei(request, now).inspect_err(|_| sandbox.note("refused"))?;
    let found = provider::huawei::HUAWEI
        .operations
        .iter()
        .find_map(|entry| {
            let (before, after) = entry.meta.path.split_once("{project_id}")?;
            let project = request.path.strip_prefix(before)?.strip_suffix(after)?;
            (request.method == "POST" && !project.contains('/')).then_some((entry.meta, project))
        });
    let Some((meta, project)) = found else {
        sandbox.note("unknown");
        return Err(refuse(
            404,
            "APIGW.0101",
            "The API does not exist or has not been published in the environment.",
        ));
    };
    sandbox.note(meta.api);
    if encoding::decode(project) != keys::HUAWEI_PROJECT {
        return Err(refuse(
            403,
            "APIGW.0302",
            "The project in the address is not one of the caller's.",
        ));
    }
    let invalid = |name: &str| refuse(400, "HSS.0001", format!("Invalid parameter: {name}"));
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| refuse(400, "HSS.0002", "Failed to parse the request."))?;
    let mut params = BTreeMap::new();
    collect(&mut params, "", &body);
    for (name, value) in encoding::pairs(&request.query) {
        params.insert(name, vec![value]);
    }
    for name in meta.required {
        if !params.contains_key(*name) {
            return Err(invalid(name));
        }
    }
    let number = |name: &str, default: u64, range: std::ops::RangeInclusive<u64>| match params
        .get(name)
        .and_then(|values| values.first())
    {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(invalid(name)),
        },
    };
    let (offset, size) = (
        number("offset", 0, 0..=2_000_000)?,
        number("limit", 10, 10..=200)?,
    );
    let descending = params
        .get("sort_dir")
        .is_none_or(|values| values.first().is_none_or(|dir| dir != "asc"));
    let asked = Asked {
        params,
        offset,
        size,
        request_id: sandbox.request_id(),
        site: request.site(),
        descending,
    };
    Ok(sandbox.world.answer(meta, &asked))
}

/// The leaves of the JSON body, by their dotted names.
fn collect(params: &mut BTreeMap<String, Vec<String>>, name: &str, value: &Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                collect(params, &name, value);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(params, name, value)),
        Value::Null => {}
        Value::String(text) => params
            .entry(name.to_owned())
            .or_default()
            .push(text.clone()),
        scalar => params
            .entry(name.to_owned())
            .or_default()
            .push(scalar.to_string()),
    }
}
