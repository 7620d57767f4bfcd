//! Which tasks match. The filters are applied to every answer here, whatever part of them the server was asked for.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::task::{Status, Task};

/// What is looked for. Empty lists and `None` take every task.
#[derive(Default)]
pub(super) struct Selection {
    pub(super) statuses: Vec<Status>,
    /// Native statuses, where a provider's own status flag is followed through a wait.
    pub(super) natives: Vec<String>,
    pub(super) kinds: Vec<String>,
    /// Parts of ids.
    pub(super) ids: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) target: Option<String>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
    /// While waiting: the tasks that matched. They stay, though their status no longer matches.
    pub(super) followed: HashSet<String>,
    /// Every listing has answered since: who names tasks means those that were there then.
    pub(super) is_complete: bool,
}

impl Selection {
    /// Whether a task matches, or is followed because it did.
    pub(super) fn admits(&self, task: &Task) -> bool {
        if !self.fits(task) {
            return false;
        }
        // Who names tasks means these tasks, not those that begin later.
        let is_closed = !self.ids.is_empty() && self.is_complete && !self.followed.is_empty();
        match self.is_followed(task) {
            true => true,
            false => !is_closed && self.has_status(task),
        }
    }

    /// Remembers the tasks of an answer that match, to follow them from now on.
    pub(super) fn follow<'t>(&mut self, tasks: impl Iterator<Item = &'t Task>) {
        let matching: Vec<_> = tasks
            .filter(|task| self.admits(task))
            .map(Task::key)
            .collect();
        self.followed.extend(matching);
    }

    fn is_followed(&self, task: &Task) -> bool {
        !self.followed.is_empty() && self.followed.contains(&task.key())
    }

    fn has_status(&self, task: &Task) -> bool {
        let facts = &task.facts;
        (self.statuses.is_empty() || self.statuses.contains(&facts.status))
            && (self.natives.is_empty()
                || self
                    .natives
                    .iter()
                    .any(|native| *native == facts.native_status))
    }

    /// Everything but the status, which changes while a task is followed.
    fn fits(&self, task: &Task) -> bool {
        let facts = &task.facts;
        let contains = |text: &Option<Cow<'_, str>>, part: &String| {
            text.as_ref()
                .is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
        };
        let has = |text: &Option<Cow<'_, str>>, part: &Option<String>| {
            part.as_ref().is_none_or(|part| contains(text, part))
        };
        // A time that the cloud does not tell was judged by the server alone.
        let in_time = facts.started_at.is_none_or(|started| {
            self.since.is_none_or(|since| started >= since)
                && self.until.is_none_or(|until| started <= until)
        });
        in_time
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| *kind == facts.kind))
            && (self.ids.is_empty() || self.ids.iter().any(|part| contains(&facts.id, part)))
            && has(&facts.name, &self.name)
            && has(&facts.target, &self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Facts;

    fn task(id: &str, status: Status) -> Task {
        Task {
            cloud: "aliyun",
            profile: "p".into(),
            region: "r".into(),
            operation: "ListAgentlessTask",
            facts: Facts {
                id: Some(id.to_owned().into()),
                target: Some("Prod/Web:1".into()),
                started_at: DateTime::from_timestamp(1000, 0),
                ..Facts::new("agentless", status, "1")
            },
            details: None,
        }
    }

    #[test]
    fn texts_match_in_part_and_in_any_case() {
        let of = |id: &str, target: Option<&str>, name: Option<&str>| Selection {
            ids: vec![id.into()],
            target: target.map(Into::into),
            name: name.map(Into::into),
            ..Selection::default()
        };
        let task = task("7c8D", Status::Running);
        assert!(of("C8d", Some("prod/WEB"), None).admits(&task));
        assert!(!of("9", None, None).admits(&task));
        assert!(!of("7", Some("api"), None).admits(&task));
        assert!(!of("7", None, Some("any")).admits(&task));
    }

    #[test]
    fn the_period_counts_from_the_start_and_spares_the_unknown() {
        let since = |seconds| Selection {
            since: DateTime::from_timestamp(seconds, 0),
            ..Selection::default()
        };
        let mut task = task("1", Status::Running);
        assert!(since(1000).admits(&task) && !since(1001).admits(&task));
        task.facts.started_at = None;
        assert!(since(1001).admits(&task));
    }

    #[test]
    fn a_task_is_followed_through_its_statuses() {
        let mut running = Selection {
            statuses: vec![Status::Running],
            ..Selection::default()
        };
        let before = [task("1", Status::Running), task("2", Status::Failed)];
        running.follow(before.iter());
        assert!(running.admits(&task("1", Status::Failed)));
        assert!(!running.admits(&task("2", Status::Failed)));
        assert!(running.admits(&task("3", Status::Running)));
    }

    #[test]
    fn tasks_that_are_named_are_not_joined_by_others() {
        let mut named = Selection {
            ids: vec!["1".into()],
            ..Selection::default()
        };
        assert!(named.admits(&task("13", Status::Running)));
        named.follow([task("12", Status::Running)].iter());
        assert!(named.admits(&task("12", Status::Failed)));
        // Until every listing has answered, another task of that name may have been there all the time.
        assert!(named.admits(&task("13", Status::Running)));
        named.is_complete = true;
        assert!(!named.admits(&task("13", Status::Running)));
    }
}
