//! WebSocket, step by step: `cargo bench -p gannet-proto --bench websocket`.
//!
//! Masking and UTF-8 at every level this CPU has, beside the naive loop and the standard library; messages that are received whole, tungstenite beside it.
//! `thrpt` counts bytes.

use std::hint::black_box;
use std::io::{self, Read, Write};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gannet_proto::scan::{Level, naive};
use gannet_proto::ws::{Event, Kind, Limits, Receiver, Role, write_message};
use tungstenite::protocol::{Role as TheirRole, WebSocket};

/// A short message, one of some kilobytes, and as much as a first-level cache holds of what is read and what is written.
const LENGTHS: [usize; 3] = [32, 1024, 16_384];
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn masking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mask");
    for length in LENGTHS {
        let (bytes, mut out) = (vec![b'a'; length], Vec::with_capacity(length));
        group.throughput(Throughput::Bytes(length as u64));
        for level in Level::available() {
            group.bench_function(format!("append {} {length}", level.name()), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    level.append_masked(black_box(&bytes), black_box(MASK), &mut out);
                    black_box(&out);
                });
            });
            let mut place = bytes.clone();
            group.bench_function(format!("in place {} {length}", level.name()), |bencher| {
                bencher.iter(|| level.mask(black_box(&mut place), black_box(MASK)));
            });
        }
        let mut place = bytes.clone();
        group.bench_function(format!("in place naive {length}"), |bencher| {
            bencher.iter(|| naive::mask(black_box(&mut place), black_box(MASK)));
        });
    }
    group.finish();
}

fn utf8(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("utf8");
    for (kind, text) in
        [("ascii", "a plain line\n"), ("german", "grüß Gott, schöne Welt\n"), ("japanese", "こんにちは世界")]
    {
        for length in LENGTHS {
            let text = text.repeat(length / text.len() + 1);
            let text = &text[..text.floor_char_boundary(length)];
            group.throughput(Throughput::Bytes(text.len() as u64));
            for level in Level::available() {
                group.bench_function(format!("{kind} {} {length}", level.name()), |bencher| {
                    bencher.iter(|| assert!(level.is_utf8(black_box(text.as_bytes()))));
                });
            }
        }
    }
    group.finish();
}

/// What tungstenite reads, as if it all came at once.
struct Wire {
    input: Vec<u8>,
    at: usize,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.input[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn receiving(criterion: &mut Criterion) {
    const MESSAGES: usize = 16;
    let mut group = criterion.benchmark_group("receive 16 messages");
    let limits = Limits::default();
    for kind in [Kind::Text, Kind::Binary] {
        for length in LENGTHS {
            let (payload, mut input) = (vec![b'a'; length], Vec::new());
            (0..MESSAGES).for_each(|_| write_message(kind, &payload, Some(MASK), &mut input));
            group.throughput(Throughput::Bytes(input.len() as u64));
            group.bench_function(format!("{kind:?} tungstenite {length}"), |bencher| {
                let wire = Wire { input: input.clone(), at: 0 };
                let mut socket = WebSocket::from_raw_socket(wire, TheirRole::Server, None);
                bencher.iter(|| {
                    socket.get_mut().at = 0;
                    for _ in 0..MESSAGES {
                        black_box(socket.read().expect("it is a message"));
                    }
                });
            });
            for level in Level::available() {
                group.bench_function(format!("{kind:?} {} {length}", level.name()), |bencher| {
                    let (mut receiver, mut message) = (Receiver::new(Role::Server, level), Vec::new());
                    bencher.iter(|| {
                        let mut input = black_box(&input[..]);
                        for _ in 0..MESSAGES {
                            let event = receiver.poll_event(&mut input, &limits, &mut message, None);
                            assert!(matches!(event, Ok(Some(Event::Text | Event::Binary))));
                            black_box(&message);
                        }
                    });
                });
            }
        }
    }
    group.finish();
}

criterion_group!(websocket, masking, utf8, receiving);
criterion_main!(websocket);
