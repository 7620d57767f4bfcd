//! Waiting: polls until every matching task has ended, and says how it came out.
//!
//! A poll that fails is no reason to give up: it is tried again until the deadline. The loop never sleeps past the
//! deadline, and asks once more at it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::gate::{Gate, named};
use super::interrupted;
use super::survey::Survey;
use super::watch::Viewer;
use crate::cli::follow::{Follow, Waiting};
use crate::client::Client;
use crate::context::{Env, Ui};
use crate::error::{Error, Kind};
use crate::render::when::duration;
use crate::task::{Status, Task};

/// Pauses grow by this while nothing changes, up to so many intervals.
const GROWTH: f64 = 1.25;
const LONGEST: u32 = 6;

/// How the asking ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// As it was meant to.
    Done,
    /// The time was up with tasks still open.
    TimedOut,
    /// No task matched in the time that was given for it.
    NoneAppeared,
    /// Ctrl-C.
    Interrupted,
}

/// Asks once.
///
/// # Errors
/// Results that could not be written.
pub(super) async fn once(client: &Client<'_>, survey: &mut Survey<'_>) -> Result<Ended, Error> {
    let ended = tokio::select! {
        biased;
        _ = interrupted() => Ended::Interrupted,
        () = survey.poll(client) => Ended::Done,
    };
    survey.progress.clear();
    survey.take_over(None)?;
    Ok(ended)
}

/// Polls until every matching task has ended. A poll that began in time may run over the deadline by what
/// one try may take.
///
/// # Errors
/// Results that could not be written.
pub(super) async fn until_ended(
    client: &Client<'_>,
    survey: &mut Survey<'_>,
    waiting: &Waiting,
    ui: &Ui,
    viewer: &mut Viewer<'_>,
) -> Result<Ended, Error> {
    let polled = tokio::select! {
        biased;
        _ = interrupted() => None,
        ended = polls(client, survey, waiting, ui, viewer) => Some(ended?),
    };
    survey.progress.clear();
    if let Some(ended) = polled {
        return Ok(ended);
    }
    survey.take_over(None)?;
    if viewer.prints() {
        viewer.show(&survey.tasks())?;
    }
    Ok(Ended::Interrupted)
}

async fn polls(
    client: &Client<'_>,
    survey: &mut Survey<'_>,
    waiting: &Waiting,
    ui: &Ui,
    viewer: &mut Viewer<'_>,
) -> Result<Ended, Error> {
    let begun = Instant::now();
    let deadline = begun + waiting.timeout;
    let to_appear = waiting
        .appear
        .map_or(begun, |appear| (begun + appear).min(deadline));
    let timeouts = survey
        .queries
        .iter()
        .map(|query| client.timeout(query.target));
    let longest_try = timeouts.max().unwrap_or_default();
    let mut pause = waiting.interval;
    loop {
        let cut = deadline.max(Instant::now()) + longest_try;
        let polled = viewer
            .alongside(timeout_at(cut, survey.poll(client)))
            .await?;
        let changed = survey.take_over(Some(ui))?;
        if polled.is_err() {
            survey.cut_off();
        }
        let tasks = survey.tasks();
        viewer.show(&tasks)?;
        let open = tasks.iter().filter(|task| task.facts.status.is_open());
        survey.progress.waits(open.count(), tasks.len());
        if let Some(ended) = verdict(survey, &tasks, waiting) {
            return Ok(ended);
        }
        let waits_for_first = tasks.is_empty() && survey.is_fresh();
        let last = if waits_for_first { to_appear } else { deadline };
        let now = Instant::now();
        if now >= last {
            return Ok(match (waits_for_first, waiting.appear) {
                (true, None) => Ended::Done,
                (true, Some(_)) => Ended::NoneAppeared,
                (false, _) => Ended::TimedOut,
            });
        }
        pause = if changed {
            waiting.interval
        } else {
            pause
                .mul_f64(GROWTH)
                .min(waiting.interval.saturating_mul(LONGEST))
        };
        viewer
            .alongside(sleep_until((now + pause).min(last)))
            .await?;
    }
}

/// Whether there is nothing more to wait for.
fn verdict(survey: &Survey<'_>, tasks: &[&Task], waiting: &Waiting) -> Option<Ended> {
    let has_failed = |on: &Vec<Status>| tasks.iter().any(|task| on.contains(&task.facts.status));
    let is_done = survey.is_over()
        || waiting.fail_fast.as_ref().is_some_and(has_failed)
        || survey.is_fresh()
            && !tasks.is_empty()
            && tasks.iter().all(|task| !task.facts.status.is_open());
    is_done.then_some(Ended::Done)
}

/// Says how it came out, the gate last, and decides the exit code. `code` is that of what did not come.
///
/// # Errors
/// The interruption, if that was the end.
pub(super) fn conclude(
    ended: Ended,
    code: u8,
    tasks: &[&Task],
    gate: &Gate,
    follow: &Follow,
    ui: &Ui,
    env: &Env,
) -> Result<u8, Error> {
    if ended == Ended::Interrupted {
        return Err(Error::interrupted());
    }
    let unanswered = code != 0 && code != Kind::Partial.exit_code();
    let gave_up = follow
        .waiting
        .as_ref()
        .filter(|_| !unanswered)
        .and_then(|waiting| open_end(ended, tasks, waiting, ui));
    if let Some(why) = &gave_up {
        ui.error(why);
    }
    if !unanswered && gate.announce(ui, env) {
        return Ok(Kind::Gate.exit_code());
    }
    Ok(gave_up.map_or(code, |why| why.kind.exit_code()))
}

/// What a wait has left open: unknown states are told, and why it gave up is given back.
fn open_end(ended: Ended, tasks: &[&Task], waiting: &Waiting, ui: &Ui) -> Option<Error> {
    let with = |has: fn(Status) -> bool| {
        let found = || tasks.iter().filter(|task| has(task.facts.status));
        let count = found().count() as u64;
        (count, named(found().copied(), count))
    };
    let (unknown, names) = with(|status| status == Status::Unknown);
    if unknown > 0 {
        ui.warn(format!(
            "{unknown} of {} tasks are in an unknown state and not waited for: {names}",
            tasks.len()
        ));
    }
    let span = |span: Duration| duration(span.as_millis().try_into().unwrap_or(i64::MAX));
    match ended {
        Ended::Done | Ended::Interrupted => None,
        Ended::TimedOut => {
            let (open, names) = with(Status::is_open);
            let what = format!("gave up waiting after {}", span(waiting.timeout));
            let why = match open {
                0 => "the last poll failed".to_owned(),
                _ => format!("{open} of {} tasks have not ended: {names}", tasks.len()),
            };
            Some(Error::new(Kind::WaitTimeout, what, why))
        }
        Ended::NoneAppeared => {
            let appear = waiting.appear.unwrap_or_default().min(waiting.timeout);
            let what = "no task matched in the time given to appear";
            Some(Error::new(Kind::WaitTimeout, what, span(appear)))
        }
    }
}
