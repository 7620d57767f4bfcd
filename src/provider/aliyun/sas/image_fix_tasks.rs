//! DescribeImageFixTask: tasks that rebuild an image without its vulnerabilities.

use std::borrow::Cow;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{PAGING, VERSION, image_name, list, numbered_status};
use crate::operation::choice::{Choice, Choices, Known, known};
use crate::operation::column::{Cell, Column, column, duration, wide};
use crate::operation::lenient::Text;
use crate::operation::narrow::{ByStatus, Narrow, kind};
use crate::operation::{Lifecycle, Meta, Operation, Sample, Test, Times, example, filter};
use crate::task::{Facts, Status};

const STATUSES: &[Known] = &[
    known("1", "running"),
    known("2", "succeeded"),
    known("3", "failed"),
];

/// The request.
#[derive(Args, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageFixTasks {
    /// Only tasks with this status
    #[arg(long, value_parser = Choices(STATUSES))]
    status: Option<Choice>,
}

/// One task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct BuildTask<'a> {
    #[serde(borrow)]
    build_task_id: Text<'a>,
    task_type: Text<'a>,
    repo_namespace: Text<'a>,
    repo_name: Text<'a>,
    region_id: Text<'a>,
    old_tag: Text<'a>,
    old_uuid: Text<'a>,
    new_tag: Text<'a>,
    new_uuid: Text<'a>,
    /// NOTE: The page has the descriptions of FixTime and FinishTime the wrong way round, and calls both
    /// milliseconds: they are text without a zone, and FixTime comes first.
    fix_time: Text<'a>,
    finish_time: Text<'a>,
    status: Text<'a>,
    vul_alias: Text<'a>,
}

impl Operation for ImageFixTasks {
    type Item<'a> = BuildTask<'a>;

    const META: &'static Meta = &Meta {
        command: "image-fix-tasks",
        api: "DescribeImageFixTask",
        version: VERSION,
        path: "/",
        about: "List the tasks that fix the vulnerabilities of images",
        permission: "yundun-sas:DescribeImageFixTask",
        doc: "https://www.alibabacloud.com/help/en/security-center/developer-reference/api-sas-2018-12-03-describeimagefixtask",
        items: list("BuildTasks"),
        id: "BuildTaskId",
        paging: Some(PAGING),
        period: Some(("StartTime", "EndTime")),
        required: &["CurrentPage", "PageSize"],
        filters: &[
            filter("Status", "Status", Test::Is),
            filter("StartTime", "FixTime", Test::NotBefore),
            filter("EndTime", "FixTime", Test::NotAfter),
        ],
        narrow: Narrow {
            kinds: &[kind("image-fix", None)],
            status: Some(ByStatus {
                param: "Status",
                natives: &[
                    ("1", &[Status::Running]),
                    ("2", &[Status::Succeeded]),
                    ("3", &[Status::Failed]),
                ],
                unlisted: &[],
                many: false,
            }),
        },
        lifecycle: Lifecycle {
            pending: None,
            running: r#"{"Status":1,"NewUuid":""}"#,
            ends: &[
                (r#"{"Status":2}"#, Status::Succeeded),
                (r#"{"Status":3,"NewUuid":""}"#, Status::Failed),
            ],
            progress: None,
            times: Some(Times {
                start: "FixTime",
                end: "FinishTime",
                as_text: true,
            }),
        },
        samples: &[Sample {
            when: None,
            body: include_str!("../../../../fixtures/aliyun/DescribeImageFixTask.json"),
        }],
        examples: &[
            example(
                "Fixes that failed, without an account",
                "scanq aliyun image-fix-tasks --sandbox --status failed",
            ),
            example(
                "Fixes of the last week for a spreadsheet",
                "scanq aliyun image-fix-tasks --since 7d -o csv",
            ),
        ],
    };

    const COLUMNS: &'static [Column<Self>] = &[
        column("task-id", |row| Cell::from(&row.item.build_task_id)),
        column("status", |row| Cell::Status(row.facts.status)),
        column("target", |row| Cell::from(&row.facts.target)),
        column("new-tag", |row| Cell::from(&row.item.new_tag)),
        column("started", |row| row.facts.started_at.into()),
        column("duration", |row| duration(&row.facts)),
        column("vulnerability", |row| Cell::from(&row.item.vul_alias)),
        wide("ended", |row| row.facts.ended_at.into()),
        wide("native-status", |row| Cell::from(&row.item.status)),
        wide("task-type", |row| Cell::from(&row.item.task_type)),
        wide("region", |row| Cell::from(&row.item.region_id)),
        wide("old-uuid", |row| Cell::from(&row.item.old_uuid)),
        wide("new-uuid", |row| Cell::from(&row.item.new_uuid)),
    ];

    fn facts<'a>(item: &Self::Item<'a>) -> Facts<'a> {
        let native = item.status.kept().unwrap_or_default();
        // Only 1 to 3 are documented here; 4 would be something new.
        let status = match numbered_status(&native) {
            Status::TimedOut => Status::Unknown,
            status => status,
        };
        Facts {
            id: item.build_task_id.kept(),
            target: image_name(&item.repo_namespace, &item.repo_name, &item.old_tag)
                .map(Cow::Owned),
            message: item.vul_alias.kept(),
            ..Facts::new("image-fix", status, native)
        }
        .between(item.fix_time.china_time(), item.finish_time.china_time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(json: &str) -> Facts<'static> {
        ImageFixTasks::facts(&serde_json::from_str(json).unwrap()).into_owned()
    }

    #[test]
    fn native_statuses_are_normalised() {
        for (json, native, status) in [
            ("1", "1", Status::Running),
            ("2", "2", Status::Succeeded),
            ("\"3\"", "3", Status::Failed),
            ("4", "4", Status::Unknown),
            ("\"FAIL\"", "FAIL", Status::Unknown),
            ("null", "", Status::Unknown),
        ] {
            let facts = facts(&format!(r#"{{"Status":{json}}}"#));
            assert_eq!((facts.status, &*facts.native_status), (status, native));
        }
    }

    #[test]
    fn the_fix_begins_at_fix_time_in_china() {
        let facts = facts(
            r#"{"Status":2,"FixTime":"2021-10-14 20:32:05","FinishTime":"2021-10-14 20:34:07"}"#,
        );
        assert_eq!(
            facts.started_at.unwrap().to_rfc3339(),
            "2021-10-14T12:32:05+00:00"
        );
        assert_eq!(facts.duration_ms, Some(122_000));
    }
}
