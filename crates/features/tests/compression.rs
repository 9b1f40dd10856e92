//! Compression of responses, as clients meet it.

#[expect(dead_code, reason = "shared with the tests of other filters, which use all of it")]
mod behind;

use std::cell::RefCell;
use std::io::{Read, Write};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use behind::{Behind, content, field, next_bytes};
use gannet_core::{Body, BodyError, Bytes, Data, Fields, Frame, Request, Response, Source, Status, channel};
use gannet_features::compression::Compression;

const CODINGS: [&str; 3] = ["br", "zstd", "gzip"];

fn text(bytes: usize) -> String {
    "It was a bright cold day in April, and the clocks were striking thirteen. "
        .chars()
        .cycle()
        .take(bytes)
        .collect()
}

fn decoded(coding: &str, coded: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "br" => brotli::Decompressor::new(coded, 4096).read_to_end(&mut plain).map(drop),
        "zstd" => zstd::stream::copy_decode(coded, &mut plain),
        "gzip" => flate2::read::MultiGzDecoder::new(coded).read_to_end(&mut plain).map(drop),
        other => panic!("{other}"),
    }
    .expect("a whole content");
    plain
}

/// What can be decoded of a content that has not ended.
fn decoded_so_far(coding: &str, coded: &[u8]) -> String {
    let mut reader: Box<dyn Read + '_> = match coding {
        "br" => Box::new(brotli::Decompressor::new(coded, 4096)),
        "zstd" => Box::new(zstd::stream::read::Decoder::new(coded).expect("memory")),
        "gzip" => Box::new(flate2::read::GzDecoder::new(coded)),
        other => panic!("{other}"),
    };
    let (mut plain, mut buffer) = (Vec::new(), [0; 64]);
    // Bounded: it gives no more than was written.
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        plain.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(plain).expect("text")
}

fn behind(response: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Behind {
    Behind::new(Compression::new(), move |_: Request| response())
}

fn get(behind: &Behind, accept: &str) -> Response {
    behind.get(&[("Accept-Encoding", accept)])
}

/// A typed body.
fn typed(body: Body) -> Response {
    Response::new(Status::OK).with("Content-Type", "text/plain").with_body(body)
}

/// Gives pieces, one a poll.
struct Pieces {
    pieces: Vec<Result<Frame, BodyError>>,
    length: Option<u64>,
}

impl Pieces {
    fn of(pieces: impl IntoIterator<Item = Result<Frame, BodyError>>) -> Pieces {
        let mut pieces: Vec<_> = pieces.into_iter().collect();
        pieces.reverse();
        Pieces { pieces, length: None }
    }
}

impl Source for Pieces {
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.pieces.pop())
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

fn data(text: impl Into<Data>) -> Result<Frame, BodyError> {
    Ok(Frame::Data(text.into()))
}

#[test]
fn a_short_content_is_compressed_at_once_and_has_its_length() {
    let behind = behind(|| Response::text(text(1000)).with("ETag", "\"1\"").with("Accept-Ranges", "bytes"));
    for coding in CODINGS {
        let response = get(&behind, coding);
        assert_eq!(field(&response, "content-encoding"), Some(coding));
        assert_eq!(field(&response, "vary"), Some("Accept-Encoding"));
        assert_eq!(field(&response, "etag"), Some("W/\"1\""));
        assert_eq!(field(&response, "accept-ranges"), None);
        assert!(response.body().length().is_some_and(|length| length < 300), "{coding}");
        assert_eq!(decoded(coding, &content(response)), text(1000).as_bytes());
    }
    assert_eq!(behind.world.computed.get(), 0);
}

#[test]
fn the_client_chooses_and_who_takes_nothing_gets_it_as_it_is() {
    let behind = behind(|| Response::text(text(1000)).with("ETag", "\"1\""));
    for (accept, coding) in
        [("gzip, deflate, br, zstd", "br"), ("gzip, zstd", "zstd"), ("gzip, br;q=0.5", "gzip")]
    {
        assert_eq!(field(&get(&behind, accept), "content-encoding"), Some(coding), "{accept}");
    }
    for accept in ["", "identity", "deflate", "br;q=0"] {
        let response = get(&behind, accept);
        assert_eq!(field(&response, "content-encoding"), None, "{accept}");
        assert_eq!(
            (field(&response, "vary"), field(&response, "etag")),
            (Some("Accept-Encoding"), Some("\"1\""))
        );
        assert_eq!(content(response), text(1000).as_bytes());
    }
}

#[test]
fn what_is_not_to_be_compressed_is_left_alone() {
    let untouched = |behind: &Behind, fields: &[(&str, &str)]| {
        let response = behind.get(fields);
        let said =
            (field(&response, "content-encoding").map(str::to_owned), field(&response, "vary").is_some());
        (said, content(response).len())
    };
    let accept = ("Accept-Encoding", "br");
    let small = behind(|| Response::text(text(255)));
    assert_eq!(untouched(&small, &[accept]), ((None, false), 255));
    let image = behind(|| {
        Response::new(Status::OK).with("Content-Type", "image/png").with_body(Body::Bytes(text(1000).into()))
    });
    assert_eq!(untouched(&image, &[accept]), ((None, false), 1000));
    let coded = behind(|| Response::text(text(1000)).with("Content-Encoding", "gzip"));
    assert_eq!(untouched(&coded, &[accept]), ((Some("gzip".to_owned()), false), 1000));
    let whole = behind(|| Response::text(text(1000)));
    assert_eq!(
        untouched(&whole, &[accept, ("Cache-Control", "no-cache, no-transform")]),
        ((None, true), 1000)
    );
    let file = behind(|| {
        let file = tempfile::tempfile().expect("a temporary file");
        file.set_len(1000).expect("room");
        typed(Body::File(Arc::new(file), 0..1000))
    });
    assert_eq!(field(&file.get(&[accept]), "content-encoding"), None);
    let noise: Vec<u8> =
        (0..1000u32).flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_be_bytes()).collect();
    let random = behind(move || typed(Body::Bytes(noise.clone().into())));
    assert_eq!(untouched(&random, &[("Accept-Encoding", "gzip")]), ((None, true), 4000));
}

