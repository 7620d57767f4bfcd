//! GetOnceTaskResultInfo: how one one-time task stands.

use clap::{Args, builder::NonEmptyStringValueParser};
use serde::{Deserialize, Serialize};

use super::{VERSION, kind, once_status};
use crate::error::Error;
use crate::operation::choice::{Choice, Choices, Known, known};
use crate::operation::column::{Cell, Column, column, progress};
use crate::operation::lenient::{Int, Object, Text};
use crate::operation::narrow::Narrow;
use crate::operation::{Items, Lifecycle, Meta, Operation, Sample, example};
use crate::task::{Facts, Status, percent};

/// The page lists the first three and uses ASSETS_COLLECTION as its example; the rest are the vendor's SDK's.
const TASKS: &[Known] = &[
    known("CLIENT_PROBLEM_CHECK", "client-problem-check"),
    known("CLIENT_DEV_OPS", "client-dev-ops"),
    known("ASSET_SECURITY_CHECK", "asset-security-check"),
    known("ASSETS_COLLECTION", "assets-collection"),
    known("IMAGE_SCAN", "image-scan"),
    known("AI_SECURITY_CHECK", "ai-security-check"),
    known("IDC_PROBE_SCAN", "idc-probe-scan"),
    known("ATTACK_SURFACE_SCAN", "attack-surface-scan"),
    known("ASSET_EXPOSURE_SCAN", "asset-exposure-scan"),
    known("VUL_CHECK_TASK", "vul-check-task"),
];

/// The request.
#[derive(Args, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnceTaskResult {
    /// Id of the task
    #[arg(long, value_name = "ID", required = true, value_parser = NonEmptyStringValueParser::new())]
    task_id: String,
    /// Type of the task [default: the same as --task-name]
    #[arg(long, value_parser = Choices(TASKS))]
    task_type: Option<Choice>,
    /// Name of the task [default: the same as --task-type]
    #[arg(long, value_parser = Choices(TASKS))]
    task_name: Option<Choice>,
}

/// The answer: the whole document is about one task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Outcome<'a> {
    #[serde(borrow)]
    request_id: Text<'a>,
    collect_time: Int,
    /// NOTE: Declared a number, described as the hex string that was asked for, and 0 in the sample: it identifies
    /// nothing.
    task_id: Text<'a>,
    total_count: Int,
    /// NOTE: May be larger than TotalCount, as in the sample.
    finish_count: Int,
    task_info: Object<TaskInfo<'a>>,
}

/// The state of the task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskInfo<'a> {
    #[serde(borrow)]
    status: Text<'a>,
}

impl Operation for OnceTaskResult {
    type Item<'a> = Outcome<'a>;

    const META: &'static Meta = &Meta {
        command: "once-task-result",
        api: "GetOnceTaskResultInfo",
        version: VERSION,
        path: "/",
        about: "Show how one one-time task stands",
        // NOTE: aegis, not sas, as the page has it.
        permission: "yundun-aegis:GetOnceTaskResultInfo",
        doc: "https://www.alibabacloud.com/help/en/security-center/developer-reference/api-sas-2018-12-03-getoncetaskresultinfo",
        items: Items::Document,
        id: "RequestId",
        paging: None,
        period: None,
        required: &["TaskType", "TaskName", "TaskId"],
        filters: &[],
        narrow: Narrow::NOTHING,
        lifecycle: Lifecycle {
            pending: Some(r#"{"FinishCount":0,"TaskInfo":{"Status":"INIT"}}"#),
            running: r#"{"FinishCount":21,"TaskInfo":{"Status":"START"}}"#,
            ends: &[
                (
                    r#"{"FinishCount":44,"TaskInfo":{"Status":"SUCCESS"}}"#,
                    Status::Succeeded,
                ),
                (
                    r#"{"FinishCount":30,"TaskInfo":{"Status":"TIMEOUT"}}"#,
                    Status::TimedOut,
                ),
            ],
            progress: None,
            times: None,
        },
        samples: &[Sample {
            when: None,
            body: include_str!("../../../../fixtures/aliyun/GetOnceTaskResultInfo.json"),
        }],
        examples: &[
            example(
                "How one image scan stands, without an account",
                "scanq aliyun once-task-result --sandbox --task-type image-scan \\\n    --task-id 9fb50f2af8bb67c9fdb6841900000001",
            ),
            example(
                "The same of a collection of assets, as the API's own document",
                "scanq aliyun once-task-result --task-type assets-collection -o json \\\n    --task-id 9fb50f2af8bb67c9fdb6841900000001",
            ),
        ],
    };

    const COLUMNS: &'static [Column<Self>] = &[
        column("status", |row| Cell::Status(row.facts.status)),
        column("progress", |row| progress(&row.facts)),
        column("finished", |row| row.item.finish_count.into()),
        column("total", |row| row.item.total_count.into()),
        column("collected", |row| row.item.collect_time.time().into()),
        column("native-status", |row| Cell::from(&*row.facts.native_status)),
        column("request-id", |row| Cell::from(&row.item.request_id)),
    ];

    fn queries(mut self) -> Result<Vec<Self>, Error> {
        // Name and type come from one list, and the page's example has the same in both.
        match (&self.task_type, &self.task_name) {
            (None, None) => {
                return Err(Error::usage(
                    "once-task-result",
                    "one of --task-type and --task-name is required",
                ));
            }
            (None, Some(name)) => self.task_type = Some(name.clone()),
            (Some(kind), None) => self.task_name = Some(kind.clone()),
            (Some(_), Some(_)) => {}
        }
        Ok(vec![self])
    }

    fn facts<'a>(item: &Self::Item<'a>) -> Facts<'a> {
        let native = item
            .task_info
            .0
            .as_ref()
            .and_then(|info| info.status.kept())
            .unwrap_or_default();
        Facts {
            progress: item
                .finish_count
                .0
                .zip(item.total_count.0)
                .and_then(|(done, total)| percent(done, total)),
            ..Facts::new(kind("ONCE_TASK"), once_status(&native, None), native)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(json: &str) -> Facts<'static> {
        OnceTaskResult::facts(&serde_json::from_str(json).unwrap()).into_owned()
    }

    #[test]
    fn more_finished_than_there_are_is_one_hundred_percent() {
        let facts = facts(r#"{"FinishCount":47,"TotalCount":44,"TaskInfo":{"Status":"START"}}"#);
        assert_eq!((facts.progress, facts.status), (Some(100), Status::Running));
    }

    #[test]
    fn a_task_id_of_any_type_is_read() {
        for id in ["0", "\"e7b7\"", "null"] {
            assert_eq!(
                facts(&format!(
                    r#"{{"TaskId":{id},"TaskInfo":{{"Status":"TIMEOUT"}}}}"#
                ))
                .status,
                Status::TimedOut
            );
        }
    }

    #[test]
    fn the_name_defaults_to_the_type_and_the_other_way_round() {
        let query = |task_type: Option<&str>, task_name: Option<&str>| {
            let choice = |text: &str| Choice::read(TASKS, text);
            let query = OnceTaskResult {
                task_id: "1".into(),
                task_type: task_type.map(choice),
                task_name: task_name.map(choice),
            };
            query.queries().map(|mut queries| {
                let query = queries.remove(0);
                (query.task_type.unwrap().sent, query.task_name.unwrap().sent)
            })
        };
        let both = ("IMAGE_SCAN".to_owned(), "IMAGE_SCAN".to_owned());
        assert_eq!(query(Some("image-scan"), None).unwrap(), both);
        assert_eq!(query(None, Some("IMAGE_SCAN")).unwrap(), both);
        assert!(query(None, None).is_err());
    }
}
