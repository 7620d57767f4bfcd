//! How a made task lives: when it starts and ends, counted in polls, and what it looks like meanwhile.

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use fastrand::Rng;
use serde_json::Value;

use crate::operation::Lifecycle;

/// Seconds that pass in the world from one poll to the next.
const POLL_SECONDS: i64 = 10;

/// How a task lives.
pub(super) struct Life {
    /// How long before the world began it was started.
    age: TimeDelta,
    /// How long it took, if it ended before the world began.
    took: TimeDelta,
    /// The poll at which it is first seen running.
    starts: u64,
    /// The poll at which it is first seen ended; 0: it ended before the world began.
    ends: u64,
    /// Which of the ends.
    fate: usize,
}

impl Life {
    pub(super) fn new(
        rng: &mut Rng,
        number: u64,
        open: u64,
        ends: usize,
        has_pending: bool,
    ) -> Self {
        let is_open = number < open;
        // Most scans go well.
        let fate = if rng.u8(..10) < 8 {
            0
        } else {
            rng.usize(..ends)
        };
        let age = number as i64 * 900 + rng.i64(20..800);
        let took = rng.i64(15..(age - 5).clamp(16, 1500));
        let starts = if is_open && has_pending && number == 0 {
            rng.u64(1..3)
        } else {
            0
        };
        Life {
            age: TimeDelta::seconds(age),
            took: TimeDelta::seconds(took),
            starts,
            ends: if is_open { starts + rng.u64(2..6) } else { 0 },
            fate,
        }
    }

    /// Lays the stage of its life over a task.
    pub(super) fn lay_over(
        &self,
        item: &mut Value,
        lifecycle: &Lifecycle,
        began: DateTime<Utc>,
        poll: u64,
    ) {
        let overlay = |item: &mut Value, json: &str| {
            merge(
                item,
                &serde_json::from_str(json).expect("lifecycles are JSON"),
            );
        };
        let started = began - self.age;
        let mut progress = None;
        let mut ended = None;
        if poll < self.starts {
            overlay(item, lifecycle.pending.unwrap_or(lifecycle.running));
        } else if poll < self.ends {
            overlay(item, lifecycle.running);
            let span = (self.ends - self.starts + 1) as i64;
            progress = Some(((poll - self.starts + 1) as i64 * 100 / span).clamp(1, 99));
        } else {
            overlay(item, lifecycle.ends[self.fate].0);
            ended = Some(match self.ends {
                0 => started + self.took,
                polls => (began + TimeDelta::seconds(polls as i64 * POLL_SECONDS))
                    .max(started + TimeDelta::seconds(1)),
            });
        }
        if let (Some(key), Some(progress)) = (lifecycle.progress, progress) {
            item[key] = progress.into();
        }
        if let (Some(times), Some(object)) = (lifecycle.times, item.as_object_mut()) {
            let value = |time: DateTime<Utc>| -> Value {
                if !times.as_text {
                    return time.timestamp_millis().into();
                }
                let china = FixedOffset::east_opt(8 * 3600).expect("eight hours are an offset");
                time.with_timezone(&china)
                    .format("%Y-%m-%d %H:%M:%S")
                    .to_string()
                    .into()
            };
            object.insert(times.start.into(), value(started));
            match ended {
                Some(ended) => object.insert(times.end.into(), value(ended)),
                None => object.shift_remove(times.end),
            };
        }
    }
}

/// RFC 7396: what the patch says replaces, null removes. Objects that the task does not have are not brought in.
fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return;
    };
    for (key, change) in patch {
        match (change, target.get_mut(key)) {
            (Value::Null, _) => {
                target.shift_remove(key);
            }
            (Value::Object(_), Some(below)) => merge(below, change),
            (Value::Object(_), None) => {}
            _ => {
                target.insert(key.clone(), change.clone());
            }
        }
    }
}
