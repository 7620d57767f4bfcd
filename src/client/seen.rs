//! What was delivered already, in little more than eight bytes an item.
//!
//! A hash table would need more than twice that, and three times for the moment in which it doubles.

use std::hash::{BuildHasher, RandomState};

/// Hashes a shard may have on average before there are twice as many shards: few enough that making room for one among
/// them is quick.
const SHARD: usize = 512;

/// A set of ids, as 8-byte hashes. A keyed hash, so that no server can make two ids collide at will.
pub(super) struct Seen {
    hasher: RandomState,
    /// Sorted lists, each for one value of the hashes' topmost bits: together they are one sorted list.
    shards: Vec<Vec<u64>>,
    /// How many bits choose the shard.
    bits: u32,
    count: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Seen {
            hasher: RandomState::new(),
            shards: vec![Vec::new()],
            bits: 0,
            count: 0,
        }
    }
}

impl Seen {
    /// Takes note of an id. Gives whether it was not known.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        self.insert(self.hasher.hash_one(id))
    }

    fn insert(&mut self, hash: u64) -> bool {
        let shard = hash.checked_shr(u64::BITS - self.bits).unwrap_or(0);
        let shard = &mut self.shards[shard as usize];
        let Err(place) = shard.binary_search(&hash) else {
            return false;
        };
        if shard.len() == shard.capacity() {
            // An eighth of spare room, not as much again as vectors take by themselves.
            shard.reserve_exact(shard.len() / 8 + 8);
        }
        shard.insert(place, hash);
        self.count += 1;
        if self.count > SHARD * self.shards.len() {
            self.split();
        }
        true
    }

    /// Each shard becomes two, by the next bit.
    fn split(&mut self) {
        self.bits += 1;
        let next = 1 << (u64::BITS - self.bits);
        let halves = self.shards.drain(..).flat_map(|mut low| {
            let high = low.split_off(low.partition_point(|hash| hash & next == 0));
            low.shrink_to_fit();
            [low, high]
        });
        self.shards = halves.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let mut seen = Seen::default();
        assert!(["a", "b", ""].into_iter().all(|id| seen.is_new(id)));
        assert!(!["", "a", "b"].into_iter().any(|id| seen.is_new(id)));
    }

    proptest::proptest! {
        #[test]
        fn any_hashes_are_told_apart_through_every_split(
            mut hashes in proptest::collection::vec(proptest::num::u64::ANY, 0..4000), shared in 0_u32..64,
        ) {
            // Hashes that share their topmost bits crowd into one shard.
            hashes.iter_mut().for_each(|hash| *hash >>= shared);
            let (mut seen, mut known) = (Seen::default(), std::collections::HashSet::new());
            for hash in hashes.iter().chain(&hashes) {
                proptest::prop_assert_eq!(seen.insert(*hash), known.insert(*hash));
            }
            proptest::prop_assert!(seen.shards.concat().is_sorted());
        }
    }

    #[test]
    fn a_hundred_thousand_ids_take_a_tenth_more_than_their_hashes() {
        let mut seen = Seen::default();
        for id in 0..100_000 {
            assert!(seen.is_new(&id.to_string()));
        }
        let room: usize = seen.shards.iter().map(Vec::capacity).sum();
        assert!(room <= 110_000, "{room}");
        assert!(seen.shards.len() >= 128, "{}", seen.shards.len());
    }
}
