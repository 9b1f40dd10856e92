//! Compression on the fly: off the worker, once for each content, and kept for all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gannet_core::{Bytes, Counter, Ports, Stamp};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::codec::compress;
use super::representation::Representation;
use crate::coding::Coding;

/// Below this compressing saves no packet.
pub(super) const LEAST_BYTES: u64 = 256;

/// Larger files are sent as they are, unless they have a side file: a client would wait too long for its first byte.
pub(super) const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// What compressed contents may hold in memory, of all files and workers together. Beyond it those that were asked for least
/// are compressed anew when they are asked for again.
const BUDGET_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of files that may be in memory at a time to be compressed, or to wait for it. Beyond it files are sent as they are.
const WAITING_BYTES: u64 = 64 * 1024 * 1024;

/// How many contents that is reckoned to be.
const EXPECTED_CONTENTS: usize = 1024;

/// Which content, in which coding, and of which name: that tells the fields it is sent with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) name: Box<[u8]>,
    pub(super) stamp: Stamp,
    /// The tag of what is compressed: of a small file it tells the content better than the stamp.
    pub(super) etag: Box<str>,
    /// Whether the stamp can be of no other content.
    pub(super) settled: bool,
    pub(super) coding: Coding,
}

/// Compressed contents; none: it did not become smaller.
pub(super) struct Compressed {
    contents: Cache<Key, Option<Arc<Representation>>, ByContent>,
    waiting_bytes: Arc<AtomicU64>,
}

/// Bytes that are in memory to be compressed.
struct Waiting {
    all: Arc<AtomicU64>,
    bytes: u64,
}

impl Waiting {
    /// Counts them in, if there is room.
    fn enter(all: &Arc<AtomicU64>, bytes: u64) -> Option<Waiting> {
        let waiting = Waiting { all: all.clone(), bytes };
        (all.fetch_add(bytes, Ordering::Relaxed) + bytes <= WAITING_BYTES).then_some(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[derive(Clone)]
struct ByContent;

impl Weighter<Key, Option<Arc<Representation>>> for ByContent {
    fn weight(&self, key: &Key, content: &Option<Arc<Representation>>) -> u64 {
        let key = size_of::<Key>() + key.name.len() + key.etag.len();
        (key + content.as_ref().map_or(0, |content| content.held_bytes())) as u64
    }
}

impl Default for Compressed {
    fn default() -> Compressed {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(EXPECTED_CONTENTS)
            .weight_capacity(BUDGET_BYTES)
            // In one piece: a large content that does not fit its share of the budget would be compressed for each request.
            .shards(1)
            .build()
            .expect("both capacities are given");
        let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        let contents = Cache::with_options(options, ByContent, hash, lifecycle);
        Compressed { contents, waiting_bytes: Arc::default() }
    }
}

impl Compressed {
    /// The content that `key` tells, coded; nothing, if that is no smaller, or there is no time for it now. However many ask at
    /// once, it is compressed once. `content` reads it; `describe` makes what is sent of the result.
    pub(super) async fn get(
        &self,
        key: Key,
        ports: &Ports,
        content: impl Future<Output = Option<Bytes>>,
        describe: impl FnOnce(Bytes) -> Representation,
    ) -> Option<Arc<Representation>> {
        let guard = match self.contents.get_value_or_guard_async(&key).await {
            Ok(kept) => return kept,
            Err(guard) => guard,
        };
        let waiting = Waiting::enter(&self.waiting_bytes, key.stamp.length)?;
        let content = content.await?;
        let (length, coding) = (content.len(), key.coding);
        // Nothing is kept of what there was no time for: dropping the guard lets the next one try.
        let job = move || {
            let compressed = compress(coding, &content);
            drop(waiting); // not before: who asked may have left, and the content would still be here
            compressed
        };
        let compressed = ports.cpu.run(job).await.ok()??;
        ports.counters.add(Counter::Compressed, 1);
        let smaller = (compressed.len() < length).then(|| Arc::new(describe(compressed.into())));
        let _ = guard.insert(smaller.clone()); // it was made room for by others meanwhile: then it is not kept
        smaller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_in_memory_to_be_compressed_than_may_be() {
        let all = Arc::new(AtomicU64::new(0));
        let first = Waiting::enter(&all, WAITING_BYTES).expect("there is room");
        assert!(Waiting::enter(&all, 1).is_none());
        drop(first);
        assert!(Waiting::enter(&all, 1).is_some());
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_largest_content_that_is_compressed_can_be_kept_however_many_cores_there_are() {
        let contents = Compressed::default().contents;
        assert_eq!((contents.num_shards(), contents.capacity()), (1, BUDGET_BYTES));
        const { assert!(MOST_BYTES < BUDGET_BYTES / 4) };
    }
}
