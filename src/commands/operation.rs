//! The one path of every operation of every cloud.

mod outcome;
mod stream;

use std::io;

use chrono::{DateTime, Utc};
use clap::ArgMatches;
use serde_json::Value;

use super::gate::Gate;
use super::listing::{self, Listing};
use super::progress::Progress;
use super::query::{Order, Query};
use super::regions;
use super::selection::Selection;
use super::survey::{Aim, Survey};
use super::targets::{self, Targets};
use super::wait::{self, Ended};
use super::watch::Viewer;
use super::{Means, dry_run, finish, unless_interrupted};
use crate::cli::follow::{Follow, Waiting};
use crate::cli::global::Settings;
use crate::cli::list;
use crate::client::pages::{Batch, Plan};
use crate::client::{Client, Target};
use crate::config::Profile;
use crate::context::{Clock, Context, Env, Stream, Ui};
use crate::credential::seek::Seek;
use crate::error::{Error, Kind};
use crate::operation::choice::Choice;
use crate::operation::{Entry, Params};
use crate::provider::Provider;
use crate::render::Format;
use crate::render::rows::Rows;
use crate::task::Task;
use outcome::Outcome;
use stream::Streaming;

pub(super) async fn run(
    provider: &'static Provider,
    entry: &'static Entry,
    matches: &ArgMatches,
    settings: &Settings,
    context: &mut Context,
) -> Result<u8, Error> {
    warn_of_undocumented(matches, &context.ui);
    let inquiry = Inquiry::read(entry, matches, (context.clock)())?;
    regions::check(&[provider], settings)?;
    let profile = targets::profile(provider, settings)?;
    // What is wrong with the output is said before anyone signs in.
    let rows = listing::rows(entry, settings)?;
    let means = Means::new(settings, context);
    let Context {
        clock,
        out,
        ui,
        env,
        ..
    } = &mut *context;
    let seek = means.seek(ui);
    let signing = sign_in(&profile, inquiry.plan.single, settings, &seek);
    let targets = unless_interrupted(signing).await?;
    let queries = inquiry.queries(&targets);
    let client = Client::new(&seek, settings.tries, settings.concurrency);
    if let Some(code) = dry_run::print(&queries, settings, &client, out, ui)? {
        return Ok(code);
    }
    let asking = Asking {
        settings,
        inquiry: &inquiry,
        targets: &targets,
        queries: &queries,
        client: &client,
        ui,
        env,
    };
    match &inquiry.follow.waiting {
        None => asking.once(rows, out).await,
        Some(waiting) => asking.until_ended(waiting, rows, out, clock).await,
    }
}

/// What the flags ask for.
struct Inquiry {
    entry: &'static Entry,
    params: Vec<Params>,
    plan: Plan,
    follow: Follow,
    /// Native statuses that are looked for here and not by the server: a task that is waited for must not leave the
    /// listing when it ends.
    natives: Vec<String>,
}

impl Inquiry {
    fn read(
        entry: &'static Entry,
        matches: &ArgMatches,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let follow = Follow::read(matches)?;
        let mut params = (entry.queries)(matches)?;
        let mut plan = list::plan(matches, entry.meta, &mut params, now)?;
        let natives = match follow.waiting {
            Some(_) => statuses_to_follow(entry, &mut params),
            None => Vec::new(),
        };
        // Followed tasks are looked for in the whole listing: pages as small as the limit would be many.
        if let Some(paging) = &entry.meta.paging
            && !natives.is_empty()
            && matches.get_one::<u32>("page_size").is_none()
        {
            plan.size = paging.default_size;
        }
        Ok(Inquiry {
            entry,
            params,
            plan,
            follow,
            natives,
        })
    }