#[test]
fn a_smallest_content_can_be_chosen() {
    let behind = Behind::new(Compression::new().least_bytes(50), |_: Request| Response::text(text(200)));
    assert_eq!(field(&get(&behind, "gzip"), "content-encoding"), Some("gzip"));
}

#[test]
fn a_content_of_more_than_16_kib_is_compressed_by_other_threads_or_sent_as_it_is() {
    let behind = behind(|| Response::text(text(16 * 1024 + 1)));
    for (number, coding) in CODINGS.into_iter().enumerate() {
        let response = get(&behind, coding);
        assert_eq!((field(&response, "content-encoding"), response.body().length()), (Some(coding), None));
        assert_eq!(behind.world.computed.get(), number + 1);
        assert_eq!(decoded(coding, &content(response)), text(16 * 1024 + 1).as_bytes());
    }
    behind.world.busy.set(true);
    let response = get(&behind, "br");
    assert_eq!(
        (field(&response, "content-encoding"), field(&response, "vary")),
        (None, Some("Accept-Encoding"))
    );
    assert_eq!(content(response).len(), 16 * 1024 + 1);
}

#[test]
fn a_response_to_head_is_described_as_that_to_get_and_nothing_is_computed() {
    let lengths = [1000, 100_000];
    for length in lengths {
        let behind = behind(move || Response::text(text(length)).with("ETag", "\"1\""));
        let [got, head] = ["GET", "HEAD"].map(|method| behind.ask(method, &[("Accept-Encoding", "zstd")]));
        for name in ["content-encoding", "etag", "vary", "content-type"] {
            assert_eq!(field(&got, name), field(&head, name), "{name}");
        }
        assert_eq!(got.body().length(), head.body().length());
        assert_eq!(behind.world.computed.get(), usize::from(length > 16 * 1024));
    }
}

#[test]
fn what_was_not_modified_is_described_as_it_was_kept() {
    let behind = behind(|| Response::new(Status::NOT_MODIFIED).with("ETag", "\"1\""));
    let response = get(&behind, "br");
    assert_eq!(
        (field(&response, "vary"), field(&response, "etag")),
        (Some("Accept-Encoding"), Some("W/\"1\""))
    );
    assert_eq!(field(&response, "content-encoding"), None);
    let response = get(&behind, "");
    assert_eq!(
        (field(&response, "vary"), field(&response, "etag")),
        (Some("Accept-Encoding"), Some("\"1\""))
    );
}

#[test]
fn a_reason_to_vary_is_said_once_beside_others() {
    for (own, vary) in [("Accept-Encoding", 1), ("accept, accept-encoding", 1), ("*", 1), ("Accept", 2)] {
        let behind = behind(move || Response::text(text(1000)).with("Vary", own));
        let response = get(&behind, "gzip");
        assert_eq!(
            response.fields().iter().filter(|(name, _)| name.eq_ignore_ascii_case("vary")).count(),
            vary
        );
    }
}

thread_local! {
    static NEXT: RefCell<Option<Response>> = const { RefCell::new(None) };
}

/// How a response of this body is sent to who takes `coding`: a body belongs to its thread, and a handler may not.
fn streamed(filter: Compression, body: Body, coding: &str) -> Response {
    NEXT.set(Some(typed(body)));
    let behind = Behind::new(filter, |_: Request| NEXT.take().expect("one request"));
    get(&behind, coding)
}

/// All that a body has.
fn rest(body: &mut Body) -> Vec<u8> {
    std::iter::from_fn(|| next_bytes(body)).flat_map(|bytes| bytes.expect("no error")).collect()
}

