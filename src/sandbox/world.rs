//! A seeded world of tasks.
//!
//! Each task is the documented sample with its masks filled in, names from a small cast, and the stage of its life laid
//! over it. Nothing is stored: a task is computed from the seed, its number, and how often its listing was polled, so
//! a world of a million tasks costs nothing until it is read, and the same questions always get the same answers.

mod cast;
mod filter;
mod life;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use fastrand::Rng;
use serde_json::Value;

use crate::operation::{Filter, Items, Meta, Test, Total};
use filter::matches;
use life::Life;

/// Of each kind of task, the newest are still open when the world begins: one in so many, and at least two.
const OPEN_SHARE: u64 = 12;

/// What a request asks of a listing.
pub(super) struct Asked {
    /// Parameters, each with its values.
    pub(super) params: BTreeMap<String, Vec<String>>,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) request_id: String,
    /// The host that is asked: each has its own data. 0 for the sandbox's own address.
    pub(super) site: u64,
    /// Newest first.
    pub(super) descending: bool,
}

/// The world.
pub struct World {
    seed: u64,
    tasks: u64,
    began: DateTime<Utc>,
    /// How often each listing was polled: its first page was asked for.
    polls: RefCell<HashMap<(&'static str, usize, u64), u64>>,
    /// Parsed samples, as they are needed again for every item.
    samples: RefCell<HashMap<(&'static str, usize), Value>>,
}

impl World {
    /// A world of `tasks` tasks of each kind that begins at `began`.
    pub fn new(seed: u64, tasks: u64, began: DateTime<Utc>) -> Self {
        World {
            seed,
            tasks,
            began,
            polls: RefCell::default(),
            samples: RefCell::default(),
        }
    }

    /// The document that answers.
    pub(super) fn answer(&self, meta: &'static Meta, asked: &Asked) -> Value {
        let variant = meta.samples.iter().position(|sample| {
            sample.when.is_none_or(|(param, value)| {
                asked
                    .params
                    .get(param)
                    .is_some_and(|values| values.iter().any(|v| v == value))
            })
        });
        let first = variant.unwrap_or(0);
        let mut polls = self.polls.borrow_mut();
        let polled = polls.entry((meta.api, first, asked.site)).or_default();
        let poll = *polled;
        if asked.offset == 0 {
            *polled += 1;
        }
        drop(polls);
        let mut document = self.sample(meta, first);
        match meta.items {
            Items::Document => {
                // The task that is asked about is any: its id decides how it stands.
                let number = asked
                    .params
                    .values()
                    .flatten()
                    .flat_map(|text| text.bytes())
                    .fold(7_u64, |sum, byte| {
                        sum.wrapping_mul(31).wrapping_add(byte.into())
                    });
                let mut item = self.item(meta, first, asked.site, number % self.tasks.max(1), poll);
                if let Some(object) = item.as_object_mut() {
                    object.insert("RequestId".into(), asked.request_id.clone().into());
                }
                item
            }
            Items::List { key, total } => {
                let (items, count) = match variant {
                    Some(variant) => self.list(meta, variant, asked, poll),
                    // A kind that this world has none of.
                    None => (Vec::new(), 0),
                };
                let shown = items.len();
                document[key] = items.into();
                match total {
                    Total::Key(total) => document[total] = count.into(),
                    Total::PageInfo => {
                        document["RequestId"] = asked.request_id.clone().into();
                        let info = &mut document["PageInfo"];
                        info["CurrentPage"] = (asked.offset / asked.size + 1).into();
                        info["PageSize"] = asked.size.into();
                        info["TotalCount"] = count.into();
                        if let Some(shown_count) = info.get_mut("Count") {
                            *shown_count = shown.into();
                        }
                    }
                }
                document
            }
        }
    }

    fn list(
        &self,
        meta: &'static Meta,
        variant: usize,
        asked: &Asked,
        poll: u64,
    ) -> (Vec<Value>, u64) {
        let kind = meta.samples[variant].when.map(|(param, _)| param);
        let filters: Vec<_> = meta
            .filters
            .iter()
            .filter(|filter| Some(filter.param) != kind)
            .filter_map(|filter| Some((filter, asked.params.get(filter.param)?)))
            .collect();
        let numbers = (0..self.tasks).map(|number| {
            if asked.descending {
                number
            } else {
                self.tasks - 1 - number
            }
        });
        let page = asked.offset as usize..(asked.offset + asked.size) as usize;
        let selects = |filter: &Filter| filter.test != Test::Shown;
        let mut items = Vec::new();
        let mut count = 0;
        if filters.iter().any(|(filter, _)| selects(filter)) {
            for number in numbers {
                let item = self.item(meta, variant, asked.site, number, poll);
                if filters
                    .iter()
                    .all(|(filter, values)| matches(meta, filter, values, &item))
                {
                    if page.contains(&count) {
                        items.push(item);
                    }
                    count += 1;
                }
            }
        } else {
            let wanted = numbers.skip(page.start).take(page.len());
            items.extend(wanted.map(|number| self.item(meta, variant, asked.site, number, poll)));
            count = self.tasks as usize;
        }
        for (filter, values) in filters.iter().filter(|(filter, _)| !selects(filter)) {
            if values
                .iter()
                .any(|value| value.eq_ignore_ascii_case("false"))
            {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    item.remove(filter.field);
                }
            }
        }
        (items, count as u64)
    }

    fn sample(&self, meta: &'static Meta, variant: usize) -> Value {
        let parse = || serde_json::from_str(meta.samples[variant].body).expect("fixtures are JSON");
        self.samples
            .borrow_mut()
            .entry((meta.api, variant))
            .or_insert_with(parse)
            .clone()
    }

    /// The task of this number, 0 being the newest, after so many polls.
    fn item(
        &self,
        meta: &'static Meta,
        variant: usize,
        site: u64,
        number: u64,
        poll: u64,
    ) -> Value {
        let seed_of_site = self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ site;
        let sample = self.sample(meta, variant);
        let mut item = match meta.items {
            Items::List { key, .. } => sample[key][0].clone(),
            Items::Document => sample,
        };
        let name = meta.api.bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(131).wrapping_add(byte.into())
        });
        let seed = seed_of_site
            ^ name.rotate_left(17)
            ^ (variant as u64) << 56
            ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rng = Rng::with_seed(mixed(seed));
        cast::fill(&mut item, "", &mut rng);
        if let (Items::List { .. }, Some(id)) = (meta.items, item[meta.id].as_str()) {
            // Distinct for every number: multiplying by an odd constant is a permutation of the 32-bit numbers.
            let distinct = (number as u32)
                .wrapping_add(0x51_7cc1)
                .wrapping_mul(0x9e37_79b1)
                ^ seed_of_site as u32;
            let kept = id.len().saturating_sub(8);
            item[meta.id] = format!("{}{distinct:08x}", &id[..kept]).into();
        }
        if let Some((param, value)) = meta.samples[variant].when
            && let Some(filter) = meta.filters.iter().find(|filter| filter.param == param)
        {
            item[filter.field] = value.into();
        }
        let life = Life::new(
            &mut rng,
            number,
            (self.tasks / OPEN_SHARE).max(2),
            meta.lifecycle.ends.len(),
            meta.lifecycle.pending.is_some(),
        );
        life.lay_over(&mut item, &meta.lifecycle, self.began, poll);
        item
    }
}

