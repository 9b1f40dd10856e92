//! HTTP/1.1, step by step: `cargo bench -p gannet-proto`.
//!
//! The scanner at every level this CPU has, beside the naive search that is its oracle; the parser beside `httparse`, which does
//! less: it understands no field, and reads no framing; the encoder of heads and of chunks. `thrpt` counts bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gannet_proto::h1::{Connection, Event, ResponseToSend};
use gannet_proto::scan::{Level, naive};
use gannet_proto::{Head, Limits, Status};

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";
const SMALL: &str = "GET /plaintext HTTP/1.1\r\nHost: example.org\r\n\r\n";
/// As browsers ask.
const BROWSER: &str = concat!(
    "GET /articles/2026/how-a-web-server-works?page=2 HTTP/1.1\r\n",
    "Host: www.example.org\r\n",
    "Connection: keep-alive\r\n",
    "Cache-Control: max-age=0\r\n",
    "Upgrade-Insecure-Requests: 1\r\n",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36\r\n",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n",
    "Sec-Fetch-Site: none\r\n",
    "Sec-Fetch-Mode: navigate\r\n",
    "Accept-Encoding: gzip, deflate, br, zstd\r\n",
    "Accept-Language: en-GB,en;q=0.9\r\n",
    "Cookie: session=0123456789abcdef; theme=dark; seen=1794960000\r\n",
    "\r\n",
);
const REQUESTS: [(&str, &str); 2] = [("small", SMALL), ("browser", BROWSER)];
/// Lengths of what is scanned: a field's name, a value, a long cookie.
const LENGTHS: [usize; 3] = [12, 100, 1000];
const PIECE_BYTES: usize = 4096;
const PIECES: usize = 16;

type Search = fn(Level, &[u8]) -> usize;
type NaiveSearch = fn(&[u8], usize) -> usize;

fn scanner(criterion: &mut Criterion) {
    let searches: [(&str, Search, NaiveSearch); 3] = [
        ("token", |level, bytes| level.token_end(bytes, 0), naive::token_end),
        ("value", |level, bytes| level.value_end(bytes, 0), naive::value_end),
        ("target", |level, bytes| level.target_end(bytes, 0), naive::target_end),
    ];
    for (kind, search, oracle) in searches {
        let mut group = criterion.benchmark_group(format!("scan {kind}"));
        for length in LENGTHS {
            // A run of letters, and what ends each of the three kinds.
            let bytes = ["a".repeat(length).as_bytes(), b"\r\n"].concat();
            group.throughput(Throughput::Bytes(length as u64));
            for level in Level::available() {
                group.bench_function(format!("{} {length}", level.name()), |bencher| {
                    bencher.iter(|| assert_eq!(search(level, black_box(&bytes)), length));
                });
            }
            group.bench_function(format!("naive {length}"), |bencher| {
                bencher.iter(|| assert_eq!(oracle(black_box(&bytes), 0), length));
            });
        }
        group.finish();
    }
}

fn parser(criterion: &mut Criterion) {
    for (name, request) in REQUESTS {
        let mut group = criterion.benchmark_group(format!("parse {name}, {} bytes", request.len()));
        group.throughput(Throughput::Bytes(request.len() as u64));
        for level in Level::available() {
            group.bench_function(format!("gannet {}", level.name()), |bencher| {
                let mut head = Head::default();
                bencher.iter(|| {
                    let mut connection = Connection::new(Limits::default()).with_level(level);
                    head.clear();
                    let event = connection.handle(black_box(request.as_bytes()), &mut head);
                    assert!(matches!(event, Ok(Event::Head { .. })));
                    black_box(&head);
                });
            });
        }
        group.bench_function("httparse", |bencher| {
            bencher.iter(|| {
                let mut room = [httparse::EMPTY_HEADER; 32];
                let mut parsed = httparse::Request::new(&mut room);
                let status = parsed.parse(black_box(request.as_bytes()));
                assert!(status.is_ok_and(|status| status.is_complete()));
                black_box(&parsed);
            });
        });
        group.finish();
    }
}

/// A connection whose request has come; what is measured is what answers it, and this beside it.
fn asked() -> Connection {
    let mut connection = Connection::new(Limits::default());
    let event = connection.handle(SMALL.as_bytes(), &mut Head::default());
    assert!(matches!(event, Ok(Event::Head { .. })));
    connection
}

fn encoder(criterion: &mut Criterion) {
    let fields = b"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-cache\r\n";
    let head = |length| ResponseToSend { status: Status::OK, fields, length, date: Some(DATE) };
    let mut group = criterion.benchmark_group("encode");
    let mut out = Vec::with_capacity(2 * PIECES * PIECE_BYTES);
    group.bench_function("head", |bencher| {
        bencher.iter_batched_ref(
            asked,
            |connection| {
                out.clear();
                black_box(connection.respond(black_box(head(Some(13))), &mut out));
            },
            criterion::BatchSize::SmallInput,
        );
    });
    let piece = [b'p'; PIECE_BYTES];
    group.throughput(Throughput::Bytes((PIECES * PIECE_BYTES) as u64));
    group.bench_function(format!("{PIECES} chunks of {PIECE_BYTES} bytes"), |bencher| {
        bencher.iter_batched_ref(
            asked,
            |connection| {
                out.clear();
                connection.respond(black_box(head(None)), &mut out);
                for _ in 0..PIECES {
                    connection.push(PIECE_BYTES, &mut out).expect("chunks may follow");
                    out.extend_from_slice(black_box(&piece));
                    connection.pushed(&mut out);
                }
                connection.finish(b"", &mut out).expect("a chunked body may end");
                black_box(&out);
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(http1, scanner, parser, encoder);
criterion_main!(http1);
