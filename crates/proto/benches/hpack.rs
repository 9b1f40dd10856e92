//! HPACK, step by step: `cargo bench -p gannet-proto --bench hpack`.
//!
//! A browser's first request, which is mostly strings, and its second, which is mostly indices; what a response says, encoded anew and from the cache; the Huffman code alone.
//! `loona-hpack` stands beside the decoder; it allocates for each field. `thrpt` counts bytes of text.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gannet_proto::Status;
use gannet_proto::h2::hpack::{
    Blocks, Decoder, Encoder, INITIAL_SIZE, List, huffman, put_date, put_length, put_lines, put_status,
};

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36";
/// As browsers ask.
const BROWSER: [(&str, &str); 16] = [
    (":method", "GET"),
    (":authority", "www.example.org"),
    (":scheme", "https"),
    (":path", "/articles/2026/how-a-web-server-works?page=2"),
    ("cache-control", "max-age=0"),
    ("sec-ch-ua", "\"Chromium\";v=\"146\", \"Not_A Brand\";v=\"24\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("upgrade-insecure-requests", "1"),
    ("user-agent", USER_AGENT),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("sec-fetch-site", "none"),
    ("sec-fetch-mode", "navigate"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("cookie", "session=0123456789abcdef; theme=dark; seen=1794960000"),
];
/// As a load generator asks.
const SMALL: [(&str, &str); 5] = [
    (":method", "GET"),
    (":path", "/"),
    (":scheme", "http"),
    (":authority", "127.0.0.1:8080"),
    ("user-agent", "h2load nghttp2/1.70.0"),
];
/// As a server answers.
const LINES: &[u8] =
    b"Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-cache\r\nServer: gannet\r\n";

/// The blocks of the first request of a connection and of one that repeats it.
fn blocks_of(fields: &[(&str, &str)]) -> [Vec<u8>; 2] {
    let mut encoder = Encoder::new(1);
    [(); 2].map(|()| {
        let mut block = Vec::new();
        encoder.begin(&mut block);
        fields.iter().for_each(|(name, value)| encoder.field(name.as_bytes(), value.as_bytes(), &mut block));
        block
    })
}

fn text_of(fields: &[(&str, &str)]) -> u64 {
    fields.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum()
}

fn decoder(criterion: &mut Criterion) {
    for (name, fields) in [("small", &SMALL[..]), ("browser", &BROWSER[..])] {
        let [first, second] = blocks_of(fields);
        let mut group = criterion.benchmark_group(format!("decode {name}, {} fields", fields.len()));
        group.throughput(Throughput::Bytes(text_of(fields)));
        // The table fills and evicts, as one that has the same block again and again must.
        group.bench_function(format!("first, {} bytes", first.len()), |bencher| {
            let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), List::new(32_768, 128));
            bencher.iter(|| {
                assert_eq!(decoder.decode(black_box(&first), &mut list), Ok(()));
                black_box(&list);
            });
        });
        group.bench_function(format!("second, {} bytes", second.len()), |bencher| {
            let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), List::new(32_768, 128));
            assert_eq!(decoder.decode(&first, &mut list), Ok(()));
            bencher.iter(|| {
                assert_eq!(decoder.decode(black_box(&second), &mut list), Ok(()));
                black_box(&list);
            });
        });
        for (place, block) in [("first", &first), ("second", &second)] {
            group.bench_function(format!("loona-hpack {place}"), |bencher| {
                let mut decoder = loona_hpack::Decoder::new();
                assert!(decoder.decode(&first).is_ok());
                bencher.iter(|| black_box(decoder.decode(black_box(block))).is_ok());
            });
        }
        group.finish();
    }
}

fn encoder(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let mut out = Vec::with_capacity(4096);
    group.bench_function("response, lines anew", |bencher| {
        bencher.iter(|| {
            out.clear();
            put_lines(black_box(LINES), &mut out);
            black_box(&out);
        });
    });
    group.bench_function("response, lines from the cache", |bencher| {
        let mut blocks = Blocks::new(1);
        bencher.iter(|| {
            out.clear();
            blocks.put(black_box(LINES), &mut out);
            black_box(&out);
        });
    });
    group.bench_function("response, lines that never repeat", |bencher| {
        let (mut blocks, mut lines, mut number) = (Blocks::new(1), LINES.to_vec(), 0u32);
        let end = lines.len() - 6;
        bencher.iter(|| {
            out.clear();
            number = number.wrapping_add(1);
            lines[end..end + 4].copy_from_slice(&(number & 0x0f0f_0f0f | 0x4040_4040).to_be_bytes());
            blocks.put(black_box(&lines), &mut out);
            black_box(&out);
        });
    });
    group.bench_function("response, status, length, date", |bencher| {
        bencher.iter(|| {
            out.clear();
            put_status(black_box(Status::OK), &mut out);
            put_length(black_box(13), &mut out);
            put_date(black_box(DATE), &mut out);
            black_box(&out);
        });
    });
    for (name, fields) in [("small", &SMALL[..]), ("browser", &BROWSER[..])] {
        group.bench_function(format!("request {name}, again"), |bencher| {
            let mut encoder = Encoder::new(1);
            bencher.iter(|| {
                out.clear();
                encoder.begin(&mut out);
                for (name, value) in black_box(fields) {
                    encoder.field(name.as_bytes(), value.as_bytes(), &mut out);
                }
                black_box(&out);
            });
        });
    }
    group.finish();
}

fn strings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("huffman");
    for text in ["text/html", "session=0123456789abcdef", USER_AGENT] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let mut out = Vec::with_capacity(4096);
        group.bench_function(format!("encode {} bytes", text.len()), |bencher| {
            bencher.iter(|| {
                out.clear();
                huffman::encode(black_box(text.as_bytes()), &mut out);
                black_box(&out);
            });
        });
        let mut code = Vec::new();
        huffman::encode(text.as_bytes(), &mut code);
        group.bench_function(format!("decode {} bytes", text.len()), |bencher| {
            bencher.iter(|| {
                out.clear();
                assert_eq!(huffman::decode(black_box(&code), &mut out), Ok(()));
                black_box(&out);
            });
        });
    }
    group.finish();
}

criterion_group!(hpack, decoder, encoder, strings);
criterion_main!(hpack);
