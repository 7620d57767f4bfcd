//! ListTasks: `POST /v5/{project_id}/common/tasks/batch-query`, cluster and infrastructure-as-code scans.

use std::borrow::Cow;

use clap::{Args, builder::NonEmptyStringValueParser};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::operation::choice::{Choice, Choices, Known, known};
use crate::operation::column::{Cell, Column, column, duration, progress, wide};
use crate::operation::lenient::{Int, List, Object, Text};
use crate::operation::narrow::{ByStatus, Narrow, kind};
use crate::operation::{
    Cursor, Items, Lifecycle, Meta, Operation, Paging, Sample, Test, Times, Total, example, filter,
};
use crate::task::{Facts, Status, percent};

/// NOTE: The page's English text has lost the values of its enumerations; these are the vendor's SDK's.
const TASK_TYPES: &[Known] = &[
    known("cluster_scan", "cluster-scan"),
    known("iac_scan", "iac-scan"),
];

const STATUSES: &[Known] = &[
    known("ready", "pending"),
    known("running", "running"),
    known("finished", "finished"),
];

const TRIGGERS: &[Known] = &[known("manual", "manual"), known("schedule", "schedule")];

const SCANS: &[Known] = &[
    known("cluster_vul", "cluster-vul"),
    known("risk_assessment", "risk-assessment"),
    known("benchmark", "benchmark"),
];

const FILES: &[Known] = &[
    known("dockerfile", "dockerfile"),
    known("k8s_yaml", "k8s-yaml"),
];

const SORT_KEYS: &[Known] = &[known("start_time", "start-time")];

const SORT_DIRECTIONS: &[Known] = &[known("desc", "desc"), known("asc", "asc")];

/// The request.
#[derive(Args, Serialize, Clone)]
pub struct Tasks {
    /// Enterprise project whose tasks are listed; all_granted_eps for all [default: the default project, 0]
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    enterprise_project_id: Option<String>,
    /// Type of the tasks [default: both, one query each]
    #[arg(long, value_parser = Choices(TASK_TYPES))]
    task_type: Option<Choice>,
    /// Only the task with this id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    task_id: Option<String>,
    /// Only tasks whose name contains this
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    task_name: Option<String>,
    /// Only tasks that were started in this way
    #[arg(long, value_parser = Choices(TRIGGERS))]
    trigger_type: Option<Choice>,
    /// Only tasks with this status
    #[arg(long, visible_alias = "status", value_parser = Choices(STATUSES))]
    task_status: Option<Choice>,
    /// What to sort by
    #[arg(long, value_parser = Choices(SORT_KEYS))]
    sort_key: Option<Choice>,
    /// Which way to sort
    #[arg(long, value_parser = Choices(SORT_DIRECTIONS))]
    sort_dir: Option<Choice>,
    #[command(flatten)]
    cluster_scan_info: Option<ClusterFilter>,
    #[command(flatten)]
    iac_scan_info: Option<IacFilter>,
}

/// Goes with cluster scans only.
#[derive(Args, Serialize, Clone)]
pub struct ClusterFilter {
    /// Only cluster scans that look for all of these (can be repeated)
    #[arg(long, required = false, value_name = "SCAN", value_delimiter = ',', value_parser = Choices(SCANS))]
    scan_type_list: Vec<Choice>,
}

/// Goes with infrastructure-as-code scans only.
///
/// NOTE: The page does not list this filter; the vendor's SDK has it.
#[derive(Args, Serialize, Clone)]
pub struct IacFilter {
    /// Only infrastructure-as-code scans of this type of file
    #[arg(long, required = false, value_name = "TYPE", value_parser = Choices(FILES))]
    file_type: Choice,
}

/// One task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HssTask<'a> {
    #[serde(borrow)]
    task_id: Text<'a>,
    task_type: Text<'a>,
    task_name: Text<'a>,
    trigger_type: Text<'a>,
    task_status: Text<'a>,
    start_time: Int,
    /// NOTE: Present while the task runs: in the page's example it repeats the start.
    end_time: Int,
    /// Minutes left.
    estimated_time: Int,
    cluster_scan_info: Object<ClusterScan<'a>>,
    iac_scan_info: Object<IacScan<'a>>,
}

