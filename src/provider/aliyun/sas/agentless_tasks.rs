//! ListAgentlessTask: agentless scans of snapshots and images.

use clap::{Args, builder::NonEmptyStringValueParser};
use serde::{Deserialize, Serialize, Serializer};

use super::{PAGING, VERSION, list, numbered_status};
use crate::error::Error;
use crate::operation::choice::{Choice, Choices, Known, known};
use crate::operation::column::{Cell, Column, column, duration, progress, wide};
use crate::operation::lenient::{Decimal, Encoded, Int, Object, Text};
use crate::operation::narrow::{ByStatus, Narrow, kind};
use crate::operation::{Lifecycle, Meta, Operation, Sample, Test, Times, example, filter};
use crate::task::details::{Details, projects};
use crate::task::{Facts, Status, clamp_percent};

const STATUSES: &[Known] = &[
    known("1", "running"),
    known("2", "succeeded"),
    known("3", "failed"),
    known("4", "timed-out"),
];

/// The page lists 1 and 2; the rest are the vendor's SDK's, from sister operations.
const TARGET_TYPES: &[Known] = &[
    known("1", "snapshot"),
    known("2", "image"),
    known("3", "user-snapshot"),
    known("4", "user-image"),
    known("5", "nas"),
    known("6", "parallel-sandbox"),
    known("7", "security-fix"),
];

const LANGUAGES: &[Known] = &[known("zh", "chinese"), known("en", "english")];

/// The largest number of ids that TaskIdList takes.
const MOST_IDS: usize = 100;

/// The request.
#[derive(Args, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentlessTasks {
    /// Only scans of this type of asset
    #[arg(long, value_parser = Choices(TARGET_TYPES))]
    target_type: Option<Choice>,
    /// Only sub-tasks of the main task with this id
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    root_task_id: Option<String>,
    /// Only tasks with this status
    #[arg(long, value_parser = Choices(STATUSES))]
    status: Option<Choice>,
    /// Main tasks (true) or sub-tasks (false)
    #[arg(long, value_name = "BOOL")]
    root_task: Option<bool>,
    /// Id of a main task; needed to list its sub-tasks
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    task_id: Option<String>,
    /// Only the tasks with these ids, at most 100 (can be repeated); needs --root-task
    #[arg(long, value_name = "ID", value_delimiter = ',', requires = "root_task", conflicts_with = "task_id", value_parser = NonEmptyStringValueParser::new())]
    #[serde(serialize_with = "json_text")]
    task_id_list: Vec<String>,
    /// Only tasks of the instance with this name
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    machine_name: Option<String>,
    /// Only tasks of the asset with this public address
    #[arg(long, value_name = "IP", value_parser = NonEmptyStringValueParser::new())]
    internet_ip: Option<String>,
    /// Only tasks of the asset with this private address
    #[arg(long, value_name = "IP", value_parser = NonEmptyStringValueParser::new())]
    intranet_ip: Option<String>,
    /// Only tasks of the server with this UUID
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    uuid: Option<String>,
    /// Only tasks of the asset with this name
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    target_name: Option<String>,
    /// Language of the texts in the answer
    #[arg(long, value_parser = Choices(LANGUAGES))]
    lang: Option<Choice>,
}

/// NOTE: This one list goes as JSON in a single parameter, not as `Name.1`, `Name.2` (vendor's SDK).
fn json_text<S: Serializer>(list: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() {
        return serializer.serialize_none();
    }
    let text = serde_json::to_string(list).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}

/// One task.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct AgentlessTask<'a> {
    #[serde(borrow)]
    task_id: Text<'a>,
    task_name: Text<'a>,
    target_type: Int,
    target_name: Text<'a>,
    status: Text<'a>,
    progress: Int,
    start_time: Int,
    end_time: Int,
    result: Text<'a>,
    uuid: Text<'a>,
    instance_name: Text<'a>,
    internet_ip: Text<'a>,
    intranet_ip: Text<'a>,
    /// JSON in a string, in the sample twice over: item to percent.
    progress_by_project: Encoded<'a>,
    report_status: Text<'a>,
    /// NOTE: Whoever has this link can read the report until it expires.
    report_download_url: Text<'a>,
    /// MB. NOTE: Declared an integer; the sample has 154.11.
    measure_space: Decimal,
    /// Known to the vendor's SDK, not to the page.
    instance_id: Text<'a>,
    /// Of security-fix sub-tasks. Known to the vendor's SDK, not to the page.
    extension: Object<serde_json::Map<String, serde_json::Value>>,
}

impl Operation for AgentlessTasks {
    type Item<'a> = AgentlessTask<'a>;

