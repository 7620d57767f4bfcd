//! Alibaba Cloud's side of the sandbox: the RPC gateway and its error envelope.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::world::Asked;
use super::{Incoming, Refusal, Sandbox, gate, identity, refuse};
use crate::operation::Cursor;
use crate::provider;

/// The largest page that is given; a larger PageSize is answered with this one, and the answer says so.
const LARGEST_PAGE: u64 = 100;

/// Status and body.
pub(super) fn answer(sandbox: &Sandbox, request: &Incoming, now: DateTime<Utc>) -> (u16, String) {
    match respond(sandbox, request, now) {
        Ok(body) => (200, body.to_string()),
        Err(refusal) => {
            let host = request.header("host").unwrap_or_default();
            let body = json!({
                "RequestId": sandbox.request_id(),
                "HostId": host,
                "Code": refusal.code,
                "Message": refusal.message,
                "Recommend": format!("https://api.aliyun.com/troubleshoot?q={}&product=Sas", refusal.code),
            });
            (refusal.status, body.to_string())
        }
    }
}

fn respond(sandbox: &Sandbox, request: &Incoming, now: DateTime<Utc>) -> Result<Value, Refusal> {
    let admitted = gate::aliyun(request, now, &mut sandbox.nonces.borrow_mut());
    let admitted = admitted.inspect_err(|_| sandbox.note("refused"))?;
    sandbox.note(&admitted.action);
    if matches!(&*admitted.action, "AssumeRole" | "AssumeRoleWithOIDC") {
        return identity::sts(&admitted, now, &sandbox.request_id());
    }
    let entry = provider::aliyun::ALIYUN
        .operations
        .iter()
        .find(|entry| entry.meta.api == admitted.action)
        .ok_or_else(|| {
            refuse(
                404,
                "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method.",
            )
        })?;
    if admitted.version != entry.meta.version {
        return Err(refuse(
            400,
            "InvalidVersion",
            "Specified parameter Version is not valid.",
        ));
    }
    let mut params: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in admitted.params {
        // `StatusList.1`, `StatusList.2`: one parameter with several values.
        let name = match name.split_once('.') {
            Some((list, index)) if index.bytes().all(|b| b.is_ascii_digit()) => list.to_owned(),
            _ => name,
        };
        // A list may also come as JSON in one value.
        let values = match serde_json::from_str::<Vec<String>>(&value) {
            Ok(list) if value.starts_with('[') => list,
            _ => vec![value],
        };
        params.entry(name).or_default().extend(values);
    }
    for name in entry.meta.required {
        if params
            .get(*name)
            .is_none_or(|values| values.iter().all(String::is_empty))
        {
            return Err(refuse(
                400,
                &format!("Missing{name}"),
                format!("{name} is mandatory for this action."),
            ));
        }
    }
    let mut asked = Asked {
        params,
        offset: 0,
        size: 20,
        request_id: sandbox.request_id(),
        site: request.site(),
        descending: true,
    };
    if let Some(paging) = &entry.meta.paging
        && let Cursor::Number { page, size } = paging.cursor
    {
        let number = |name: &str, default: u64| match asked
            .params
            .get(name)
            .and_then(|values| values.first())
        {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if number >= 1 => Ok(number),
                _ => Err(refuse(
                    400,
                    "InvalidParameter",
                    format!("Specified parameter {name} is not valid."),
                )),
            },
        };
        let (page, size) = (number(page, 1)?, number(size, 20)?.min(LARGEST_PAGE));
        asked.offset = (page - 1).saturating_mul(size);
        asked.size = size;
    }
    Ok(sandbox.world.answer(entry.meta, &asked))
}
