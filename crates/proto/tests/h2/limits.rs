//! Every row of the table of limits: what lies within passes, one more does not, and what happens then is what the row says.

use crate::end::{End, Said, client_with, server_with};
use crate::raw::*;
use gannet_proto::h2::limits::{Beyond, Row, TABLE};
use gannet_proto::h2::{Error, ErrorCode, Limits, RequestToSend, Server, ServerRole};
use gannet_proto::{BodyLength, Method, Status};

/// The limits under test, what comes first, and how what reaches them, or goes one beyond, looks.
struct Case {
    limits: Limits,
    before: Vec<u8>,
    /// So many of what is counted.
    bytes: Bytes,
}

/// The limit that each case sets.
const MOST: usize = 9;

fn case(name: &str) -> Option<Case> {
    windows_case(name).or_else(|| heads_case(name)).or_else(|| floods_case(name))
}

/// What is counted, so many times.
type Bytes = Box<dyn Fn(usize) -> Vec<u8>>;

fn repeated(frame: Vec<u8>) -> Bytes {
    Box::new(move |count| times(count, &frame))
}

/// Of streams, windows and frames.
fn windows_case(name: &str) -> Option<Case> {
    let mut limits = Limits::default();
    let (before, bytes): (_, Bytes) = match name {
        "streams" => {
            limits.streams = MOST as u32;
            (
                Vec::new(),
                Box::new(|count| (0..count).flat_map(|index| post_on(2 * index as u32 + 1)).collect()),
            )
        }
        "stream_window_bytes" => {
            limits.stream_window_bytes = MOST as u32;
            (post_on(1), Box::new(|count| data(1, &vec![0; count])))
        }
        "connection_window_bytes" => {
            limits.stream_window_bytes = 1 << 20;
            limits.connection_window_bytes = 65_535 + MOST as u32;
            (all(&[post_on(1), times(5, &data(1, &[0; 13_107]))]), Box::new(|count| data(1, &vec![0; count])))
        }
        "frame_bytes" => {
            limits.frame_bytes = 16_384 + MOST as u32;
            (Vec::new(), Box::new(|count| frame(0xfe, 0, 0, &vec![0; 16_384 + count])))
        }
        _ => return None,
    };
    Some(Case { limits, before, bytes })
}

/// Of what a head is made of.
fn heads_case(name: &str) -> Option<Case> {
    let mut limits = Limits::default();
    let most = MOST as u16;
    let (before, bytes): (_, Bytes) = match name {
        "header_table_bytes" => {
            limits.header_table_bytes = MOST as u32;
            (
                Vec::new(),
                Box::new(|count| {
                    let block = [&[0x20 | count as u8][..], &get()].concat();
                    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)
                }),
            )
        }
        "header_list_bytes" => {
            limits.header_list_bytes = 500 + MOST as u32;
            (Vec::new(), Box::new(|count| request_of_size(500 + count)))
        }
        "fields" => {
            limits.fields = most;
            (
                Vec::new(),
                Box::new(|count| {
                    let block = [&get()[..], &b"\x00\x01x\x01y".repeat(count - 4)].concat();
                    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)
                }),
            )
        }
        "method_bytes" => {
            limits.method_bytes = most;
            (Vec::new(), Box::new(|count| asking(&"M".repeat(count), "/")))
        }
        "target_bytes" => {
            limits.target_bytes = most;
            (Vec::new(), Box::new(|count| asking("GET", &format!("/{}", "?".repeat(count - 1)))))
        }
        "header_block_bytes" => {
            limits.header_block_bytes = 6 + MOST as u32;
            (
                Vec::new(),
                Box::new(|count| {
                    let rest = [&get()[2..], &vec![0x82; count]].concat();
                    all(&[frame(HEADERS, 0, 1, &get()[..2]), frame(CONTINUATION, 0, 1, &rest)])
                }),
            )
        }
        "continuations" => {
            limits.continuations = most;
            (frame(HEADERS, END_STREAM, 1, b""), repeated(frame(CONTINUATION, 0, 1, b"")))
        }
        _ => return None,
    };
    Some(Case { limits, before, bytes })
}

