//! DescribeOnceTaskLeafRecordPage: the sub-tasks of one-time scans.

use std::borrow::Cow;

use clap::{Args, builder::NonEmptyStringValueParser};
use serde::{Deserialize, Serialize};

use super::{PAGING, VERSION, image_name, kind, list, once_status};
use crate::operation::choice::{Choice, Choices, Known, known};
use crate::operation::column::{Cell, Column, column, duration, progress, wide};
use crate::operation::lenient::{Encoded, Int, Object, Text};
use crate::operation::narrow::{ByStatus, Narrow, kind as kind_of};
use crate::operation::{Lifecycle, Meta, Operation, Sample, Test, Times, example, filter};
use crate::task::details::{Details, stages};
use crate::task::{Facts, Status, clamp_percent, percent};

const TASK_TYPES: &[Known] = &[
    known("IMAGE_SCAN", "image-scan"),
    known("IMAGE_REGISTRY_PULL", "image-registry-pull"),
];

const STATUSES: &[Known] = &[
    known("INIT", "pending"),
    known("START", "running"),
    known("SUCCESS", "succeeded"),
    known("TIMEOUT", "timed-out"),
];

/// The request.
#[derive(Args, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnceTasks {
    /// Type of the sub-tasks
    #[arg(long, default_value = "image-scan", value_parser = Choices(TASK_TYPES))]
    task_type: Choice,
    /// Whether to ask for the image that each task scanned
    #[arg(long, default_value = "true", action = clap::ArgAction::Set, value_name = "BOOL")]
    relate_info: bool,
    /// Only the task with this id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    task_id: Option<String>,
    /// Only tasks that were started from this source, such as console_batch or openapi
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    source: Option<String>,
    /// Only tasks with one of these statuses (can be repeated)
    #[arg(long, visible_alias = "status", value_name = "STATUS", value_delimiter = ',', value_parser = Choices(STATUSES))]
    status_list: Vec<Choice>,
}

/// One sub-task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct OnceTask<'a> {
    #[serde(borrow)]
    task_id: Text<'a>,
    task_name: Text<'a>,
    task_type: Text<'a>,
    /// A number in a string. Its meaning is not documented: StatusText says what it is.
    status: Text<'a>,
    status_text: Text<'a>,
    progress: Int,
    /// 0 or 1.
    finish: Int,
    total_count: Int,
    finish_count: Int,
    start_time: Int,
    end_time: Int,
    /// NOTE: The page calls it a duration, its example and the SDK a timestamp in milliseconds.
    real_run_time: Int,
    result_info: Text<'a>,
    /// Digest of an image, or id of a repository.
    target: Text<'a>,
    target_type: Text<'a>,
    task_image_info: Object<TaskImageInfo<'a>>,
}

/// What was scanned. Absent with `RelateInfo=false`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TaskImageInfo<'a> {
    #[serde(borrow)]
    repo_id: Text<'a>,
    digest: Text<'a>,
    tag: Text<'a>,
    repo_region_id: Text<'a>,
    repo_name: Text<'a>,
    repo_namespace: Text<'a>,
    region_id: Text<'a>,
    image: Text<'a>,
    pod: Text<'a>,
    app_name: Text<'a>,
    node_name: Text<'a>,
    node_ip: Text<'a>,
    node_instance_id: Text<'a>,
    cluster_id: Text<'a>,
    cluster_name: Text<'a>,
    /// `acr`, `harbor`, `quay`, `CI/CD`. Known to the vendor's SDK, not to the page.
    registry_type: Text<'a>,
    /// JSON in a string: item to the time at which it ended, `YYYY-MM-DD hh:mm:ss` without a zone.
    cost_time_info: Encoded<'a>,
}

impl<'a> OnceTask<'a> {
    fn image(&self, field: for<'i> fn(&'i TaskImageInfo<'a>) -> &'i Text<'a>) -> Cell<'_> {
        let image = self.task_image_info.0.as_ref();
        image.map_or(Cell::Empty, |image| Cell::from(field(image)))
    }

    /// `namespace/repo:tag`, else the image, else what the API calls the target.
    fn subject(&self) -> Option<Cow<'a, str>> {
        let image = self.task_image_info.0.as_ref();
        let named =
            image.and_then(|image| image_name(&image.repo_namespace, &image.repo_name, &image.tag));
        named
            .map(Cow::Owned)
            .or_else(|| image?.image.kept())
            .or_else(|| self.target.kept())
    }
}