/// Spreads neighbouring seeds over all numbers (the finaliser of SplitMix64).
fn mixed(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    fn asked(params: &[(&str, &str)], offset: u64, size: u64) -> Asked {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in params {
            all.entry((*name).into()).or_default().push((*value).into());
        }
        Asked {
            params: all,
            offset,
            size,
            request_id: "R".into(),
            site: 0,
            descending: true,
        }
    }

    fn world(tasks: u64) -> World {
        World::new(
            7,
            tasks,
            DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        )
    }

    fn agentless() -> &'static Meta {
        provider::operation("ListAgentlessTask").unwrap().meta
    }

    #[test]
    fn the_same_seed_and_the_same_questions_give_the_same_answers() {
        let (one, other) = (world(50), world(50));
        for _ in 0..3 {
            let ask = asked(&[], 0, 50);
            assert_eq!(
                one.answer(agentless(), &ask),
                other.answer(agentless(), &ask)
            );
        }
    }

    #[test]
    fn ids_are_distinct_and_every_open_task_ends() {
        let world = world(500);
        let mut last = Value::Null;
        for _ in 0..12 {
            last = world.answer(agentless(), &asked(&[], 0, 500));
        }
        let items = last["List"].as_array().unwrap();
        let ids: std::collections::HashSet<_> = items
            .iter()
            .map(|item| item["TaskId"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), 500);
        assert!(
            items.iter().all(|item| item["Status"] != 1
                && item["EndTime"].as_i64() >= item["StartTime"].as_i64())
        );
        let first = self::world(500).answer(agentless(), &asked(&[("Status", "1")], 0, 500));
        assert_eq!(first["PageInfo"]["TotalCount"], 500 / OPEN_SHARE);
    }

    #[test]
    fn filters_narrow_and_pages_cut() {
        let world = world(100);
        let all = world.answer(agentless(), &asked(&[("Status", "2")], 0, 100));
        let total = all["PageInfo"]["TotalCount"].as_u64().unwrap();
        assert!((1..100).contains(&total));
        let page = world.answer(agentless(), &asked(&[("Status", "2")], 10, 5));
        assert_eq!(
            page["List"].as_array().unwrap()[..],
            all["List"].as_array().unwrap()[10..15]
        );
    }

    #[test]
    fn masks_of_the_documentation_are_filled() {
        let text = world(5).answer(agentless(), &asked(&[], 0, 5)).to_string();
        assert!(!text.contains("**") && !text.contains("XX"), "{text}");
    }
}