/// Of what is counted by frames, or by streams.
fn floods_case(name: &str) -> Option<Case> {
    let mut limits = Limits::default();
    let most = MOST as u16;
    let (before, bytes): (_, Bytes) = match name {
        "resets" => {
            limits.resets = most;
            (Vec::new(), Box::new(|count| opened_and(count, |stream| reset(stream, 8))))
        }
        "faults" => {
            limits.faults = most;
            (Vec::new(), Box::new(|count| opened_and(count, |stream| window_update(stream, 0))))
        }
        "pings" => {
            limits.pings = most;
            (Vec::new(), repeated(frame(PING, 0, 0, &[0; 8])))
        }
        "settings" => {
            // One has come already.
            limits.settings = most + 1;
            (Vec::new(), repeated(settings(&[(4, 5)])))
        }
        "priorities" => {
            limits.priorities = most;
            (Vec::new(), repeated(frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 0])))
        }
        "priority_updates" => {
            limits.priority_updates = most;
            (Vec::new(), repeated(frame(PRIORITY_UPDATE, 0, 0, &[0, 0, 0, 1, b'i'])))
        }
        "window_updates" => {
            limits.window_updates = most;
            (Vec::new(), repeated(window_update(0, 1)))
        }
        "useless_frames" => {
            limits.useless_frames = most;
            (Vec::new(), repeated(frame(0xfe, 0, 1, b"whatever")))
        }
        "empty_data_frames" => {
            limits.empty_data_frames = most;
            (post_on(1), repeated(frame(DATA, PADDED, 1, &[3, 0, 0, 0])))
        }
        "tiny_data_frames" => {
            limits.tiny_data_frames = MOST as u32;
            (post_on(1), repeated(data(1, b"fifteen letters")))
        }
        _ => return None,
    };
    Some(Case { limits, before, bytes })
}

/// A request whose list has this size (RFC 9113 section 10.5.1).
fn request_of_size(bytes: usize) -> Vec<u8> {
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("x", "")];
    let without: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    let mut fields = fields;
    let value = "y".repeat(bytes - without);
    fields[4].1 = &value;
    request_on(1, &fields)
}

fn asking(method: &str, path: &str) -> Vec<u8> {
    request_on(1, &[(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")])
}

/// So many streams are opened, and then this happens to each.
fn opened_and(count: usize, then: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..count)
        .map(|index| 2 * index as u32 + 1)
        .flat_map(|stream| all(&[get_on(stream), then(stream)]))
        .collect()
}

/// What these bytes lead to, behind what comes first.
fn outcome(case: &Case, count: usize) -> (Vec<Said>, Vec<Frame>) {
    let mut end = server_with(case.limits);
    end.receive(&case.before);
    assert!(!end.over);
    end.sent();
    (end.receive(&(case.bytes)(count)), end.sent())
}

fn goes_wrong(said: &[Said], sent: &[Frame], row: &Row) -> bool {
    match row.beyond {
        Beyond::Connection(error) => said.last() == Some(&Said::Wrong(error)),
        Beyond::Refused(refusal) => {
            matches!(said, [Said::Refused { status, .. }] if *status == refusal.status().code())
        }
        Beyond::Stream(code) => sent.iter().any(|frame| frame.kind == RST_STREAM && frame.number() == code.0),
        Beyond::Held(_) => unreachable!("it has a test of its own"),
    }
}

/// Rows whose case is not of the kind above, and the tests that they have.
const OTHERS: [&str; 5] =
    ["pushed_streams", "interim_responses", "priority_bytes", "early_priorities", "remembered_resets"];

#[test]
fn what_goes_beyond_a_limit_of_http_2_meets_what_its_row_says() {
    for row in TABLE {
        let Some(case) = case(row.name) else {
            assert!(OTHERS.contains(&row.name), "the limit {} has no test", row.name);
            continue;
        };
        let (said, sent) = outcome(&case, MOST);
        assert!(!goes_wrong(&said, &sent, row), "{} is met too early: {said:?} {sent:?}", row.name);
        assert!(!said.iter().any(|said| matches!(said, Said::Wrong(_))), "{}: {said:?}", row.name);
        let (said, sent) = outcome(&case, MOST + 1);
        assert!(goes_wrong(&said, &sent, row), "{} is not met: {said:?} {sent:?}", row.name);
    }
}

#[test]
fn an_error_beyond_a_limit_names_its_row() {
    for row in TABLE {
        match row.beyond {
            Beyond::Connection(Error::Compression) => {}
            Beyond::Connection(error) => assert_eq!(error.limit(), Some(row.name)),
            Beyond::Refused(refusal) => assert_eq!(refusal.limit(), Some(row.name)),
            Beyond::Stream(_) | Beyond::Held(_) => {}
        }
    }
}

#[test]
fn goaways_beyond_the_first_are_useless_whatever_they_name() {
    let mut end = server_with(Limits { useless_frames: 3, ..Limits::default() });
    (0..4).for_each(|index| drop(end.receive(&goaway(100 - index, 0))));
    assert!(!end.over);
    assert_eq!(end.wrong(&goaway(50, 0)), Error::TooManyUselessFrames);
}

#[test]
fn a_block_of_one_frame_is_too_large_whether_it_comes_at_once_or_not() {
    let limits = Limits { header_block_bytes: 5, ..Limits::default() };
    let bytes = get_on(1);
    assert_eq!(server_with(limits).wrong(&bytes), Error::BlockTooLarge);
    assert_eq!(server_with(limits).wrong(&bytes[..9]), Error::BlockTooLarge);
}

#[test]
fn no_more_is_promised_than_pushed_streams_says() {
    let mut end = server_with(Limits { pushed_streams: 2, ..Limits::default() });
    end.receive(&get_on(1));
    let request = RequestToSend {
        method: Method::Get,
        method_text: "",
        scheme: "http",
        authority: "a",
        path: "/",
        protocol: None,
        fields: b"",
        body: BodyLength::None,
        accepts_trailers: false,
    };
    let key = end.key(1);
    let mut promise = || end.connection.promise(key, request, &mut end.out).is_some();
    assert_eq!([promise(), promise(), promise()], [true, true, false]);
}

#[test]
fn interim_responses_beyond_the_limit_reset_their_stream() {
    let mut end = client_with(Limits { interim_responses: 1, ..Limits::default() });
    end.get();
    let interim = frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "100")]));
    end.receive(&interim);
    assert_eq!(end.stream_error(1, &interim), ErrorCode::ENHANCE_YOUR_CALM);
}