/// How a cluster scan stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterScan<'a> {
    #[serde(borrow)]
    scan_type_list: List<Text<'a>>,
    scanning_cluster_num: Int,
    success_cluster_num: Int,
    failed_cluster_num: Int,
}

/// How an infrastructure-as-code scan stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IacScan<'a> {
    #[serde(borrow)]
    file_type: Text<'a>,
    scan_file_num: Int,
    success_file_num: Int,
    failed_file_num: Int,
}

/// The parts of a task: clusters or files.
#[derive(Default)]
struct Parts {
    noun: &'static str,
    total: i64,
    succeeded: i64,
    failed: i64,
}

impl<'a> HssTask<'a> {
    fn parts(&self) -> Parts {
        let count = |number: Int| number.0.unwrap_or_default().max(0);
        if let Some(scan) = &self.cluster_scan_info.0 {
            let (succeeded, failed) = (
                count(scan.success_cluster_num),
                count(scan.failed_cluster_num),
            );
            let total = succeeded
                .saturating_add(failed)
                .saturating_add(count(scan.scanning_cluster_num));
            return Parts {
                noun: "clusters",
                total,
                succeeded,
                failed,
            };
        }
        if let Some(scan) = &self.iac_scan_info.0 {
            let (succeeded, failed) = (count(scan.success_file_num), count(scan.failed_file_num));
            let total = count(scan.scan_file_num).max(succeeded.saturating_add(failed));
            return Parts {
                noun: "files",
                total,
                succeeded,
                failed,
            };
        }
        Parts::default()
    }

    /// What was scanned: the API names neither clusters nor files here, only what was looked for.
    fn subject(&self) -> Option<Cow<'a, str>> {
        let scans = self.cluster_scan_info.0.as_ref().map(|scan| {
            let scans: Vec<_> = scan.scan_type_list.0.iter().filter_map(Text::get).collect();
            Cow::Owned(scans.join(", "))
        });
        let files = self
            .iac_scan_info
            .0
            .as_ref()
            .and_then(|scan| scan.file_type.kept());
        scans.or(files).filter(|text| !text.is_empty())
    }
}

/// NOTE: There is no failed status: failure shows only in the numbers of failed parts.
fn status(native: &str, parts: &Parts) -> Status {
    match native {
        "ready" => Status::Pending,
        "running" => Status::Running,
        "finished" if parts.failed == 0 => Status::Succeeded,
        "finished" if parts.succeeded == 0 => Status::Failed,
        "finished" => Status::Partial,
        _ => Status::Unknown,
    }
}

impl Operation for Tasks {
    type Item<'a> = HssTask<'a>;

