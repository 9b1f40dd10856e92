//! However bytes are cut, events, errors and what is said to them are the same; and both roles, one at each end, understand each other.

use crate::end::{DATE, End, Said, client, client_with, server, server_with};
use crate::raw::*;
use gannet_proto::h2::{Limits, ResponseToSend, ServerRole};
use gannet_proto::{BodyLength, Method, Status};
use proptest::prelude::*;

/// Pieces of content that follow each other are one, however they came.
fn joined(said: &[Said]) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    for said in said {
        match (all.last_mut(), said) {
            (
                Some(Said::Data { stream: before, content, ended: over @ false }),
                Said::Data { stream, content: more, ended },
            ) if before == stream => {
                content.extend_from_slice(more);
                *over = *ended;
            }
            _ => all.push(said.clone()),
        }
    }
    all
}

/// What these pieces lead to at a server that answers each request once it is there.
fn seen<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Said>, Vec<u8>) {
    let limits =
        Limits { useless_frames: 3, pings: 3, streams: 3, header_list_bytes: 400, ..Limits::default() };
    let mut end = server_with(limits);
    pieces.for_each(|piece| drop(end.receive(piece)));
    (joined(&end.said), end.out)
}

/// A frame, in order or not.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![Just(1_u32), Just(3), Just(5), 0_u32..12];
    let content = prop::collection::vec(any::<u8>(), 0..30);
    prop_oneof![
        4 => stream.clone().prop_map(get_on),
        4 => stream.clone().prop_map(post_on),
        2 => stream.clone().prop_map(|stream| frame(HEADERS, 0, stream, &get())),
        2 => (stream.clone(), any::<bool>()).prop_map(|(stream, ends)| {
            frame(CONTINUATION, if ends { END_HEADERS } else { 0 }, stream, b"\x00\x01x\x01y")
        }),
        2 => stream.clone().prop_map(|stream| {
            frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x40\x01x\x01y")
        }),
        1 => stream.clone().prop_map(|stream| {
            request_on(stream, &[(":method", "GET"), (":path", "/"), (":scheme", "http"), ("host", "a"), ("cookie", "a"), ("cookie", "b")])
        }),
        4 => (stream.clone(), content.clone(), any::<bool>()).prop_map(|(stream, content, ends)| {
            frame(DATA, u8::from(ends), stream, &content)
        }),
        2 => (stream.clone(), content.clone()).prop_map(|(stream, content)| frame(DATA, PADDED, stream, &content)),
        1 => (stream.clone(), 0_u32..3).prop_map(|(stream, by)| window_update(stream, by)),
        1 => stream.clone().prop_map(|stream| reset(stream, 8)),
        1 => (1_u16..10, 0_u32..30_000).prop_map(|entry| settings(&[entry, (4, 10)])),
        1 => Just(frame(PING, 0, 0, b"12345678")),
        1 => Just(settings_ack()),
        1 => stream.clone().prop_map(|stream| frame(PRIORITY, 0, stream, &[0, 0, 0, 9, 0])),
        1 => stream.clone().prop_map(|stream| {
            frame(PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes()[..], b"u=5, i"].concat())
        }),
        1 => Just(goaway(7, 0)),
        1 => (any::<u8>(), any::<u8>(), stream, content).prop_map(|(kind, flags, stream, content)| {
            frame(kind, flags, stream, &content)
        }),
    ]
}

proptest! {
    #[test]
    fn however_frames_are_cut_the_events_and_the_answers_are_the_same(
        frames in prop::collection::vec(any_frame(), 1..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = frames.concat();
        let whole = seen([&bytes[..]].into_iter());
        prop_assert_eq!(&seen(bytes.chunks(1)), &whole);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        prop_assert_eq!(&seen(cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]])), &whole);
    }

    #[test]
    fn whatever_comes_is_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        seen([&bytes[..]].into_iter());
    }
}

/// One exchange: how much content goes each way, with trailers or not.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    asked: usize,
    answered: usize,
    trailers: bool,
}

fn any_exchange() -> impl Strategy<Value = Exchange> {
    (0..3000_usize, 0..3000_usize, any::<bool>()).prop_map(|(asked, answered, trailers)| Exchange {
        asked,
        answered,
        trailers,
    })
}

/// What has come on a stream.
#[derive(Default, Debug, PartialEq, Eq, Clone)]
struct Came {
    heads: usize,
    bytes: usize,
    trailers: usize,
    ended: bool,
}

