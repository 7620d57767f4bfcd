//! The unified task: one shape for what became of a scan, whatever the cloud calls it.

pub mod details;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use details::Details;
use serde::{Serialize, Serializer};

use crate::moment;
use crate::nearest::fold;

/// What became of a task, normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Accepted, not started.
    Pending,
    /// Under way.
    Running,
    /// Finished, and nothing failed.
    Succeeded,
    /// Finished, but some of its parts failed.
    Partial,
    /// Finished in failure.
    Failed,
    /// Given up by the cloud for its time.
    TimedOut,
    /// A status that this version does not know; the native text says more.
    Unknown,
}

impl Status {
    /// Every status, in the order of a task's life.
    pub const ALL: [Status; 7] = [
        Status::Pending,
        Status::Running,
        Status::Succeeded,
        Status::Partial,
        Status::Failed,
        Status::TimedOut,
        Status::Unknown,
    ];

    /// The name that users read and write.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Succeeded => "succeeded",
            Status::Partial => "partial",
            Status::Failed => "failed",
            Status::TimedOut => "timed-out",
            Status::Unknown => "unknown",
        }
    }

    /// The ends that are no success.
    pub const FAILURES: [Status; 3] = [Status::Failed, Status::TimedOut, Status::Partial];

    /// Whether the task may still change by itself. An unknown status counts as an end: nobody can wait for it.
    pub fn is_open(self) -> bool {
        matches!(self, Status::Pending | Status::Running)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = fold(text);
        Status::ALL
            .into_iter()
            .find(|status| status.name() == wanted)
            .ok_or_else(|| {
                let known: Vec<_> = Status::ALL.iter().map(|status| status.name()).collect();
                format!("unknown status; known are: {}", known.join(", "))
            })
    }
}

/// What one item of an answer says of its task. Each operation makes these from its own wire type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts<'a> {
    /// What sort of scan: `image-scan`, `agentless`, `cluster-scan`, …
    pub kind: Cow<'a, str>,
    /// The task's id, if the cloud gives one.
    pub id: Option<Cow<'a, str>>,
    /// The task's name, if the cloud gives one.
    pub name: Option<Cow<'a, str>>,
    /// What a person would call the scanned thing.
    pub target: Option<Cow<'a, str>>,
    /// Normalised.
    pub status: Status,
    /// As the API says it.
    pub native_status: Cow<'a, str>,
    /// Percent, 0 to 100.
    pub progress: Option<u8>,
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; none while it is open.
    #[serde(serialize_with = "rfc3339")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Both ends known and in order: milliseconds between them.
    pub duration_ms: Option<i64>,
    /// What the cloud adds in words.
    pub message: Option<Cow<'a, str>>,
}

impl<'a> Facts<'a> {
    /// A task of this kind and status about which nothing else is known.
    pub fn new(
        kind: impl Into<Cow<'a, str>>,
        status: Status,
        native_status: impl Into<Cow<'a, str>>,
    ) -> Self {
        Facts {
            kind: kind.into(),
            id: None,
            name: None,
            target: None,
            status,
            native_status: native_status.into(),
            progress: None,
            started_at: None,
            ended_at: None,
            duration_ms: None,
            message: None,
        }
    }

    /// The same facts, which outlive the page that they came in.
    pub fn into_owned(self) -> Facts<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| text.into_owned().into());
        Facts {
            kind: self.kind.into_owned().into(),
            id: owned(self.id),
            name: owned(self.name),
            target: owned(self.target),
            native_status: self.native_status.into_owned().into(),
            message: owned(self.message),
            ..self
        }
    }

    /// The same task, from `started` to `ended`; an end is only taken once the task has ended.
    #[must_use]
    pub fn between(mut self, started: Option<DateTime<Utc>>, ended: Option<DateTime<Utc>>) -> Self {
        self.started_at = started;
        self.ended_at = ended.filter(|_| !self.status.is_open());
        self.duration_ms = match (self.started_at, self.ended_at) {
            (Some(start), Some(end)) if end >= start => Some((end - start).num_milliseconds()),
            _ => None,
        };
        self
    }
}

/// A task of any cloud, as `scanq tasks` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// `aliyun` or `huawei`.
    pub cloud: &'static str,
    /// The profile that was asked.
    pub profile: String,
    /// The region or centre that answered.
    pub region: String,
    /// The API operation.
    pub operation: &'static str,
    /// What the item says.
    #[serde(flatten)]
    pub facts: Facts<'static>,
    /// What it says of the parts of the task, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

impl Task {
    /// What a person can call it: its id, else its name, else its kind.
    pub fn label(&self) -> &str {
        let facts = &self.facts;
        let named = facts.id.as_deref().or(facts.name.as_deref());
        named.unwrap_or(&facts.kind)
    }

    /// Its JSON, on one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("tasks serialise to JSON")
    }

    /// What tells it from any other task, from one answer to the next.
    pub fn key(&self) -> String {
        let facts = &self.facts;
        let own = match &facts.id {
            Some(id) => format!("#{id}"),
            // Without an id, what does not change while a task runs.
            None => format!("{:?} {:?} {:?}", facts.name, facts.target, facts.started_at),
        };
        let (cloud, profile, region) = (self.cloud, &self.profile, &self.region);
        format!("{cloud}/{profile}/{region} {} {own}", self.operation)
    }
}

/// A share in percent, clamped: vendors' own examples have more parts finished than there are.
pub fn percent(done: i64, total: i64) -> Option<u8> {
    (total > 0).then(|| (done.clamp(0, total) as i128 * 100 / total as i128) as u8)
}

/// A vendor's percentage, clamped to 0..=100.
pub fn clamp_percent(value: i64) -> u8 {
    value.clamp(0, 100) as u8
}

fn rfc3339<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(moment::rfc3339).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(ms)
    }

    #[test]
    fn a_duration_needs_both_ends_in_order_and_a_task_that_ended() {
        let facts = |status| Facts::new("image-scan", status, "x");
        let ended = facts(Status::Failed).between(at(1_000), at(3_500));
        assert_eq!(ended.duration_ms, Some(2_500));
        assert_eq!(
            facts(Status::Failed).between(at(3), at(1)).duration_ms,
            None
        );
        let open = facts(Status::Running).between(at(1_000), at(3_500));
        assert_eq!((open.ended_at, open.duration_ms), (None, None));
        assert_eq!(
            facts(Status::Succeeded).between(None, at(1)).duration_ms,
            None
        );
    }

    #[test]
    fn percentages_are_clamped() {
        assert_eq!(percent(47, 44), Some(100));
        assert_eq!(percent(1, 3), Some(33));
        assert_eq!(percent(1, 0), None);
        assert_eq!(percent(-1, 10), Some(0));
        assert_eq!(percent(i64::MAX, i64::MAX), Some(100));
        assert_eq!(clamp_percent(250), 100);
    }

    #[test]
    fn statuses_are_read_as_they_are_written() {
        for status in Status::ALL {
            assert_eq!(status.name().parse::<Status>(), Ok(status));
        }
        assert_eq!("TIMED_OUT".parse::<Status>(), Ok(Status::TimedOut));
        assert!("done".parse::<Status>().unwrap_err().contains("timed-out"));
    }
}
