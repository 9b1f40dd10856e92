//! Look-ups in the 130 patterns of GitHub's API, beside `matchit`: `cargo bench -p gannet-router`.
//!
//! An iteration looks all 130 paths up, once each; `thrpt` counts look-ups. Both are asked for the value and, in the second group, for
//! each parameter's text too: `matchit` collects the parameters while it looks up, Gannet finds them when they are asked for. The last group is
//! Gannet alone, with ten to ten thousand patterns.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gannet_router::{Builder, Router};

#[path = "../tests/common/github.rs"]
mod github;

fn ours(patterns: &[&str]) -> Router<bool> {
    let mut builder = Builder::new();
    patterns.iter().for_each(|pattern| builder.insert(pattern, true));
    builder.build().expect("no conflicts")
}

fn theirs(patterns: &[&str]) -> matchit::Router<bool> {
    let mut router = matchit::Router::new();
    patterns.iter().for_each(|pattern| router.insert(*pattern, true).expect("no conflicts"));
    router
}

fn look_up(criterion: &mut Criterion, name: &str, paths: &[String]) {
    let (gannet, matchit) = (ours(&github::PATTERNS), theirs(&github::PATTERNS));
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(paths.len() as u64));
    group.bench_function("gannet", |bencher| {
        bencher.iter(|| {
            for path in black_box(paths) {
                assert!(*black_box(gannet.matches(path).next()).expect("a match").route.value());
            }
        });
    });
    group.bench_function("matchit", |bencher| {
        bencher.iter(|| {
            for path in black_box(paths) {
                assert!(*black_box(matchit.at(path)).expect("a match").value);
            }
        });
    });
    group.finish();
}

fn read_parameters(criterion: &mut Criterion) {
    let (gannet, matchit) = (ours(&github::PATTERNS), theirs(&github::PATTERNS));
    let paths = github::paths();
    let mut group = criterion.benchmark_group("look up and read each parameter");
    group.throughput(Throughput::Elements(paths.len() as u64));
    group.bench_function("gannet", |bencher| {
        bencher.iter(|| {
            for path in black_box(&paths) {
                let found = gannet.matches(path).next().expect("a match");
                for parameter in found.route.parameters() {
                    black_box((parameter.name(), &path[parameter.span(path)]));
                }
            }
        });
    });
    group.bench_function("matchit", |bencher| {
        bencher.iter(|| {
            for path in black_box(&paths) {
                for (name, value) in matchit.at(path).expect("a match").params.iter() {
                    black_box((name, value));
                }
            }
        });
    });
    group.finish();
}

/// How a look-up grows with the number of patterns: half of them exact, half with a parameter.
fn grow(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one path of each of so many patterns");
    for count in [10, 100, 1_000, 10_000] {
        let patterns: Vec<String> = (0..count / 2)
            .flat_map(|number| [format!("/things/{number}/list"), format!("/owners/{number}/{{id}}/things")])
            .collect();
        let router = ours(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
        // Whatever there is of them, 100 paths are looked up, so that the paths themselves stay in the cache.
        let paths: Vec<String> = (0..100)
            .map(|number| patterns[number * 7919 % patterns.len()].replace("{id}", "a1b2c3"))
            .collect();
        group.throughput(Throughput::Elements(paths.len() as u64));
        group.bench_function(count.to_string(), |bencher| {
            bencher.iter(|| {
                for path in black_box(&paths) {
                    assert!(*black_box(router.matches(path).next()).expect("a match").route.value());
                }
            });
        });
    }
    group.finish();
}

fn benches(criterion: &mut Criterion) {
    let (dynamic, exact): (Vec<_>, Vec<_>) =
        github::PATTERNS.iter().zip(github::paths()).partition(|(pattern, _)| pattern.contains('{'));
    let paths = |chosen: Vec<(&&str, String)>| chosen.into_iter().map(|(_, path)| path).collect::<Vec<_>>();
    look_up(criterion, "130 paths", &github::paths());
    look_up(criterion, "27 exact paths of them", &paths(exact));
    look_up(criterion, "103 paths of them with parameters", &paths(dynamic));
    read_parameters(criterion);
    grow(criterion);
}

criterion_group!(lookup, benches);
criterion_main!(lookup);
