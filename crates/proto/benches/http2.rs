//! HTTP/2, step by step: `cargo bench -p gannet-proto --bench http2`.
//!
//! Whole exchanges at a server, from received bytes to bytes to be sent, thirty-two a turn: a request whose fields are all in the tables, which is
//! recognised; the same where each asks for another path, so that each is decoded and read; one with content. And content in frames of 16 KiB that is read.
//! `thrpt` counts exchanges, or bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gannet_proto::h2::{Blocks, Event, Limits, PREFACE, ResponseToSend, Server};
use gannet_proto::scan::Level;
use gannet_proto::{Head, Status};

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";
/// Requests that come in one turn.
const REQUESTS: u32 = 32;
const FRAME_BYTES: usize = 16_384;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// A server, and the bytes that a client sends it.
struct Pair {
    server: Server,
    head: Head,
    blocks: Blocks,
    input: Vec<u8>,
    out: Vec<u8>,
    next: u32,
}

impl Pair {
    fn new() -> Pair {
        let (server, blocks) =
            (Server::new(Limits::default(), 7).with_level(Level::detect()), Blocks::new(7));
        let (head, input, out) = (Head::default(), PREFACE.to_vec(), Vec::new());
        let mut pair = Pair { server, head, blocks, input, out, next: 1 };
        pair.server.start(&mut pair.out);
        frame(SETTINGS, 0, 0, &[], &mut pair.input);
        frame(SETTINGS, ACK, 0, &[], &mut pair.input);
        // As h2load asks: what is not in the static table becomes two entries.
        let first = b"\x41\x0e127.0.0.1:8080\x82\x84\x86\x7a\x15h2load nghttp2/1.64.0";
        frame(HEADERS, END_HEADERS | END_STREAM, 1, first, &mut pair.input);
        pair.next = 3;
        pair.serve();
        pair
    }

    /// Requests with this block, each of which is followed by so much content.
    fn ask(&mut self, block: impl Fn(u32) -> Vec<u8>, content: &[u8]) {
        self.input.clear();
        for _ in 0..REQUESTS {
            let end = if content.is_empty() { END_STREAM } else { 0 };
            frame(HEADERS, END_HEADERS | end, self.next, &block(self.next), &mut self.input);
            if !content.is_empty() {
                frame(DATA, END_STREAM, self.next, content, &mut self.input);
            }
            self.next += 2;
        }
        let taken = (13 * REQUESTS).to_be_bytes();
        frame(WINDOW_UPDATE, 0, 0, &taken, &mut self.input);
    }

    /// Reads what has come, and answers each request once it is there.
    fn serve(&mut self) {
        self.out.clear();
        let mut at = 0;
        loop {
            let event =
                self.server.handle(&self.input[at..], &mut self.head, &mut self.out).expect("in order");
            at += match event {
                Event::Need { .. } => break,
                Event::Head { stream, ended, consumed } => {
                    if ended {
                        self.answer(stream);
                    }
                    consumed
                }
                Event::Data { stream, start, end, ended, consumed } => {
                    self.server.consumed(stream, end - start);
                    if ended {
                        self.answer(stream);
                    }
                    consumed
                }
                Event::Window { consumed, .. } => consumed,
                other => panic!("{other:?}"),
            };
        }
        self.server.update_windows(&mut self.out);
        black_box(&self.out);
    }

    fn answer(&mut self, stream: gannet_proto::h2::StreamKey) {
        let fields = b"Content-Type: text/plain\r\nServer: gannet\r\n";
        let head = ResponseToSend { status: Status::OK, fields, length: Some(13), date: Some(DATE) };
        let content = b"Hello, world!";
        let sent = self.server.respond_whole(stream, head, content, &mut self.blocks, &mut self.out);
        assert!(sent, "the windows allow it");
        self.server.release(stream);
    }
}

/// All of its fields are in the tables.
fn repeated(_: u32) -> Vec<u8> {
    b"\x84\x86\xbf\x82\xbe".to_vec()
}

/// A path of its own, which becomes no entry.
fn varied(stream: u32) -> Vec<u8> {
    [b"\x04\x11/page/", format!("{stream:011}").as_bytes(), b"\x86\xbf\x82\xbe"].concat()
}

fn exchanges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http2/exchange");
    group.throughput(Throughput::Elements(u64::from(REQUESTS)));
    let mut bench = |name: &str, block: fn(u32) -> Vec<u8>, content: &[u8]| {
        let mut pair = Pair::new();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|rounds| {
                let mut elapsed = core::time::Duration::ZERO;
                for _ in 0..rounds {
                    // Identifiers run out.
                    if pair.next > 0x7fff_0000 {
                        pair = Pair::new();
                    }
                    pair.ask(block, content);
                    let start = std::time::Instant::now();
                    pair.serve();
                    elapsed += start.elapsed();
                }
                elapsed
            });
        });
    };
    bench("recognised", repeated, b"");
    bench("read", varied, b"");
    bench("content", repeated, b"some content");
    group.finish();
}

fn content(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http2/content");
    group.throughput(Throughput::Bytes(4 * FRAME_BYTES as u64));
    let mut pair = Pair::new();
    pair.input.clear();
    frame(HEADERS, END_HEADERS, pair.next, &repeated(0), &mut pair.input);
    pair.serve();
    pair.input.clear();
    for _ in 0..4 {
        frame(DATA, 0, pair.next, &[0; FRAME_BYTES], &mut pair.input);
    }
    group.bench_function("received", |bencher| bencher.iter(|| pair.serve()));
    group.finish();
}

criterion_group!(http2, exchanges, content);
criterion_main!(http2);
