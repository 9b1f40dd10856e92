//! A model of the table of rate limits, which all workers share: every order in which the steps of two threads may come, and every value that a
//! load may see, is gone through (loom). The sources are those of the filter; only the atomic words below them are loom's.

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../src/rate_limit/gcra.rs"]
mod gcra;
#[path = "../src/rate_limit/rate.rs"]
mod rate;
#[path = "../src/rate_limit/table.rs"]
#[expect(dead_code, reason = "the model needs less of it than the filter")]
mod table;

use gcra::Gcra;
use loom::sync::Arc;
use loom::thread;
use rate::Rate;
use table::Table;

/// Ticks of the day, for a sweep.
const LONG: u64 = 1 << 28;

/// Goes through all orders in which at most three times a thread is interrupted that could go on: what goes wrong does so with fewer
/// (Musuvathi and Qadeer, PLDI 2007).
fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

/// How many requests are served, of which each thread makes one at its moment, after one that was made before.
fn served(rate: &'static str, before: Option<u64>, moments: [u64; 2]) -> usize {
    let gcra = Gcra::new(rate.parse().expect("a rate"));
    let table = Arc::new(Table::new(1));
    let first = before.is_some_and(|now| table.check(1u64, now, &gcra).admitted);
    let threads = moments.map(|now| {
        let table = table.clone();
        thread::spawn(move || table.check(1u64, now, &gcra).admitted)
    });
    let others = threads.map(|thread| thread.join().expect("no panic"));
    [first, others[0], others[1]].into_iter().filter(|admitted| *admitted).count()
}

#[test]
fn two_workers_serve_a_key_no_more_than_its_burst() {
    model(|| assert_eq!(served("1/m", None, [7, 7]), 1));
    model(|| assert_eq!(served("2/m", Some(7), [7, 7]), 2));
    model(|| assert_eq!(served("3/m", Some(7), [7, 7]), 3));
}

#[test]
fn a_sweep_beside_a_request_takes_nothing_away_that_counts() {
    model(|| assert_eq!(served("2/m", Some(LONG - 7), [LONG + 7, LONG - 1]), 2));
    model(|| assert_eq!(served("1/m", Some(7), [LONG + 7, LONG + 8]), 2));
}
