//! What compressors take while they are under way. Alone in its process, whose memory is measured.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::cell::RefCell;

use behind::{Behind, field, next_bytes};
use gannet_core::{Body, Bytes, Data, Request, Response, Status, channel};
use gannet_features::compression::Compression;

thread_local! {
    static NEXT: RefCell<Option<Body>> = const { RefCell::new(None) };
}

/// Bytes of this process that are in memory (proc(5), `statm`).
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("proc(5)");
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}

#[test]
fn a_stream_that_is_compressed_takes_less_than_1_mib() {
    const STREAMS: usize = 32;
    let handler = |_: Request| {
        let body = NEXT.take().expect("one request");
        Response::new(Status::OK).with("Content-Type", "text/plain").with_body(body)
    };
    let behind = Behind::new(Compression::new(), handler);
    // What repeats itself seldom fills a compressor's tables.
    let noise = |seed: u32| {
        let words = (0..100_000u32).map(|number| format!("{:x} ", (number ^ seed).wrapping_mul(0x9e37_79b1)));
        words.collect::<String>().into_bytes()
    };
    for coding in ["gzip", "zstd", "br"] {
        let mut streams = Vec::new();
        let before = resident_bytes();
        for seed in 0..STREAMS {
            let (mut sender, body) = channel();
            NEXT.set(Some(body));
            let response = behind.get(&[("Accept-Encoding", coding)]);
            assert_eq!(field(&response, "content-encoding"), Some(coding));
            let (_, _, mut body) = response.into_parts();
            let content = noise(seed as u32);
            assert!(content.len() > 512 * 1024);
            for piece in content.chunks(8192) {
                let mut sent = std::pin::pin!(sender.send(Data::Bytes(Bytes::copy_from_slice(piece))));
                let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
                assert!(sent.as_mut().poll(context).is_ready());
                assert!(next_bytes(&mut body).is_some_and(|bytes| bytes.is_ok()));
            }
            streams.push((sender, body));
        }
        let each = resident_bytes().saturating_sub(before) / STREAMS;
        println!("{coding}: {} KiB for each stream", each / 1024);
        assert!((16 * 1024..1024 * 1024).contains(&each), "{coding}: {each} bytes for each stream");
    }
}
