//! What was delivered already, in nine bytes an item.
//!
//! A hash table would need twice that, and three times for the moment in which it doubles. A sorted list takes no more
//! than its numbers, but can't be added to one by one: so what is new is gathered, and sorted in when it is much.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// So many hashes are gathered at least.
const LEAST: usize = 1024;

/// What is gathered is at most so small a part of what is sorted. The smaller, the less room it takes, and the more often
/// all hashes are moved.
const PART: usize = 64;

/// Every so many of the sorted hashes stand in a list of their own, which stays in the processor's cache: searching a list
/// of millions by halves would wait for memory ten times.
const STRIDE: usize = 64;

/// A set of ids, as 8-byte hashes. A keyed hash, so that no server can make two ids collide at will.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    sorted: Vec<u64>,
    /// The first of every [`STRIDE`] sorted hashes.
    firsts: Vec<u64>,
    /// What came since.
    gathered: HashTable<u64>,
}

impl Seen {
    /// Takes note of an id. Gives whether it was not known.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        self.insert(self.hasher.hash_one(id))
    }

    fn insert(&mut self, hash: u64) -> bool {
        if self.is_sorted_in(hash) {
            return false;
        }
        match self
            .gathered
            .entry(hash, |other| *other == hash, |other| *other)
        {
            Entry::Occupied(_) => return false,
            Entry::Vacant(place) => place.insert(hash),
        };
        if self.gathered.len() >= LEAST.max(self.sorted.len() / PART) {
            self.sort_in();
        }
        true
    }

    fn is_sorted_in(&self, hash: u64) -> bool {
        let after = self.firsts.partition_point(|first| *first <= hash);
        let end = self.sorted.len().min(after * STRIDE);
        let near = &self.sorted[after.saturating_sub(1) * STRIDE..end];
        near.binary_search(&hash).is_ok()
    }

    /// Merges from the end, so that no second list is needed.
    fn sort_in(&mut self) {
        let mut gathered: Vec<_> = self.gathered.drain().collect();
        gathered.sort_unstable();
        let mut rest = self.sorted.len();
        // Just the room that is needed: vectors would take as much again.
        self.sorted.reserve_exact(gathered.len());
        self.sorted.extend(&gathered);
        while let Some(largest) = gathered.pop() {
            // What is larger moves up by as many places as there are hashes yet to come. It is not far: only every so many
            // hashes one is sorted in.
            let mut span = 1;
            while span < rest && self.sorted[rest - span] > largest {
                span *= 2;
            }
            let low = rest.saturating_sub(span);
            let kept = low + self.sorted[low..rest].partition_point(|hash| *hash < largest);
            let place = kept + gathered.len();
            self.sorted.copy_within(kept..rest, place + 1);
            self.sorted[place] = largest;
            rest = kept;
        }
        self.firsts.clear();
        self.firsts.extend(self.sorted.iter().step_by(STRIDE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn an_id_is_new_once() {
        let mut seen = Seen::default();
        assert!(["a", "b", ""].into_iter().all(|id| seen.is_new(id)));
        assert!(!["", "a", "b"].into_iter().any(|id| seen.is_new(id)));
    }

    proptest::proptest! {
        #[test]
        fn any_hashes_are_told_apart_before_and_after_they_are_sorted_in(
            mut hashes in proptest::collection::vec(proptest::num::u64::ANY, 0..4000), shared in 0_u32..64,
        ) {
            // Hashes that share their topmost bits come twice and lie side by side.
            hashes.iter_mut().for_each(|hash| *hash >>= shared);
            hashes.extend([0, u64::MAX]);
            let (mut seen, mut known) = (Seen::default(), HashSet::new());
            for hash in hashes.iter().chain(&hashes) {
                proptest::prop_assert_eq!(seen.insert(*hash), known.insert(*hash));
            }
            proptest::prop_assert!(seen.sorted.is_sorted_by(|one, next| one < next));
            proptest::prop_assert!(known.len() < LEAST || !seen.sorted.is_empty());
        }
    }

    #[test]
    fn a_hundred_thousand_ids_take_little_more_than_their_hashes() {
        let mut seen = Seen::default();
        for id in 0..100_000 {
            assert!(seen.is_new(&id.to_string()));
        }
        let hashes = seen.sorted.capacity() + seen.firsts.capacity() + 2 * seen.gathered.capacity();
        assert!(hashes <= 125_000, "{hashes}");
    }
}
