//! Decompression of request bodies, as clients and handlers meet it.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::io::Write;

use behind::{Behind, field, text};
use gannet_core::{BodyError, BodyLength, IntoFilter, Next, Rejection, Request, Response};
use gannet_features::decompression::Decompression;
use proptest::prelude::*;

const CODINGS: [&str; 3] = ["br", "zstd", "gzip"];

fn coded(coding: &str, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match coding {
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 4, 18);
            encoder.write_all(content).expect("memory");
        }
        "zstd" => zstd::stream::copy_encode(content, &mut out, 3).expect("memory"),
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
            encoder.write_all(content).expect("memory");
            encoder.finish().expect("memory");
        }
        other => panic!("{other}"),
    }
    out
}

/// Answers with what it read, as an extractor does.
async fn echo(mut request: Request) -> Result<Response, Rejection> {
    assert_eq!(request.field("content-encoding"), None, "it is gone");
    Ok(Response::bytes(request.whole_body().await?.as_slice().to_vec()))
}

/// How many bytes it can read, and why no more.
async fn count(mut request: Request) -> String {
    let (mut count, mut end) = (0, None);
    while let Some(data) = request.body().next().await {
        match data {
            Ok(data) => count += data.len(),
            Err(error) => {
                end = Some(error);
                break;
            }
        }
    }
    format!("{count} {end:?}")
}

fn sample(bytes: usize) -> Vec<u8> {
    (0..).map(|number: u32| format!("{number:x} it was a bright cold day in April; ")).collect_bytes(bytes)
}

trait CollectBytes {
    fn collect_bytes(self, bytes: usize) -> Vec<u8>;
}

impl<I: Iterator<Item = String>> CollectBytes for I {
    fn collect_bytes(self, bytes: usize) -> Vec<u8> {
        self.flat_map(String::into_bytes).take(bytes).collect()
    }
}

#[test]
fn what_handlers_read_is_decoded() {
    let behind = Behind::new(Decompression::new(), echo);
    let content = sample(100_000);
    for coding in CODINGS {
        let response = behind.post(&[("Content-Encoding", coding)], &coded(coding, &content));
        assert!(behind::content(response) == content, "{coding}");
    }
    let layered = coded("br", &coded("zstd", &coded("gzip", &content)));
    let response = behind.post(&[("Content-Encoding", "gzip, zstd"), ("Content-Encoding", "br")], &layered);
    assert!(behind::content(response) == content);
}

#[test]
fn what_is_not_coded_is_left_alone() {
    let length = |request: Request| format!("{:?} {:?}", request.body_length(), request.has_body());
    let behind = Behind::new(Decompression::new(), length);
    assert_eq!(text(behind.post(&[], b"plain")), "Chunked true");
    assert_eq!(text(behind.get(&[("Content-Encoding", "gzip")])), "None false");
    let echoing = Behind::new(Decompression::new(), echo);
    assert_eq!(text(echoing.post(&[("Content-Encoding", "identity")], b"plain")), "plain");
}

#[test]
fn a_decoded_body_has_no_length_that_is_known() {
    let behind = Behind::new(Decompression::new(), |request: Request| {
        assert_eq!(request.body_length(), BodyLength::Chunked);
        "read"
    });
    assert_eq!(text(behind.ask("POST", &[("Content-Encoding", "gzip"), ("Content-Length", "50")])), "read");
}

#[test]
fn a_coding_that_is_not_known_is_415_with_those_that_are() {
    let behind = Behind::new(Decompression::new(), echo);
    for encoding in ["deflate", "gzip, compress", "gzip, gzip, gzip, gzip", "aes128gcm"] {
        let response = behind.post(&[("Content-Encoding", encoding)], b"?");
        assert_eq!(response.status().code(), 415, "{encoding}");
        assert_eq!(field(&response, "accept-encoding"), Some("br, zstd, gzip"));
    }
    let told = text(behind.post(&[("Content-Encoding", "deflate")], b"?"));
    assert!(told.contains("deflate") && told.contains("br, zstd, gzip"), "{told}");
}

#[test]
fn what_is_malformed_cut_short_or_has_something_behind_it_is_400() {
    let behind = Behind::new(Decompression::new(), echo);
    for coding in CODINGS {
        let whole = coded(coding, &sample(1000));
        let status = |content: &[u8]| behind.post(&[("Content-Encoding", coding)], content).status().code();
        assert_eq!(status(&whole), 200);
        for cut in 1..whole.len() {
            assert_eq!(status(&whole[..cut]), 400, "{coding} cut at {cut}");
        }
        assert_eq!(status(&[&whole[..], b"?"].concat()), 400, "{coding}");
        assert_eq!(status(&[&whole[..], &[b'?'; 10_000]].concat()), 400, "{coding}");
        assert_eq!(status(b"no such content"), 400, "{coding}");
        let (mut asked, sending) = behind.begin_post(&[("Content-Encoding", coding)]);
        sending.send(&whole[..10]);
        sending.end(Err(BodyError::Incomplete));
        assert_eq!(asked.response().expect("nothing waits").status().code(), 400);
    }
}

