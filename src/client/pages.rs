//! Every page of a listing: fetched concurrently, delivered in the server's order, complete or loud.
//!
//! Pages shift while they are read: tasks begin and are cleaned away. So the plan follows what the server says: a
//! smaller page size than asked for is taken over, items that come twice are dropped by id, and where the total moved,
//! the listing is walked once more for what slipped between the pages.

use futures_util::{StreamExt, stream};

use super::seen::Seen;
use super::{Client, Target};
use crate::error::Error;
use crate::operation::page::{Page, scalar};
use crate::operation::{Entry, Items, Meta, Params};

/// So many pages without anything new, one after the other, are the end of a listing, whatever its total says. One alone
/// may be a page whose tasks the service keeps to itself.
const END: u32 = 8;

/// Which part of a listing is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Items a page.
    pub size: u32,
    /// Position of the first item.
    pub offset: u64,
    /// At most so many items.
    pub limit: Option<u64>,
    /// Exactly one page, as the server sends it.
    pub single: bool,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walked {
    /// Distinct items delivered.
    pub items: u64,
    /// The server's last word on how many there are.
    pub total: Option<u64>,
    /// How many of those that were wanted did not come.
    pub missing: u64,
    /// How many of the items are no objects: nothing is known of their tasks.
    pub shapeless: u64,
}

/// A page, and which of its items are new.
pub struct Batch<'p> {
    /// The page.
    pub page: &'p Page,
    /// Its items that were not delivered before, within the limit.
    pub items: Vec<&'p str>,
}

/// The parameters of a walk's first request.
pub fn first(entry: &Entry, params: &Params, plan: Plan) -> Params {
    let mut params = params.clone();
    if let Some(paging) = &entry.meta.paging {
        paging.ask(&mut params, plan.offset, plan.size);
    }
    params
}