/// Polls what is done at once.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn an_event_arrives_when_it_was_written() {
    for coding in CODINGS {
        let (mut sender, body) = channel();
        let response = streamed(Compression::new(), body, coding);
        assert_eq!((field(&response, "content-encoding"), response.body().length()), (Some(coding), None));
        let (_, _, mut body) = response.into_parts();
        let mut coded = Vec::new();
        let nothing = Some(Ok(Bytes::new()));
        assert_eq!(next_bytes(&mut body), nothing);
        for number in 0..5 {
            let event = format!("data: {number}\n\n");
            at_once(sender.send(event.clone())).expect("somebody listens");
            let bytes = next_bytes(&mut body).expect("no end").expect("no error");
            assert!(!bytes.is_empty(), "{coding}: event {number} waits");
            coded.extend_from_slice(&bytes);
            assert!(decoded_so_far(coding, &coded).ends_with(&event), "{coding}");
            assert_eq!(next_bytes(&mut body), nothing, "{coding}: it is flushed once");
        }
        drop(sender);
        coded.extend(rest(&mut body));
        assert_eq!(decoded(coding, &coded), b"data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n");
    }
}

#[test]
fn a_stream_of_pieces_and_files_is_compressed_with_its_trailers() {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(text(50_000).as_bytes()).expect("room");
    let file = Arc::new(file);
    for coding in CODINGS {
        let mut trailers = Fields::new();
        trailers.append("x-sum", "7").expect("a field");
        let pieces = [
            data("first "),
            data(""),
            data(text(100_000)),
            Ok(Frame::File(file.clone(), 10..40_000)),
            data(" last"),
        ];
        let body = Body::stream(Pieces::of(pieces.into_iter().chain([Ok(Frame::Trailers(trailers))])));
        let (_, _, mut body) = streamed(Compression::new(), body, coding).into_parts();
        let (mut coded, mut told) = (Vec::new(), None);
        // Bounded: there are some dozen slices.
        for _ in 0..1000 {
            match body.poll_frame(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Ok(Frame::Data(data)))) => coded.extend_from_slice(data.as_slice()),
                Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => told = Some(trailers),
                Poll::Ready(None) => break,
                Poll::Ready(other) => panic!("{other:?}"),
                Poll::Pending => {}
            }
        }
        assert_eq!(told.expect("trailers").get("x-sum"), Some(&b"7"[..]));
        let expected = ["first ", &text(100_000), &text(50_000)[10..40_000], " last"].concat();
        assert!(decoded(coding, &coded) == expected.as_bytes(), "{coding}");
    }
}

#[test]
fn a_body_that_breaks_or_a_file_that_became_shorter_breaks_what_is_sent() {
    let short = Arc::new(tempfile::tempfile().expect("a temporary file"));
    for (last, error) in [
        (Err(BodyError::Incomplete), BodyError::Incomplete),
        (Ok(Frame::File(short, 0..10)), BodyError::Aborted),
    ] {
        let body = Body::stream(Pieces::of([data("first "), last]));
        let (_, _, mut body) = streamed(Compression::new(), body, "zstd").into_parts();
        let broken = std::iter::from_fn(|| next_bytes(&mut body)).take(3).find_map(Result::err);
        assert_eq!(broken, Some(error));
    }
}

/// Counts how often somebody is to be polled again.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn others_have_their_turn_after_each_16_kib() {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let body = Body::stream(Pieces::of([data(text(160 * 1024))]));
    let (_, _, mut body) = streamed(Compression::new(), body, "zstd").into_parts();
    let (mut turns, mut done) = (0, false);
    // Bounded: a turn for each slice, one for what comes last.
    while !done && turns < 100 {
        match body.poll_frame(&mut Context::from_waker(&waker)) {
            Poll::Pending => turns += 1,
            Poll::Ready(frame) => done = frame.is_none(),
        }
    }
    assert!(done && (10..=11).contains(&turns), "{turns}");
    assert_eq!(woken.0.load(Ordering::Relaxed), turns);
}

#[test]
fn no_more_streams_are_compressed_at_a_time_than_may_be() {
    let filter = Compression::new().streams(2);
    let handler = |_: Request| NEXT.take().expect("one request");
    let behind = Behind::new(filter, handler);
    let begin = || {
        NEXT.set(Some(typed(Body::stream(Pieces::of([data(text(1000))])))));
        get(&behind, "gzip")
    };
    let coded = |response: &Response| field(response, "content-encoding").is_some();
    let (first, second, third) = (begin(), begin(), begin());
    assert_eq!([coded(&first), coded(&second), coded(&third)], [true, true, false]);
    assert_eq!(content(third), text(1000).as_bytes());
    assert_eq!(decoded("gzip", &content(first)), text(1000).as_bytes());
    assert!(coded(&begin()), "what has ended made room");
    drop(second);
    assert!(coded(&begin()), "what was given up made room");
}

#[test]
fn a_stream_that_says_that_it_is_short_is_sent_as_it_is() {
    for (length, coding) in [(255, None), (256, Some("br"))] {
        let body = Pieces { length: Some(length as u64), ..Pieces::of([data(text(length))]) };
        assert_eq!(
            field(&streamed(Compression::new(), Body::stream(body), "br"), "content-encoding"),
            coding
        );
    }
}