    /// Everything that is asked of every target.
    fn queries<'t>(&self, targets: &'t [Target]) -> Vec<Query<'t>> {
        let of = |target: &'t Target| {
            self.params.iter().map(move |params| Query {
                target,
                entry: self.entry,
                params: params.clone(),
                plan: self.plan,
            })
        };
        targets.iter().flat_map(of).collect()
    }

    /// What a wait looks for.
    fn aim(&self) -> Aim {
        let limit = self.plan.limit;
        Aim {
            selection: Selection {
                natives: self.natives.clone(),
                ..Selection::default()
            },
            order: match limit.filter(|_| self.natives.is_empty()) {
                Some(limit) => Order::InTurn(Some(limit)),
                None => Order::Together,
            },
            limit,
            newest_first: false,
            details: false,
            keeps_pages: true,
        }
    }
}

/// The targets of a profile. One page counts within one region.
async fn sign_in(
    profile: &Profile,
    single: bool,
    settings: &Settings,
    seek: &Seek<'_>,
) -> Result<Vec<Target>, Error> {
    let targets = match targets::of(profile, settings, seek, false).await? {
        Targets::Found(targets) => targets,
        Targets::NotSignedIn(_) if settings.dry_run.is_some() => {
            targets::stand_ins(profile, settings, seek, false).await?
        }
        Targets::NotSignedIn(reasons) => return Err(targets::not_signed_in(profile, &reasons)),
    };
    if single && targets.len() > 1 {
        let why = "counts within one region, and several are asked";
        return Err(Error::usage("--page", why).hint("name one with --region"));
    }
    Ok(targets)
}

/// Everything that is needed to ask.
struct Asking<'a> {
    settings: &'a Settings,
    inquiry: &'a Inquiry,
    targets: &'a [Target],
    queries: &'a [Query<'a>],
    client: &'a Client<'a>,
    ui: &'a Ui,
    env: &'a Env,
}

impl Asking<'_> {
    /// Prints what comes, as it comes.
    async fn once(&self, rows: Option<Box<Rows>>, out: &mut Stream) -> Result<u8, Error> {
        let Inquiry {
            entry,
            plan,
            follow,
            ..
        } = self.inquiry;
        let mut gate = Gate::new(&follow.fail_on);
        let progress = Progress::new(self.ui, out.terminal.is_some());
        let listing = Listing::new(entry, self.settings, rows, plan.single, out);
        let streaming = Streaming::new(self.queries, listing, &mut gate, progress);
        let (printed, outcome, listed) = streaming.run(self.client, *plan).await?;
        finish(listed, out, self.ui)?;
        let code = outcome.code(self.queries);
        self.say(outcome, printed);
        wait::conclude(Ended::Done, code, &[], &gate, follow, self.ui, self.env)
    }

    /// Asks until every task has ended, and prints what has become of them.
    async fn until_ended(
        &self,
        waiting: &Waiting,
        rows: Option<Box<Rows>>,
        out: &mut Stream,
        clock: &Clock,
    ) -> Result<u8, Error> {
        let (settings, inquiry, ui) = (self.settings, self.inquiry, self.ui);
        let mut gate = Gate::new(&inquiry.follow.fail_on);
        let progress = Progress::new(ui, out.terminal.is_some() && waiting.watch);
        let mut survey = Survey::new(self.queries, inquiry.aim(), progress);
        let mut viewer = Viewer::new(waiting, settings, out, ui, clock);
        let has_printed = viewer.prints();
        let ended = wait::until_ended(self.client, &mut survey, waiting, ui, &mut viewer).await?;
        drop(viewer);
        let tasks = survey.tasks();
        tasks.iter().for_each(|task| gate.note(task));
        let outcome = Outcome {
            failures: survey
                .failures()
                .filter(|(_, error)| error.kind != Kind::Partial)
                .collect(),
            walked: survey
                .answers()
                .filter_map(|(at, known)| Some((at, known.walked?)))
                .collect(),
        };
        if !has_printed {
            let mut rows = rows;
            if let Some(rows) = &mut rows {
                rows.fit(out.width());
            }
            let mut listing = Listing::new(inquiry.entry, settings, rows, false, out);
            let printed = reprint(&survey, &mut listing);
            let filters_here = !inquiry.natives.is_empty();
            let listed = printed.and_then(|()| listing.end(filters_here));
            finish(listed, out, ui)?;
        }
        let gave_up = ended != Ended::Done && survey.has_answered();
        let code = match outcome.code(self.queries) {
            0 => 0,
            _ if gave_up => Kind::Partial.exit_code(),
            code => code,
        };
        self.say(outcome, tasks.len() as u64);
        wait::conclude(ended, code, &tasks, &gate, &inquiry.follow, ui, self.env)
    }

    /// Says what did not come; or, where all did, what else there is to ask.
    fn say(&self, outcome: Outcome, printed: u64) {
        let is_whole = outcome.code(self.queries) == 0;
        let asked = outcome.asked();
        outcome.say(self.queries, self.targets, printed, self.ui);
        let is_full = self
            .inquiry
            .plan
            .limit
            .is_some_and(|limit| printed >= limit);
        if is_whole && is_full && self.shows_total() && asked < self.queries.len() {
            let all = self.queries.len();
            self.ui.note(format!(
                "the total is that of {asked} of {all} listings: --limit was reached before the others were asked"
            ));
        }
        if is_whole
            && printed == 0
            && self.settings.regions.is_empty()
            && !self.inquiry.plan.single
            && let [asked] = self.targets
        {
            hint_at_the_other_centre(asked, self.ui);
        }
    }

    /// Whether what is printed has the server's total.
    fn shows_total(&self) -> bool {
        matches!(self.settings.format, Format::Json | Format::Yaml)
    }
}