#[test]
fn several_members_of_gzip_and_frames_of_zstandard_are_one_content() {
    let behind = Behind::new(Decompression::new(), echo);
    for coding in ["gzip", "zstd"] {
        let content = [coded(coding, b"one "), coded(coding, b"two")].concat();
        assert_eq!(text(behind.post(&[("Content-Encoding", coding)], &content)), "one two");
    }
}

#[test]
fn a_bomb_is_413_and_not_decoded_further() {
    let reading = Behind::new(Decompression::new().most_ratio(u64::MAX), echo);
    let counting = Behind::new(Decompression::new(), count);
    for coding in CODINGS {
        // Extractors take 2 MiB.
        let bomb = coded(coding, &vec![0; 64 * 1024 * 1024]);
        assert_eq!(reading.post(&[("Content-Encoding", coding)], &bomb).status().code(), 413, "{coding}");
        // And who reads on is stopped by the ratio, or by the bound.
        let read = text(counting.post(&[("Content-Encoding", coding)], &bomb));
        let (bytes, why) = read.split_once(' ').expect("two words");
        let bytes: usize = bytes.parse().expect("a number");
        assert_eq!(why, "Some(TooLarge)", "{coding}");
        assert!(bytes <= (bomb.len() * 100).max(64 * 1024), "{coding}: {bytes} of {}", bomb.len());
    }
}

#[test]
fn a_body_may_be_decoded_to_so_much_and_to_so_many_times_as_much() {
    let read = |filter: Decompression, content: &[u8]| {
        text(Behind::new(filter, count).post(&[("Content-Encoding", "gzip")], &coded("gzip", content)))
    };
    let noise: Vec<u8> =
        (0..100_000u32).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_be_bytes()).collect();
    assert_eq!(read(Decompression::new().most_bytes(400_000), &noise), "400000 None");
    assert!(read(Decompression::new().most_bytes(399_999), &noise).ends_with("Some(TooLarge)"));
    let zeros = vec![0; 64 * 1024];
    assert_eq!(read(Decompression::new().most_ratio(1), &zeros), "65536 None");
    assert!(read(Decompression::new().most_ratio(1), &[0; 64 * 1024 + 1]).ends_with("Some(TooLarge)"));
    assert!(read(Decompression::new(), &vec![1; 17 * 1024 * 1024]).ends_with("Some(TooLarge)"));
}

#[test]
fn a_limit_of_a_filter_before_holds_for_what_is_decoded() {
    let limited = async |mut request: Request, next: Next| {
        request.body().limit(1000);
        next.run(request).await
    };
    let status = |bytes| {
        let behind = Behind::filters([limited.into_filter(), Decompression::new().into_filter()], echo);
        behind.post(&[("Content-Encoding", "gzip")], &coded("gzip", &vec![b'a'; bytes])).status().code()
    };
    assert_eq!([status(1000), status(1001)], [200, 413]);
}

#[test]
fn memory_for_decoders_is_bounded_and_given_back() {
    let behind = Behind::new(Decompression::new().memory_bytes(18 * 1024 * 1024), echo);
    let br = [("Content-Encoding", "br")];
    let (first, _sending) = behind.begin_post(&br);
    let refused = behind.post(&br, &coded("br", b"content"));
    assert_eq!((refused.status().code(), field(&refused, "retry-after")), (503, Some("1")));
    assert_eq!(text(behind.post(&[("Content-Encoding", "gzip")], &coded("gzip", b"content"))), "content");
    drop(first);
    assert_eq!(text(behind.post(&br, &coded("br", b"content"))), "content");
}

#[test]
fn a_window_of_more_than_8_mib_is_not_taken() {
    let behind = Behind::new(Decompression::new(), count);
    for (bits, taken) in [(23, true), (24, false)] {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("memory");
        encoder.window_log(bits).expect("a window");
        encoder.include_contentsize(false).expect("a parameter");
        encoder.write_all(&sample(100_000)).expect("memory");
        let content = encoder.finish().expect("memory");
        let read = text(behind.post(&[("Content-Encoding", "zstd")], &content));
        assert_eq!(read == "100000 None", taken, "{bits}: {read}");
    }
}

proptest! {
    /// Wherever it is cut into pieces, and however long each takes to come.
    #[test]
    fn a_body_comes_in_any_pieces(
        bytes in 0usize..40_000,
        coding in 0usize..3,
        mut cuts in prop::collection::vec(0usize..2000, 0..20),
    ) {
        let behind = Behind::new(Decompression::new(), echo);
        let coding = CODINGS[coding];
        let (plain, mut cut) = (sample(bytes), 0);
        let content = coded(coding, &plain);
        let (mut asked, sending) = behind.begin_post(&[("Content-Encoding", coding)]);
        while cut < content.len() {
            prop_assert!(asked.response().is_none());
            let piece = cuts.pop().unwrap_or(5000).clamp(1, content.len() - cut);
            sending.send(&content[cut..cut + piece]);
            cut += piece;
        }
        prop_assert!(asked.response().is_none());
        sending.end(Ok(()));
        let response = asked.response().expect("it has ended");
        prop_assert_eq!(response.status().code(), 200);
        prop_assert!(behind::content(response) == plain);
    }
}
