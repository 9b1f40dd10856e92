//! The table: what it remembers, what it forgets, what it takes.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::Rate;
use super::gcra::Gcra;
use super::table::Table;

fn gcra(rate: &str) -> Gcra {
    Gcra::new(rate.parse().expect("a rate"))
}

/// How many of so many requests by `key`, all at once, are served.
fn served(table: &Table, gcra: &Gcra, key: u64, now: u64, requests: usize) -> usize {
    (0..requests).filter(|_| table.check(key, now, gcra).admitted).count()
}

#[test]
fn each_key_has_an_allowance_of_its_own() {
    let (table, gcra) = (Table::new(4096), gcra("5/m"));
    for key in 0..100 {
        assert_eq!(served(&table, &gcra, key, 7, 6), 5);
    }
    assert_eq!((0..100u64).filter(|key| table.check(*key, 7, &gcra).admitted).count(), 0);
}

#[test]
fn a_million_keys_take_the_memory_that_was_there_before_and_none_is_refused() {
    let (table, gcra) = (Table::new(65_536), gcra("5/m"));
    assert_eq!(table.bytes(), 65_536 * 8);
    for key in 0..1_000_000u64 {
        assert!(table.check(key, key / 100, &gcra).admitted, "{key} asks for the first time");
    }
    assert_eq!(table.bytes(), 65_536 * 8);
}

#[test]
fn who_asks_for_too_much_is_not_forgotten_for_those_who_come_once() {
    let (table, gcra) = (Table::new(8), gcra("5/m"));
    assert_eq!(served(&table, &gcra, 0, 7, 10), 5);
    for key in 1..10_000 {
        assert!(table.check(key, 7, &gcra).admitted);
        assert!(!table.check(0u64, 7, &gcra).admitted, "after {key} others");
    }
}

#[test]
fn of_a_full_set_the_key_is_forgotten_that_is_nearest_to_its_whole_allowance() {
    let (table, gcra) = (Table::new(8), gcra("9/m"));
    for key in 0..8 {
        served(&table, &gcra, key, 7, 1 + key as usize);
    }
    assert!(table.check(8u64, 7, &gcra).admitted);
    // Those of two requests and more have what is left, and the first has all of it anew, in the place of the one that came last.
    assert_eq!(served(&table, &gcra, 7, 7, 10), 1);
    assert_eq!(served(&table, &gcra, 1, 7, 10), 7);
    assert_eq!(served(&table, &gcra, 0, 7, 10), 9);
}

#[test]
fn a_key_that_was_whole_again_gives_its_place_to_others_and_loses_nothing() {
    let (table, gcra) = (Table::new(8), gcra("5/m"));
    (0..8).for_each(|key| assert_eq!(served(&table, &gcra, key, 7, 5), 5));
    let whole = 7 + 5 * 4096;
    (8..16).for_each(|key| assert_eq!(served(&table, &gcra, key, whole, 6), 5));
    (8..16).for_each(|key| assert_eq!(served(&table, &gcra, key, whole, 6), 0));
}

#[test]
fn nobody_is_refused_for_what_is_long_past_however_long_nobody_asked() {
    for bits in 0..60 {
        for pause in [1u64 << bits, (1 << bits) - 1, 3 << bits] {
            let (table, gcra) = (Table::new(8), gcra("5/m"));
            served(&table, &gcra, 1, 7, 10);
            let now = 7 + pause;
            let left = if pause > 5 * 4096 { 5 } else { pause / 4096 };
            assert_eq!(served(&table, &gcra, 1, now, 10), left as usize, "{pause} ticks later");
        }
    }
}

#[test]
fn nobody_is_refused_for_what_is_long_past_while_others_ask_all_the_time() {
    let (table, gcra) = (Table::new(4096), gcra("5/m"));
    (0..512).for_each(|key| assert_eq!(served(&table, &gcra, key, 7, 10), 5));
    // One key asks, and passes by all others' sets but its own, until the bits of a moment begin anew.
    let again = 1u64 << 40;
    for step in 1..=4096 {
        assert!(table.check(1000u64, step * (again / 4096), &gcra).admitted);
    }
    (0..512).for_each(|key| assert_eq!(served(&table, &gcra, key, again + 7, 10), 5, "{key}"));
}

#[test]
fn workers_that_share_it_serve_no_more_than_the_burst_together() {
    let (table, gcra) = (Table::new(4096), gcra("1000/d"));
    let all: usize = std::thread::scope(|scope| {
        let worker = || (0..64).map(|key| served(&table, &gcra, key, 7, 600)).sum::<usize>();
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
    });
    // A key that two bring in at the same moment may count twice, once.
    assert!((64_000..=64_000 + 64 * 4).contains(&all), "{all}");
}

proptest! {
    /// With room for all, each key is judged as if it were alone.
    #[test]
    fn keys_are_judged_one_by_one(
        requests in prop::collection::vec((0u64..20, 0u64..10_000), 1..300),
        burst in 1u32..6,
    ) {
        let rate = Rate::new(10, 1).and_then(|rate| rate.with_burst(burst)).expect("a rate");
        let (table, gcra) = (Table::new(65_536), Gcra::new(rate));
        let (mut alone, mut now) = (HashMap::new(), gcra.ticks(Duration::from_secs(1)));
        for (key, pause) in requests {
            now += pause;
            let moment = alone.entry(key).or_insert(0u64);
            let verdict = gcra.judge(moment.saturating_sub(now));
            *moment = now + verdict.ahead;
            prop_assert_eq!(table.check(key, now, &gcra), verdict);
        }
    }
}