/// Prints the matching items of the last poll.
fn reprint(survey: &Survey<'_>, listing: &mut Listing<'_>) -> io::Result<()> {
    let mut left = survey.limit();
    for (query, known) in survey.answers() {
        let mut tasks = known.tasks.iter();
        for (page, new) in &known.pages {
            let items: Vec<_> = page.items().collect();
            let matching = |(_, task): &(&usize, &Task)| survey.aim.selection.admits(task);
            let items: Vec<_> = new
                .iter()
                .zip(&mut tasks)
                .filter(matching)
                .map(|(at, _)| items[*at])
                .take(left)
                .collect();
            left -= items.len();
            listing.page(query, &Batch { page, items })?;
        }
    }
    Ok(())
}

/// Takes the status out of the queries: a task that is waited for must not leave the listing when it ends.
fn statuses_to_follow(entry: &Entry, queries: &mut [Params]) -> Vec<String> {
    let Some(status) = &entry.meta.narrow.status else {
        return Vec::new();
    };
    let mut natives = Vec::new();
    for params in queries {
        match params.shift_remove(status.param) {
            Some(Value::Array(values)) => {
                natives.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            Some(Value::String(value)) => natives.push(value),
            _ => {}
        }
    }
    natives
}

fn hint_at_the_other_centre(asked: &Target, ui: &Ui) {
    let mut regions = asked.provider.default_regions.iter();
    if let Some(other) = regions.find(|region| **region != asked.region) {
        ui.hint(format!(
            "no matching tasks in {}. {} keeps its data in two centres; the other one is asked with --region {other}",
            asked.region, asked.provider.name
        ));
    }
}

/// Clouds add values, so one that the documentation does not list is sent as it is.
fn warn_of_undocumented(matches: &ArgMatches, ui: &Ui) {
    for id in matches.ids() {
        let Ok(Some(choices)) = matches.try_get_many::<Choice>(id.as_str()) else {
            continue;
        };
        for choice in choices.filter(|choice| !choice.documented) {
            let flag = id.as_str().replace('_', "-");
            ui.warn(format!(
                "--{flag}: the documentation does not list this value, it is sent as it is: {}",
                choice.sent
            ));
            if let Some(near) = choice.near {
                ui.hint(format!("did you mean {near}?"));
            }
        }
    }
}