/// Walks a listing and gives each page to `deliver`, in order.
///
/// # Errors
/// The first failure of a call or of `deliver`. What was delivered before it stays delivered.
pub async fn walk(
    client: &Client<'_>,
    target: &Target,
    entry: &Entry,
    params: &Params,
    plan: Plan,
    deliver: &mut dyn FnMut(Batch<'_>) -> Result<(), Error>,
) -> Result<Walked, Error> {
    let mut walk = Walk {
        meta: entry.meta,
        seen: Seen::default(),
        size: plan.size,
        limit: plan.limit.unwrap_or(u64::MAX),
        total: None,
        moved: false,
        shrank: false,
        repeated: false,
        unnamed: false,
        last_page: 0,
        reach: 0,
        items: 0,
        shapeless: 0,
    };
    let Some(paging) = &entry.meta.paging else {
        let page = client.call(target, entry, params).await?;
        walk.take(&page, 0, deliver)?;
        return Ok(walk.end(plan));
    };
    let fetch = |offset: u64, size: u32| {
        let mut params = params.clone();
        paging.ask(&mut params, offset, size);
        async move { client.call(target, entry, &params).await }
    };

    for is_first in [true, false] {
        let first = fetch(plan.offset, walk.size).await?;
        walk.take(&first, plan.offset, deliver)?;
        if plan.single {
            break;
        }
        let mut next = plan.offset + walk.step(&first, plan.offset);
        let mut brought_nothing = first.is_empty();
        let mut idle = u32::from(first.is_empty());
        while !walk.is_done() && idle < END && walk.has_more(next, brought_nothing) {
            // Without a total there is no knowing how far to go: one page at a time, until one brings nothing new.
            let end = walk.end_of_plan(next);
            let size = walk.size;
            let offsets = stream::iter((next..end).step_by(size as usize));
            let mut pages = offsets
                .map(|offset| fetch(offset, size))
                .buffered(client.concurrency());
            while let Some(page) = pages.next().await {
                let page = page?;
                let before = walk.items;
                walk.take(&page, next, deliver)?;
                brought_nothing = walk.items == before;
                next += u64::from(size);
                // A second walk is for the few that slipped through the first.
                let is_idle = page.is_empty() || is_first && brought_nothing;
                idle = if is_idle { idle + 1 } else { 0 };
                // The total may have shrunk meanwhile, or never have been true.
                if walk.is_done() || idle == END || !walk.has_more(next, false) {
                    break;
                }
            }
        }
        let short = walk.missing(plan) > 0 && (walk.moved || walk.repeated);
        // Items without ids can't be recognised: a second walk would give them again.
        if walk.is_done() || walk.unnamed || idle == END || !(walk.shrank || short) {
            break;
        }
        (walk.moved, walk.shrank, walk.repeated) = (false, false, false);
    }
    Ok(walk.end(plan))
}

/// What is known half-way.
struct Walk {
    meta: &'static Meta,
    seen: Seen,
    size: u32,
    limit: u64,
    total: Option<u64>,
    moved: bool,
    shrank: bool,
    repeated: bool,
    /// Whether an item had no id.
    unnamed: bool,
    /// Items of the last page.
    last_page: usize,
    /// The position behind the last item that came. A total below that is not true.
    reach: u64,
    items: u64,
    shapeless: u64,
}

impl Walk {
    /// Takes note of the page at a position, and delivers what is new in it.
    fn take(
        &mut self,
        page: &Page,
        offset: u64,
        deliver: &mut dyn FnMut(Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let (Some(before), Some(now)) = (self.total, page.total) {
            self.moved |= before != now;
            self.shrank |= now < before;
        }
        self.total = page.total.or(self.total);
        self.last_page = page.len();
        self.reach = self.reach.max(offset.saturating_add(page.len() as u64));
        let mut items = Vec::with_capacity(page.len());
        for item in page.items() {
            if self.items == self.limit {
                break;
            }
            let is_new = match (self.meta.items, scalar(item, self.meta.id)) {
                (Items::Document, _) => true,
                (Items::List { .. }, Some(id)) => self.seen.is_new(&id),
                (Items::List { .. }, None) => {
                    self.unnamed = true;
                    true
                }
            };
            if is_new {
                self.items += 1;
                self.shapeless += u64::from(!item.starts_with('{'));
                items.push(item);
            } else {
                self.repeated = true;
            }
        }
        deliver(Batch { page, items })
    }

    /// How far the next page starts after the first. A server that gives less than it was asked for says so in the page
    /// size, or shows it by a short page that is not the last.
    fn step(&mut self, first: &Page, offset: u64) -> u64 {
        let (asked, got) = (u64::from(self.size), first.len() as u64);
        let is_last = self.total.is_none_or(|total| offset + got >= total);
        let given = match first.size {
            Some(size) if (1..asked).contains(&size) => size,
            None if got < asked && !is_last && got > 0 => got,
            _ => asked.max(got),
        };
        self.size = u32::try_from(given).unwrap_or(u32::MAX);
        u64::from(self.size)
    }

    fn is_done(&self) -> bool {
        self.items >= self.limit
    }

    fn has_more(&self, next: u64, brought_nothing: bool) -> bool {
        match self.total {
            Some(total) if total >= self.reach => next < total,
            Some(_) => !brought_nothing && self.last_page >= self.size as usize,
            // Items without ids always look new: then only a short page ends it.
            None => !brought_nothing && (!self.unnamed || self.last_page >= self.size as usize),
        }
    }

    /// The offset before which pages are asked for at once: no page that the limit makes needless.
    fn end_of_plan(&self, next: u64) -> u64 {
        let wanted = next.saturating_add(self.limit - self.items);
        match self.total {
            Some(total) if total >= self.reach => wanted.min(total),
            _ => next + 1,
        }
    }

    fn missing(&self, plan: Plan) -> u64 {
        let there_are = self.total.unwrap_or(0).saturating_sub(plan.offset);
        there_are.min(self.limit).saturating_sub(self.items)
    }

    fn end(&self, plan: Plan) -> Walked {
        Walked {
            items: self.items,
            total: self.total,
            missing: if plan.single { 0 } else { self.missing(plan) },
            shapeless: self.shapeless,
        }
    }
}
