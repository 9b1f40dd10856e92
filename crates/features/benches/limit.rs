//! One check of a rate limit: `cargo bench -p gannet-features --bench limit`.
//!
//! An iteration checks a thousand keys, and `thrpt` counts checks. The keys are few and in the processor's cache, or a million in a table of the usual
//! size, which is then full of those who came before, and in one in which all have room; and a million of which each is
//! refused.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gannet_features::rate_limit::{Key, RateLimit, limit};

const CHECKS: u32 = 1000;

/// Checks a thousand keys at a time, of so many that come round and round, `requests` times each before.
fn check(criterion: &mut Criterion, name: &str, limit: &RateLimit, keys: u32, before: usize) {
    let key = |number: u32| Key::from(IpAddr::V4(Ipv4Addr::from_bits(number.wrapping_mul(0x9e37_79b1))));
    let now = Duration::from_secs(1000);
    for _ in 0..before {
        (0..keys).for_each(|number| _ = black_box(limit.check(&key(number), now)));
    }
    let mut next = 0;
    let mut group = criterion.benchmark_group("check");
    group.throughput(Throughput::Elements(u64::from(CHECKS)));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for _ in 0..CHECKS {
                next = if next + 1 == keys { 0 } else { next + 1 };
                black_box(limit.check(black_box(&key(next)), black_box(now)));
            }
        });
    });
    group.finish();
}

fn checks(criterion: &mut Criterion) {
    check(criterion, "100_addresses", &limit("1000000/s"), 100, 1);
    check(criterion, "a_million_addresses_in_512_kib", &limit("100/s"), 1_000_000, 1);
    check(criterion, "a_million_addresses_in_8_mib", &limit("100/s").keys(1 << 20), 1_000_000, 1);
    check(criterion, "a_million_addresses_refused", &limit("1/m").keys(1 << 20), 1_000_000, 2);
}

criterion_group!(limits, checks);
criterion_main!(limits);