#[test]
fn a_priority_update_beyond_priority_bytes_is_ignored() {
    let mut end = server_with(Limits { priority_bytes: 5, ..Limits::default() });
    end.receive(&get_on(1));
    let update = |value: &[u8]| frame(PRIORITY_UPDATE, 0, 0, &[&[0, 0, 0, 1][..], value].concat());
    assert_eq!(end.receive(&update(b"u=1   ")), []);
    assert_eq!(end.receive(&update(b"u=1  ")).len(), 1);
}

#[test]
fn of_early_priorities_the_oldest_is_forgotten() {
    let mut end = server_with(Limits { early_priorities: 2, ..Limits::default() });
    let update = |stream: u8| frame(PRIORITY_UPDATE, 0, 0, &[0, 0, 0, stream, b'u', b'=', b'1']);
    end.receive(&all(&[update(1), update(3), update(5), get_on(1), get_on(3), get_on(5)]));
    let seen = [1, 3, 5].map(|stream| end.connection.priority(end.key(stream)).urgency);
    assert_eq!(seen, [3, 1, 1]);
}

#[test]
fn what_comes_for_resets_that_are_not_remembered_is_useless_and_no_error() {
    let limits = Limits { remembered_resets: 1, useless_frames: 3, ..Limits::default() };
    let mut end = server_with(limits);
    for stream in [1, 3, 5] {
        end.receive(&post_on(stream));
        end.reset(stream, ErrorCode::CANCEL);
    }
    let trailers = |stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&[("x", "y")]));
    assert_eq!(end.receive(&all(&[data(1, b"late"), trailers(1), trailers(3), trailers(5)])), []);
    assert_eq!(end.wrong(&trailers(3)), Error::TooManyUselessFrames);
}

// Floods, and what looks like one.

/// A request on each stream, which is answered before the next one comes.
fn answered(end: &mut End<ServerRole>, streams: std::ops::Range<u32>) {
    for stream in streams {
        end.receive(&all(&[window_update(0, 13), get_on(2 * stream + 1)]));
        end.answer(2 * stream + 1, Status::OK, b"Hello, world!");
        end.out.clear();
    }
}

#[test]
fn a_hundred_thousand_requests_on_a_connection_are_no_flood() {
    let mut end = server_with(Limits::default());
    end.said.reserve(100_000);
    answered(&mut end, 0..100_000);
    assert!(!end.over);
}

#[test]
fn each_answered_request_allows_one_more_reset() {
    let mut end = server_with(Limits { resets: 3, ..Limits::default() });
    let cancel = |end: &mut End<ServerRole>, stream: u32| {
        end.receive(&all(&[get_on(stream), reset(stream, 8)]));
        if !end.over {
            end.release(stream);
        }
    };
    for round in 0..50 {
        answered(&mut end, 2 * round..2 * round + 1);
        cancel(&mut end, 4 * round + 3);
    }
    (100..102).for_each(|stream| cancel(&mut end, 2 * stream + 1));
    assert!(!end.over);
    cancel(&mut end, 1001);
    assert_eq!(end.said.last(), Some(&Said::Wrong(Error::TooManyResets)));
}

#[test]
fn streams_that_were_answered_may_be_cancelled_at_will() {
    let mut end = server_with(Limits { resets: 0, ..Limits::default() });
    for stream in 0..1000 {
        let stream = 2 * stream + 1;
        end.receive(&get_on(stream));
        end.begin(stream, None);
        end.receive(&reset(stream, 8));
        end.release(stream);
    }
    assert!(!end.over);
}

