//! What stands where the documentation's examples are masked, and who the tasks are about.

use fastrand::Rng;
use serde_json::{Map, Value};

/// Fills the masks of the documentation's examples (`****`, `XX`, `xxxx`), and gives well-known fields varied values.
pub(super) fn fill(value: &mut Value, field: &str, rng: &mut Rng) {
    match value {
        Value::Object(object) => {
            let object: &mut Map<String, Value> = object;
            for (key, value) in object.iter_mut() {
                fill(value, key, rng);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| fill(value, field, rng)),
        Value::String(text) => {
            *text = match cast(field) {
                Some(cast) => cast[rng.usize(..cast.len())].to_owned(),
                None => unmask(text, rng),
            };
        }
        _ => {}
    }
}

fn unmask(text: &str, rng: &mut Rng) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run = rest.chars().take_while(|other| *other == c).count();
        let is_mask = run >= 2 && matches!(c, '*' | 'x' | 'X');
        if is_mask && c == 'X' {
            filled.push_str(&rng.u8(1..255).to_string());
        } else if is_mask {
            for _ in 0..run {
                filled.push(char::from_digit(rng.u32(..16), 16).expect("a hex digit"));
            }
        } else {
            filled.extend(std::iter::repeat_n(c, run));
        }
        rest = &rest[run * c.len_utf8()..];
    }
    filled
}

/// Names that tasks of this world are about.
fn cast(field: &str) -> Option<&'static [&'static str]> {
    Some(match field {
        "RepoNamespace" => &["prod", "staging", "platform", "data"],
        "RepoName" => &[
            "payments",
            "checkout",
            "web",
            "auth-gateway",
            "reports",
            "search",
        ],
        "Tag" | "OldTag" => &["1.4.2", "1.5.0-rc1", "2026.11", "v1.20", "latest"],
        "NewTag" => &["1.4.2-fixed", "1.5.0-fixed", "2026.11-fixed"],
        "InstanceName" => &[
            "sql-prod-01",
            "web-prod-03",
            "build-runner-7",
            "jump-host",
            "cache-02",
        ],
        "TargetName" => &[
            "sql-prod-01-data",
            "web-image-2026",
            "runner-base",
            "jump-host-root",
            "归档-01",
        ],
        "ClusterName" => &["ack-prod", "ack-staging", "ack-build"],
        "NodeName" => &["node-a1", "node-b2", "node-c3"],
        "trigger_type" => &["manual", "schedule"],
        "file_type" => &["dockerfile", "k8s_yaml"],
        "scan_type_list" => &["cluster_vul", "risk_assessment", "benchmark"],
        "task_name" => &[
            "dockerfile-check",
            "k8s-manifests",
            "nightly",
            "release-gate",
        ],
        "VulAlias" => &[
            "CVE-2021-44228:log4j2 remote code execution",
            "CVE-2022-0778:openssl infinite loop",
            "CVE-2007-5686:rpath_linux Information Disclosure",
        ],
        _ => return None,
    })
}