fn came(said: &[Said], stream: u32) -> Came {
    let mut came = Came::default();
    for said in said {
        match said {
            Said::Head { stream: of, ended, .. } if *of == stream => {
                came.heads += 1;
                came.ended |= ended;
            }
            Said::Data { stream: of, content, ended } if *of == stream => {
                came.bytes += content.len();
                came.ended |= ended;
            }
            Said::Trailers { stream: of, .. } if *of == stream => {
                came.trailers += 1;
                came.ended = true;
            }
            Said::Reset { .. } | Said::Wrong(_) | Said::GoAway { .. } => panic!("{said:?}"),
            _ => {}
        }
    }
    came
}

/// Sends as much as there is room for; whether all is out then.
fn send<R: gannet_proto::h2::Role>(end: &mut End<R>, stream: u32, left: &mut usize, trailers: bool) -> bool
where
    R::Head: crate::end::Spelled,
{
    let key = end.key(stream);
    while *left > 0 {
        let piece = end.connection.room(key).min(*left);
        if piece == 0 {
            return false;
        }
        end.push(stream, piece, false);
        *left -= piece;
    }
    let trailers: &[u8] = if trailers { b"X-Sum: 1\r\n" } else { b"" };
    end.connection.finish(key, trailers, &mut end.out).expect("there is no length");
    true
}

/// Takes what has come, so that more may come; returns what is new.
fn take<R: gannet_proto::h2::Role>(end: &mut End<R>, bytes: &[u8])
where
    R::Head: crate::end::Spelled,
{
    for said in end.receive(bytes) {
        if let Said::Data { stream, content, .. } = said {
            end.connection.consumed(end.key(stream), content.len());
        }
    }
    end.connection.update_windows(&mut end.out);
}

fn begin(end: &mut End<ServerRole>, stream: u32) {
    let head = ResponseToSend { status: Status::OK, fields: b"X: y\r\n", length: None, date: Some(DATE) };
    end.connection.respond(end.key(stream), head, &mut end.blocks, &mut end.out);
}

proptest! {
    #[test]
    fn both_roles_understand_each_other_over_any_cut_and_windows_of_any_size(
        exchanges in prop::collection::vec(any_exchange(), 1..6),
        window in 1..2000_u32,
        cut in 1..3000_usize,
    ) {
        let limits = Limits { stream_window_bytes: window, ..Limits::default() };
        let (mut near, mut far) = (client_with(limits), server_with(limits));
        near.receive(&settings(&[(4, window)]));
        far.receive(&settings(&[(4, window)]));
        near.out.clear();
        far.out.clear();
        let mut state: Vec<_> = exchanges.iter().map(|exchange| {
            let stream = near.ask(Method::Post, BodyLength::Chunked);
            (stream, exchange.asked, exchange.answered, [false; 3])
        }).collect();
        for round in 0.. {
            prop_assert!(round < 20_000, "it goes on");
            for ((stream, asked, answered, [sent, begun, done]), exchange) in state.iter_mut().zip(&exchanges) {
                *sent = *sent || send(&mut near, *stream, asked, exchange.trailers);
                if !*begun && came(&far.said, *stream).heads == 1 {
                    begin(&mut far, *stream);
                    *begun = true;
                }
                *done = *done || (*begun && send(&mut far, *stream, answered, exchange.trailers));
            }
            let there = std::mem::take(&mut near.out);
            there.chunks(cut).for_each(|piece| take(&mut far, piece));
            let back = std::mem::take(&mut far.out);
            back.chunks(cut).for_each(|piece| take(&mut near, piece));
            // What a client of small windows must send is no flood here.
            near.connection.refill();
            far.connection.refill();
            if state.iter().all(|(stream, ..)| came(&near.said, *stream).ended && came(&far.said, *stream).ended) {
                break;
            }
        }
        for ((stream, ..), exchange) in state.iter().zip(&exchanges) {
            let trailers = usize::from(exchange.trailers);
            let expected = |bytes| Came { heads: 1, bytes, trailers, ended: true };
            prop_assert_eq!(came(&far.said, *stream), expected(exchange.asked));
            prop_assert_eq!(came(&near.said, *stream), expected(exchange.answered));
            near.release(*stream);
            far.release(*stream);
        }
        prop_assert_eq!((near.connection.streams(), far.connection.streams()), (0, 0));
    }
}

#[test]
fn a_connection_that_is_idle_goes_on_where_it_was() {
    let (mut near, mut far) = (client(), server());
    for _ in 0..3 {
        let stream = near.get();
        far.receive(&std::mem::take(&mut near.out));
        far.answer(stream, Status::OK, b"Hello, world!");
        near.receive(&std::mem::take(&mut far.out));
        assert!(came(&near.said, stream).ended);
        near.release(stream);
        near.connection.idle();
        far.connection.idle();
    }
}