impl Operation for OnceTasks {
    type Item<'a> = OnceTask<'a>;

    const META: &'static Meta = &Meta {
        command: "once-tasks",
        api: "DescribeOnceTaskLeafRecordPage",
        version: VERSION,
        path: "/",
        about: "List the sub-tasks of one-time scans: image scans and image registry synchronisations",
        permission: "yundun-sas:DescribeOnceTaskLeafRecordPage",
        doc: "https://www.alibabacloud.com/help/en/security-center/developer-reference/api-sas-2018-12-03-describeoncetaskleafrecordpage",
        items: list("OnceTasks"),
        id: "TaskId",
        paging: Some(PAGING),
        period: Some(("StartTime", "EndTime")),
        required: &["CurrentPage", "PageSize", "TaskType", "RelateInfo"],
        filters: &[
            filter("TaskType", "TaskType", Test::Is),
            filter("TaskId", "TaskId", Test::Is),
            filter("StatusList", "StatusText", Test::Is),
            filter("StartTime", "StartTime", Test::NotBefore),
            filter("EndTime", "StartTime", Test::NotAfter),
            filter("RelateInfo", "TaskImageInfo", Test::Shown),
        ],
        narrow: Narrow {
            kinds: &[
                kind_of("image-scan", Some(("TaskType", "IMAGE_SCAN"))),
                kind_of(
                    "image-registry-pull",
                    Some(("TaskType", "IMAGE_REGISTRY_PULL")),
                ),
            ],
            status: Some(ByStatus {
                param: "StatusList",
                natives: &[
                    ("INIT", &[Status::Pending]),
                    ("SUCCESS", &[Status::Succeeded]),
                    ("TIMEOUT", &[Status::TimedOut]),
                ],
                // DISPATCH and FAIL are no documented values of StatusList.
                unlisted: &[Status::Running, Status::Failed],
                many: true,
            }),
        },
        lifecycle: Lifecycle {
            pending: Some(
                r#"{"StatusText":"INIT","Progress":0,"Finish":0,"FinishCount":"0","ResultInfo":"",
                    "RealRunTime":null,"TaskImageInfo":{"CostTimeInfo":""}}"#,
            ),
            running: r#"{"StatusText":"START","Finish":0,"FinishCount":"12","ResultInfo":"","RealRunTime":null}"#,
            ends: &[
                (
                    r#"{"StatusText":"SUCCESS","Progress":100,"ResultInfo":"SUCCESS","FinishCount":"30"}"#,
                    Status::Succeeded,
                ),
                (
                    r#"{"StatusText":"SUCCESS","Progress":100,"ResultInfo":"TASK_NOT_SUPPORT_REGION"}"#,
                    Status::Failed,
                ),
                (
                    r#"{"StatusText":"TIMEOUT","Finish":1,"ResultInfo":"TIMEOUT","FinishCount":"12"}"#,
                    Status::TimedOut,
                ),
            ],
            progress: Some("Progress"),
            times: Some(Times {
                start: "StartTime",
                end: "EndTime",
                as_text: false,
            }),
        },
        samples: &[
            Sample {
                when: Some(("TaskType", "IMAGE_SCAN")),
                body: include_str!(
                    "../../../../fixtures/aliyun/DescribeOnceTaskLeafRecordPage.json"
                ),
            },
            // The page has one example for both types.
            Sample {
                when: Some(("TaskType", "IMAGE_REGISTRY_PULL")),
                body: include_str!(
                    "../../../../fixtures/aliyun/DescribeOnceTaskLeafRecordPage.json"
                ),
            },
        ],
        examples: &[
            example(
                "Image scans that are under way, without an account",
                "scanq aliyun once-tasks --sandbox --status pending,running",
            ),
            example(
                "Image scans of the last day for a script, one line of JSON each",
                "scanq aliyun once-tasks --since 24h -o jsonl",
            ),
        ],
    };

    const COLUMNS: &'static [Column<Self>] = &[
        column("task-id", |row| Cell::from(&row.item.task_id)),
        column("status", |row| Cell::Status(row.facts.status)),
        column("target", |row| Cell::from(&row.facts.target)),
        column("progress", |row| progress(&row.facts)),
        column("started", |row| row.facts.started_at.into()),
        column("duration", |row| duration(&row.facts)),
        column("result", |row| Cell::from(&row.item.result_info)),
        wide("ended", |row| row.facts.ended_at.into()),
        wide("native-status", |row| Cell::from(&row.item.status_text)),
        wide("task-type", |row| Cell::from(&row.item.task_type)),
        wide("finished", |row| row.item.finish_count.into()),
        wide("total", |row| row.item.total_count.into()),
        wide("target-type", |row| Cell::from(&row.item.target_type)),
        wide("registry", |row| {
            row.item.image(|image| &image.registry_type)
        }),
        wide("region", |row| row.item.image(|image| &image.region_id)),
        wide("cluster", |row| row.item.image(|image| &image.cluster_name)),
        wide("node", |row| row.item.image(|image| &image.node_name)),
        wide("pod", |row| row.item.image(|image| &image.pod)),
        wide("digest", |row| row.item.image(|image| &image.digest)),
        wide("stages", |row| OnceTasks::details(&row.item).into()),
    ];

    fn facts<'a>(item: &Self::Item<'a>) -> Facts<'a> {
        let native = item
            .status_text
            .kept()
            .or_else(|| item.status.kept())
            .unwrap_or_default();
        let status = once_status(&native, item.result_info.get());
        let counted = || percent(item.finish_count.0?, item.total_count.0?);
        Facts {
            id: item.task_id.kept(),
            name: item.task_name.kept(),
            target: item.subject(),
            progress: item.progress.0.map(clamp_percent).or_else(counted),
            message: item.result_info.kept(),
            ..Facts::new(
                kind(item.task_type.get().unwrap_or("once-task")),
                status,
                native,
            )
        }
        .between(item.start_time.time(), item.end_time.time())
    }

    fn details(item: &Self::Item<'_>) -> Option<Details> {
        stages(
            item.task_image_info
                .0
                .as_ref()?
                .cost_time_info
                .text()
                .get()?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(json: &str) -> Facts<'static> {
        OnceTasks::facts(&serde_json::from_str(json).unwrap()).into_owned()
    }

    #[test]
    fn native_statuses_are_normalised() {
        for (native, result, status) in [
            ("INIT", "", Status::Pending),
            ("START", "", Status::Running),
            ("DISPATCH", "", Status::Running),
            ("SUCCESS", "SUCCESS", Status::Succeeded),
            ("SUCCESS", "", Status::Succeeded),
            ("SUCCESS", "TASK_NOT_SUPPORT_REGION", Status::Failed),
            ("SUCCESS", "TASK_NOT_EXISTS", Status::Failed),
            ("SUCCESS", "Task_done", Status::Succeeded),
            ("TIMEOUT", "", Status::TimedOut),
            ("FAIL", "", Status::Failed),
            ("PAUSED", "", Status::Unknown),
        ] {
            let facts = facts(&format!(
                r#"{{"StatusText":"{native}","ResultInfo":"{result}"}}"#
            ));
            assert_eq!(facts.status, status, "{native} {result}");
            assert_eq!(facts.native_status, native);
        }
    }

    #[test]
    fn the_target_is_what_a_person_would_call_the_image() {
        let target =
            |info: &str| facts(&format!(r#"{{"Target":"sha","TaskImageInfo":{info}}}"#)).target;
        let full = r#"{"RepoNamespace":"prod","RepoName":"web","Tag":"1.2","Image":"host/x"}"#;
        assert_eq!(target(full).as_deref(), Some("prod/web:1.2"));
        assert_eq!(target(r#"{"Image":"host/x"}"#).as_deref(), Some("host/x"));
        assert_eq!(target("null").as_deref(), Some("sha"));
    }

    #[test]
    fn a_missing_percentage_is_counted() {
        assert_eq!(
            facts(r#"{"FinishCount":"15","TotalCount":"30"}"#).progress,
            Some(50)
        );
        assert_eq!(
            facts(r#"{"Progress":"75","FinishCount":"1","TotalCount":"30"}"#).progress,
            Some(75)
        );
    }
}
