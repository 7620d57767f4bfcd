//! Security Center's operations. A new one is a file here and a line in each of the two lists.

pub mod agentless_tasks;
pub mod image_fix_tasks;
pub mod once_task_result;
pub mod once_tasks;

use crate::nearest::fold;
use crate::operation::lenient::Text;
use crate::operation::{Entry, Items, Paging, Total};
use crate::task::Status;

/// Every operation.
pub(super) static OPERATIONS: &[Entry] = &[
    Entry::of::<once_tasks::OnceTasks>(),
    Entry::of::<once_task_result::OnceTaskResult>(),
    Entry::of::<image_fix_tasks::ImageFixTasks>(),
    Entry::of::<agentless_tasks::AgentlessTasks>(),
];

/// The API version of all of them.
const VERSION: &str = "2018-12-03";

/// How all of its listings page.
///
/// NOTE: No page names a largest PageSize for these operations; sister operations say 100, some 1000. 100 is what all
/// of them take, and a server that clamps says so in `PageInfo.PageSize`.
const PAGING: Paging = Paging {
    cursor: crate::operation::Cursor::Number {
        page: "CurrentPage",
        size: "PageSize",
    },
    min_size: 1,
    max_size: None,
    default_size: 100,
};

/// `namespace/repo:tag`: what a person calls an image. None without a repository.
fn image_name(namespace: &Text<'_>, repo: &Text<'_>, tag: &Text<'_>) -> Option<String> {
    repo.get()?;
    let mut name = String::new();
    for (before, part, after) in [("", namespace, "/"), ("", repo, ""), (":", tag, "")] {
        name.extend(
            part.get()
                .into_iter()
                .flat_map(|part| [before, part, after]),
        );
    }
    Some(name)
}

/// A listing under `key`, counted by `PageInfo`.
const fn list(key: &'static str) -> Items {
    Items::List {
        key,
        total: Total::PageInfo,
    }
}

/// The status of a one-time task, from its text.
///
/// DISPATCH and FAIL are documented for the sister operation DescribeOnceTask.
fn once_status(text: &str, result: Option<&str>) -> Status {
    match text {
        "INIT" => Status::Pending,
        "START" | "DISPATCH" => Status::Running,
        // NOTE: A task that could not run at all is reported as SUCCESS with the reason as its result, as in the
        // documentation's own example (TASK_NOT_SUPPORT_REGION).
        "SUCCESS" if result.is_some_and(is_error_code) => Status::Failed,
        "SUCCESS" => Status::Succeeded,
        "TIMEOUT" => Status::TimedOut,
        "FAIL" => Status::Failed,
        _ => Status::Unknown,
    }
}

fn is_error_code(result: &str) -> bool {
    result.starts_with("TASK_")
        && result
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Status of image fix and agentless tasks, which count from 1.
fn numbered_status(native: &str) -> Status {
    match native.trim() {
        "1" => Status::Running,
        "2" => Status::Succeeded,
        "3" => Status::Failed,
        "4" => Status::TimedOut,
        _ => Status::Unknown,
    }
}

/// `IMAGE_SCAN` as a kind of task: `image-scan`.
fn kind(native: &str) -> String {
    fold(native)
}