    const META: &'static Meta = &Meta {
        command: "tasks",
        api: "ListTasks",
        version: "v5",
        path: "/v5/{project_id}/common/tasks/batch-query",
        about: "List cluster and infrastructure-as-code scans",
        permission: "the HSS ReadOnlyAccess policy",
        doc: "https://support.huaweicloud.com/intl/en-us/api-hss2.0/ListTasks.html",
        items: Items::List {
            key: "data_list",
            total: Total::Key("total_num"),
        },
        id: "task_id",
        paging: Some(Paging {
            cursor: Cursor::Offset {
                offset: "offset",
                limit: "limit",
                max_offset: 2_000_000,
            },
            min_size: 10,
            max_size: Some(200),
            default_size: 200,
        }),
        period: Some(("start_create_time", "end_create_time")),
        required: &["task_type"],
        filters: &[
            filter("task_type", "task_type", Test::Is),
            filter("task_id", "task_id", Test::Is),
            filter("task_name", "task_name", Test::Contains),
            filter("trigger_type", "trigger_type", Test::Is),
            filter("task_status", "task_status", Test::Is),
            filter("start_create_time", "start_time", Test::NotBefore),
            filter("end_create_time", "start_time", Test::NotAfter),
            filter(
                "cluster_scan_info.scan_type_list",
                "cluster_scan_info.scan_type_list",
                Test::HasAll,
            ),
            filter(
                "iac_scan_info.file_type",
                "iac_scan_info.file_type",
                Test::Is,
            ),
        ],
        narrow: Narrow {
            kinds: &[
                kind("cluster-scan", Some(("task_type", "cluster_scan"))),
                kind("iac-scan", Some(("task_type", "iac_scan"))),
            ],
            status: Some(ByStatus {
                param: "task_status",
                natives: &[
                    ("ready", &[Status::Pending]),
                    ("running", &[Status::Running]),
                    (
                        "finished",
                        &[Status::Succeeded, Status::Partial, Status::Failed],
                    ),
                ],
                unlisted: &[],
                many: false,
            }),
        },
        lifecycle: Lifecycle {
            pending: Some(
                r#"{"task_status":"ready","cluster_scan_info":{"scanning_cluster_num":0,"success_cluster_num":0,
                    "failed_cluster_num":0},"iac_scan_info":{"success_file_num":0,"failed_file_num":0}}"#,
            ),
            running: r#"{"task_status":"running","estimated_time":5,"iac_scan_info":{"success_file_num":6}}"#,
            ends: &[
                (
                    r#"{"task_status":"finished","estimated_time":0,
                        "cluster_scan_info":{"scanning_cluster_num":0,"success_cluster_num":4,"failed_cluster_num":0},
                        "iac_scan_info":{"success_file_num":12,"failed_file_num":0}}"#,
                    Status::Succeeded,
                ),
                (
                    r#"{"task_status":"finished","estimated_time":0,
                        "cluster_scan_info":{"scanning_cluster_num":0,"success_cluster_num":3,"failed_cluster_num":1},
                        "iac_scan_info":{"success_file_num":11,"failed_file_num":1}}"#,
                    Status::Partial,
                ),
                (
                    r#"{"task_status":"finished","estimated_time":0,
                        "cluster_scan_info":{"scanning_cluster_num":0,"success_cluster_num":0,"failed_cluster_num":4},
                        "iac_scan_info":{"success_file_num":0,"failed_file_num":12}}"#,
                    Status::Failed,
                ),
            ],
            progress: None,
            times: Some(Times {
                start: "start_time",
                end: "end_time",
                as_text: false,
            }),
        },
        samples: &[
            Sample {
                when: Some(("task_type", "cluster_scan")),
                body: include_str!("../../../../fixtures/huawei/ListTasks.json"),
            },
            // The page has no example of this type; this one has the fields of its table.
            Sample {
                when: Some(("task_type", "iac_scan")),
                body: include_str!("../../../../fixtures/huawei/ListTasks-iac_scan.json"),
            },
        ],
        examples: &[
            example(
                "Cluster scans that have finished, without an account",
                "scanq huawei tasks --sandbox --task-type cluster-scan --status finished",
            ),
            example(
                "Scans of both types in the last day for a script, one line of JSON each",
                "scanq huawei tasks --since 24h -o jsonl",
            ),
        ],
    };

    const COLUMNS: &'static [Column<Self>] = &[
        column("task-id", |row| Cell::from(&row.item.task_id)),
        column("status", |row| Cell::Status(row.facts.status)),
        column("task-type", |row| Cell::from(&row.item.task_type)),
        column("target", |row| Cell::from(&row.facts.target)),
        column("progress", |row| progress(&row.facts)),
        column("started", |row| row.facts.started_at.into()),
        column("duration", |row| duration(&row.facts)),
        wide("ended", |row| row.facts.ended_at.into()),
        wide("native-status", |row| Cell::from(&row.item.task_status)),
        wide("task-name", |row| Cell::from(&row.item.task_name)),
        wide("trigger", |row| Cell::from(&row.item.trigger_type)),
        wide("minutes-left", |row| row.item.estimated_time.into()),
        wide("succeeded", |row| {
            Cell::Number(row.item.parts().succeeded as f64)
        }),
        wide("failed", |row| Cell::Number(row.item.parts().failed as f64)),
    ];

    fn queries(self) -> Result<Vec<Self>, Error> {
        let sent = |choice: &Option<Choice>| choice.as_ref().map(|choice| choice.sent.clone());
        let only = match (&self.cluster_scan_info, &self.iac_scan_info) {
            (Some(_), Some(_)) => {
                return Err(Error::usage(
                    "--file-type",
                    "goes with iac-scan, --scan-type-list with cluster-scan: give one",
                ));
            }
            (Some(_), None) => Some(("--scan-type-list", &TASK_TYPES[0])),
            (None, Some(_)) => Some(("--file-type", &TASK_TYPES[1])),
            (None, None) => None,
        };
        if let Some((flag, task_type)) = only {
            return match sent(&self.task_type) {
                Some(given) if given != task_type.native => Err(Error::usage(
                    flag,
                    format!("only goes with --task-type {}", task_type.readable),
                )),
                _ => Ok(vec![Tasks {
                    task_type: Some(Choice::read(TASK_TYPES, task_type.native)),
                    ..self
                }]),
            };
        }
        if self.task_type.is_some() {
            return Ok(vec![self]);
        }
        let of_type = |known: &Known| Tasks {
            task_type: Some(Choice::read(TASK_TYPES, known.native)),
            ..self.clone()
        };
        Ok(TASK_TYPES.iter().map(of_type).collect())
    }

    fn facts<'a>(item: &Self::Item<'a>) -> Facts<'a> {
        let native = item.task_status.kept().unwrap_or_default();
        let parts = item.parts();
        let status = status(&native, &parts);
        let left = item
            .estimated_time
            .0
            .filter(|minutes| status.is_open() && *minutes > 0);
        let failures = (parts.failed > 0)
            .then(|| format!("{} of {} {} failed", parts.failed, parts.total, parts.noun));
        Facts {
            id: item.task_id.kept(),
            name: item.task_name.kept(),
            target: item.subject(),
            progress: percent(parts.succeeded.saturating_add(parts.failed), parts.total),
            message: failures
                .or_else(|| left.map(|minutes| format!("about {minutes} min left")))
                .map(Cow::Owned),
            ..Facts::new(
                item.task_type.get().unwrap_or("hss-scan").replace('_', "-"),
                status,
                native,
            )
        }
        .between(item.start_time.time(), item.end_time.time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(status: &str, succeeded: i64, failed: i64) -> Facts<'static> {
        let json = serde_json::json!({
            "task_status": status, "task_type": "cluster_scan", "start_time": 1745311451000_i64, "end_time": 1745311451000_i64,
            "cluster_scan_info": {"scanning_cluster_num": 0, "success_cluster_num": succeeded, "failed_cluster_num": failed},
        });
        Tasks::facts(&serde_json::from_str(&json.to_string()).unwrap()).into_owned()
    }

    #[test]
    fn finished_tasks_are_judged_by_their_parts() {
        for (native, succeeded, failed, expected) in [
            ("ready", 0, 0, Status::Pending),
            ("running", 1, 1, Status::Running),
            ("finished", 4, 0, Status::Succeeded),
            ("finished", 0, 0, Status::Succeeded),
            ("finished", 3, 1, Status::Partial),
            ("finished", 0, 2, Status::Failed),
            ("stopped", 0, 0, Status::Unknown),
        ] {
            assert_eq!(
                facts(native, succeeded, failed).status,
                expected,
                "{native} {succeeded} {failed}"
            );
        }
    }

    #[test]
    fn a_running_tasks_end_time_is_no_end() {
        let running = facts("running", 1, 1);
        assert_eq!((running.ended_at, running.duration_ms), (None, None));
        assert_eq!(running.message.as_deref(), Some("1 of 2 clusters failed"));
        assert_eq!(facts("finished", 1, 0).duration_ms, Some(0));
    }
}