    const META: &'static Meta = &Meta {
        command: "agentless-tasks",
        api: "ListAgentlessTask",
        version: VERSION,
        path: "/",
        about: "List agentless scans of snapshots and images",
        permission: "yundun-sas:ListAgentlessTask",
        doc: "https://www.alibabacloud.com/help/en/security-center/developer-reference/api-sas-2018-12-03-listagentlesstask",
        items: list("List"),
        id: "TaskId",
        paging: Some(PAGING),
        period: Some(("StartTime", "EndTime")),
        required: &[],
        filters: &[
            filter("TargetType", "TargetType", Test::Is),
            filter("Status", "Status", Test::Is),
            filter("TaskId", "TaskId", Test::Is),
            filter("TaskIdList", "TaskId", Test::Is),
            filter("MachineName", "InstanceName", Test::Contains),
            filter("InternetIp", "InternetIp", Test::Is),
            filter("IntranetIp", "IntranetIp", Test::Is),
            filter("Uuid", "Uuid", Test::Is),
            filter("TargetName", "TargetName", Test::Contains),
            filter("StartTime", "StartTime", Test::NotBefore),
            filter("EndTime", "StartTime", Test::NotAfter),
        ],
        narrow: Narrow {
            kinds: &[kind("agentless", None)],
            status: Some(ByStatus {
                param: "Status",
                natives: &[
                    ("1", &[Status::Running]),
                    ("2", &[Status::Succeeded]),
                    ("3", &[Status::Failed]),
                    ("4", &[Status::TimedOut]),
                ],
                unlisted: &[],
                many: false,
            }),
        },
        lifecycle: Lifecycle {
            pending: None,
            running: r#"{"Status":1,"Result":"","ReportStatus":"PREPARED","ReportDownloadUrl":"",
                "ProgressByProject":"\"{\\\"scaVul\\\":100,\\\"binary\\\":40,\\\"baseline\\\":100,\\\"vul\\\":35}\""}"#,
            ends: &[
                (r#"{"Status":2,"Progress":100}"#, Status::Succeeded),
                (
                    r#"{"Status":3,"Result":"False","ReportStatus":"FAILED","ReportDownloadUrl":""}"#,
                    Status::Failed,
                ),
                (
                    r#"{"Status":4,"Result":"False","ReportStatus":"TIMEOUT","ReportDownloadUrl":""}"#,
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
        samples: &[Sample {
            when: None,
            body: include_str!("../../../../fixtures/aliyun/ListAgentlessTask.json"),
        }],
        examples: &[
            example(
                "Scans that are under way, without an account",
                "scanq aliyun agentless-tasks --sandbox --status running",
            ),
            example(
                "Scans of images in the last day, as the API's own document",
                "scanq aliyun agentless-tasks --target-type image --since 24h -o json",
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
        column("instance", |row| Cell::from(&row.item.instance_name)),
        wide("ended", |row| row.facts.ended_at.into()),
        wide("native-status", |row| Cell::from(&row.item.status)),
        wide("target-type", |row| {
            let number = row.item.target_type;
            let native = number.0.map(|number| number.to_string());
            let known = TARGET_TYPES
                .iter()
                .find(|known| Some(known.native) == native.as_deref());
            known.map_or(number.into(), |known| known.readable.into())
        }),
        wide("result", |row| Cell::from(&row.item.result)),
        wide("report", |row| Cell::from(&row.item.report_status)),
        wide("space-mb", |row| {
            row.item.measure_space.0.map_or(Cell::Empty, Cell::Number)
        }),
        wide("internet-ip", |row| Cell::from(&row.item.internet_ip)),
        wide("intranet-ip", |row| Cell::from(&row.item.intranet_ip)),
        wide("instance-id", |row| Cell::from(&row.item.instance_id)),
        wide("uuid", |row| Cell::from(&row.item.uuid)),
        wide("projects", |row| AgentlessTasks::details(&row.item).into()),
    ];

    fn queries(self) -> Result<Vec<Self>, Error> {
        if self.task_id_list.len() > MOST_IDS {
            let given = self.task_id_list.len();
            return Err(Error::usage(
                "--task-id-list",
                format!("the service takes at most {MOST_IDS} ids: {given}"),
            ));
        }
        Ok(vec![self])
    }

    fn facts<'a>(item: &Self::Item<'a>) -> Facts<'a> {
        let native = item.status.kept().unwrap_or_default();
        let status = numbered_status(&native);
        Facts {
            id: item.task_id.kept(),
            name: item.task_name.kept(),
            target: item
                .target_name
                .kept()
                .or_else(|| item.instance_name.kept()),
            progress: item.progress.0.map(clamp_percent),
            message: item.result.kept(),
            ..Facts::new("agentless", status, native)
        }
        .between(item.start_time.time(), item.end_time.time())
    }

    fn details(item: &Self::Item<'_>) -> Option<Details> {
        projects(item.progress_by_project.text().get()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(json: &str) -> Facts<'static> {
        AgentlessTasks::facts(&serde_json::from_str(json).unwrap()).into_owned()
    }

    #[test]
    fn native_statuses_are_normalised() {
        for (json, native, status) in [
            ("1", "1", Status::Running),
            ("2", "2", Status::Succeeded),
            ("\"3\"", "3", Status::Failed),
            ("4", "4", Status::TimedOut),
            ("5", "5", Status::Unknown),
            ("\"FAIL\"", "FAIL", Status::Unknown),
        ] {
            let facts = facts(&format!(r#"{{"Status":{json}}}"#));
            assert_eq!((facts.status, &*facts.native_status), (status, native));
        }
    }

    #[test]
    fn a_running_tasks_end_time_is_no_end() {
        let facts = facts(r#"{"Status":1,"StartTime":1672741657897,"EndTime":1678895999999}"#);
        assert_eq!((facts.ended_at, facts.duration_ms), (None, None));
    }
}