#[test]
fn a_browser_that_leaves_a_page_cancels_all_it_asked_for_and_stays() {
    let mut end = server_with(Limits::default());
    answered(&mut end, 0..20);
    let streams = (20..120).map(|stream| 2 * stream + 1);
    streams.clone().for_each(|stream| drop(end.receive(&get_on(stream))));
    streams.for_each(|stream| {
        end.receive(&reset(stream, 8));
        end.release(stream);
    });
    answered(&mut end, 200..220);
    assert!(!end.over);
}

#[test]
fn a_client_that_begins_before_it_has_our_settings_is_refused_what_is_too_much_and_stays() {
    let mut end = End::new(Server::new(Limits { streams: 10, ..Limits::default() }, 7));
    end.receive(&all(&[PREFACE.to_vec(), settings(&[])]));
    (0..100).for_each(|stream| drop(end.receive(&get_on(2 * stream + 1))));
    assert!(!end.over);
    assert_eq!(end.sent().iter().filter(|frame| frame.kind == RST_STREAM).count(), 90);
}

#[test]
fn grpc_sends_small_messages_pings_and_window_updates_for_ever() {
    let mut end = server_with(Limits::default());
    end.receive(&post_on(1));
    end.begin(1, None);
    for _ in 0..50_000 {
        let message = all(&[data(1, b"\0\0\0\0\x02\x08\x01"), frame(PING, 0, 0, &[0; 8])]);
        end.receive(&message);
        end.connection.consumed(end.key(1), 7);
        end.push(1, 7, false);
        end.receive(&all(&[window_update(1, 7), window_update(0, 7)]));
        end.connection.update_windows(&mut end.out);
        end.out.clear();
    }
    assert!(!end.over);
}

#[test]
fn streams_of_tiny_messages_that_nobody_reads_end_at_their_windows() {
    let mut end = server_with(Limits::default());
    let message = data(1, b"\0\0\0\0\0");
    for stream in [1, 3, 5] {
        end.receive(&post_on(stream));
        let message = [&message[..5], &u32::to_be_bytes(stream), &message[9..]].concat();
        for _ in 0..262_144 / 5 {
            end.receive(&message);
        }
        assert!(!end.over);
        assert_eq!(end.stream_error(stream, &message), ErrorCode::FLOW_CONTROL_ERROR);
    }
}

#[test]
fn a_window_that_is_opened_byte_by_byte_is_a_flood() {
    let mut end = server_with(Limits { window_updates: 100, ..Limits::default() });
    end.receive(&all(&[settings(&[(4, 1)]), get_on(1)]));
    end.begin(1, None);
    for _ in 0..100 {
        end.push(1, 1, false);
        end.receive(&window_update(1, 1));
        if end.over {
            break;
        }
    }
    // The response's head earned four.
    assert!(!end.over);
    (0..5).for_each(|_| drop(end.receive(&window_update(1, 1))));
    assert_eq!(end.said.last(), Some(&Said::Wrong(Error::TooManyWindowUpdates)));
}

#[test]
fn who_has_a_clock_fills_the_budgets() {
    let mut end = server_with(Limits { pings: 2, ..Limits::default() });
    for _ in 0..100 {
        end.receive(&times(2, &frame(PING, 0, 0, &[0; 8])));
        end.connection.refill();
    }
    assert!(!end.over);
    assert_eq!(end.wrong(&times(3, &frame(PING, 0, 0, &[0; 8]))), Error::TooManyPings);
}

#[test]
fn a_header_bomb_is_refused_and_costs_no_more_memory_than_its_limit() {
    let mut end = server_with(Limits::default());
    // One large entry, then thousands of references to it.
    let large = block(&[("x", &"y".repeat(3000))]);
    let mut bomb = [&get()[..], &[0x40], &large[1..]].concat();
    bomb.extend(vec![0xbe; 10_000]);
    let Said::Refused { stream: 1, status: 431, .. } =
        end.one(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb))
    else {
        panic!("a request that is refused")
    };
    assert!(end.connection.text().len() <= 32_768);
    // The connection goes on, its table as it has to be.
    let Said::Head { lines, .. } =
        end.one(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &[&get()[..], b"\xbe"].concat()))
    else {
        panic!("a request")
    };
    assert_eq!(lines.last().map(|(_, value)| value.len()), Some(3000));
}

#[test]
fn trailers_beyond_the_limits_reset_their_stream() {
    let mut end = server_with(Limits { fields: 5, ..Limits::default() });
    end.receive(&post_on(1));
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("x", "y"); 6]));
    assert_eq!(end.stream_error(1, &trailers), ErrorCode::ENHANCE_YOUR_CALM);
}
