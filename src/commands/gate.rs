//! The gate: whether a printed task has a status that makes the command fail, and what is said of it.

use super::github;
use crate::context::{Env, Ui};
use crate::error::{Error, Kind};
use crate::task::{Status, Task};

/// Tasks that the last line names.
const NAMED: usize = 5;

/// Tasks that are kept to be told of: what a person reads of a report.
const KEPT: usize = 100;

/// Judges tasks as they are printed. It keeps no more of them than it may name.
pub(super) struct Gate {
    on: Vec<Status>,
    seen: u64,
    /// How many tasks have each status of `on`.
    counts: Vec<u64>,
    kept: Vec<Task>,
}

impl Gate {
    /// A gate on these statuses; without any it is open to all.
    pub(super) fn new(on: &[Status]) -> Self {
        let mut on = on.to_vec();
        on.sort_unstable();
        on.dedup();
        Gate {
            seen: 0,
            counts: vec![0; on.len()],
            kept: Vec::new(),
            on,
        }
    }

    /// Whether there is anything to judge by.
    pub(super) fn is_set(&self) -> bool {
        !self.on.is_empty()
    }

    /// What printing comes to: whoever has tasks judged wants the verdict, also where nobody reads them (`| grep -q`).
    pub(super) fn unless_judged(&self, printed: Result<(), Error>) -> Result<(), Error> {
        match printed {
            Err(error) if error.kind == Kind::NotRead && self.is_set() => Ok(()),
            printed => printed,
        }
    }

    /// Takes note of a printed task.
    pub(super) fn note(&mut self, task: &Task) {
        self.seen += 1;
        if let Some(at) = self.on.iter().position(|on| *on == task.facts.status) {
            self.counts[at] += 1;
            if self.kept.len() < KEPT {
                self.kept.push(task.clone());
            }
        }
    }

    /// Why the command fails, if it does.
    pub(super) fn verdict(&self) -> Option<Error> {
        let caught: u64 = self.counts.iter().sum();
        if caught == 0 {
            return None;
        }
        let by_status: Vec<_> = self
            .on
            .iter()
            .zip(&self.counts)
            .filter(|(_, count)| **count > 0)
            .collect();
        let tasks = if self.seen == 1 { "task" } else { "tasks" };
        let what = match by_status[..] {
            [(status, _)] => format!("{caught} of {} {tasks} {}", self.seen, verb(*status)),
            _ => {
                let parts: Vec<_> = by_status
                    .iter()
                    .map(|(status, count)| format!("{count} {}", verb(**status)))
                    .collect();
                format!(
                    "{caught} of {} {tasks} caught, {}",
                    self.seen,
                    parts.join(", ")
                )
            }
        };
        Some(Error::new(
            Kind::Gate,
            what,
            named(self.kept.iter(), caught),
        ))
    }

    /// Says why the command fails, as the last line on stderr, and to the runner where there is one.
    pub(super) fn announce(&self, ui: &Ui, env: &Env) -> bool {
        let Some(why) = self.verdict() else {
            return false;
        };
        github::report(&why, &self.kept, ui, env);
        ui.error(&why);
        true
    }
}

/// `ID (target), ID (target), and 3 more`.
pub(super) fn named<'t>(tasks: impl Iterator<Item = &'t Task>, all: u64) -> String {
    let mut named: Vec<_> = tasks
        .take(NAMED)
        .map(|task| match &task.facts.target {
            Some(target) => format!("{} ({target})", task.label()),
            None => task.label().to_owned(),
        })
        .collect();
    let more = all.saturating_sub(named.len() as u64);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

fn verb(status: Status) -> &'static str {
    match status {
        Status::Pending => "still pending",
        Status::Running => "still running",
        Status::Succeeded => "succeeded",
        Status::Partial => "failed in part",
        Status::Failed => "failed",
        Status::TimedOut => "timed out",
        Status::Unknown => "in an unknown state",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Facts;

    fn verdict(on: &[Status], statuses: &[Status]) -> Option<String> {
        let mut gate = Gate::new(on);
        for (number, status) in statuses.iter().enumerate() {
            gate.note(&Task {
                cloud: "aliyun",
                profile: "p".into(),
                region: "r".into(),
                operation: "ListAgentlessTask",
                facts: Facts {
                    id: Some(format!("t{number}").into()),
                    target: (number == 0).then(|| "web".into()),
                    ..Facts::new("agentless", *status, "3")
                },
                details: None,
            });
        }
        gate.verdict().map(|why| why.to_string())
    }

    #[test]
    fn the_verdict_counts_and_names() {
        use Status::{Failed, Succeeded, TimedOut};
        assert_eq!(verdict(&[Failed], &[Succeeded, TimedOut]), None);
        assert_eq!(verdict(&[], &[Failed]), None);
        assert_eq!(
            verdict(&[Failed], &[Failed, Succeeded, Failed]).unwrap(),
            "2 of 3 tasks failed: t0 (web), t2"
        );
        assert_eq!(
            verdict(&[TimedOut, Failed, Failed], &[TimedOut, Failed]).unwrap(),
            "2 of 2 tasks caught, 1 failed, 1 timed out: t0 (web), t1"
        );
        assert_eq!(
            verdict(&[Failed], &[Failed; 8]).unwrap(),
            "8 of 8 tasks failed: t0 (web), t1, t2, t3, t4, and 3 more"
        );
        assert_eq!(
            verdict(&[Succeeded], &[Succeeded]).unwrap(),
            "1 of 1 task succeeded: t0 (web)"
        );
    }
}
