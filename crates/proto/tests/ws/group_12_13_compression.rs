//! Autobahn's groups 12 and 13: compressed messages of many lengths, in one frame and in many, under each of its agreements.
//!
//! Autobahn sends a thousand of each; here there are fewer, of text and bytes that are made up.

use super::echo::{Codec, Echo};
use gannet_proto::scan::Level;
use gannet_proto::ws::{
    Compression, Event, Fragments, Inflate, Kind, Limits, Receiver, Role, Window, Wishes, choose_compression,
};

/// Lengths of messages, and of the frames that they are in; 0: all in one.
const SIZES: [(usize, usize); 18] = [
    (16, 0),
    (64, 0),
    (256, 0),
    (1024, 0),
    (4096, 0),
    (8192, 0),
    (16_384, 0),
    (32_768, 0),
    (65_536, 0),
    (131_072, 0),
    (8192, 256),
    (16_384, 256),
    (32_768, 256),
    (65_536, 256),
    (131_072, 256),
    (131_072, 1024),
    (131_072, 4096),
    (131_072, 32_768),
];
const MESSAGES: usize = 12;

/// So many bytes, from somewhere in what goes on for ever.
fn payload(kind: Kind, length: usize, from: usize) -> Vec<u8> {
    if kind == Kind::Binary {
        // Some of it repeats, some does not.
        return (from..from + length).map(|at| (at.wrapping_mul(at >> 7) >> 3) as u8).collect();
    }
    let record = |number: usize| {
        format!(
            "{{\"id\":{number},\"name\":\"Grüße {}\",\"tags\":[\"a\",\"→\"],\"score\":{}}}\n",
            number * 7,
            number % 13
        )
    };
    let text: String = (from..)
        .map(record)
        .scan(0, |sum, line| {
            let before = *sum;
            *sum += line.len();
            (before < length).then_some(line)
        })
        .collect();
    text.as_bytes()[..text.floor_char_boundary(length)].to_vec()
}

/// A client that knows what was agreed on, and its echo, exchange messages of each size.
fn exchange(agreed: Compression, kind: Kind) {
    for (length, frame_bytes) in SIZES {
        let mut server = Echo::with_compression(Role::Server, Level::detect(), agreed);
        let mut client = Codec::new(Role::Client, agreed);
        let (mut receiver, mut message) = (Receiver::new(Role::Client, Level::detect()), Vec::new());
        for index in 0..MESSAGES {
            let payload = payload(kind, length, index * 31);
            let (mut fragments, mut sent) = (Fragments::new(kind), Vec::new());
            let pieces: Vec<&[u8]> =
                payload.chunks(if frame_bytes == 0 { length } else { frame_bytes }).collect();
            for (at, piece) in pieces.iter().enumerate() {
                let is_last = at + 1 == pieces.len();
                fragments.write_compressed(
                    piece,
                    is_last,
                    Some([9, 8, 7, 6]),
                    &mut client.deflater,
                    &mut sent,
                );
            }
            sent.chunks(16_384).for_each(|piece| server.receive(piece));
            let out = std::mem::take(&mut server.out);
            let inflate = Some(&mut client.inflater as &mut dyn Inflate);
            let event = receiver.poll_event(&mut &out[..], &Limits::default(), &mut message, inflate);
            let expected = if kind == Kind::Text { Event::Text } else { Event::Binary };
            assert_eq!(event, Ok(Some(expected)), "{length} in {frame_bytes}");
            assert!(message == payload, "{length} in {frame_bytes}");
        }
    }
}

#[test]
fn case_12_messages_of_each_size_are_echoed_as_they_were() {
    exchange(Compression::default(), Kind::Text);
    exchange(Compression::default(), Kind::Binary);
}

/// What a client of Autobahn's offers, and what a server of its answers. It speaks of what the other is to do.
#[test]
fn case_13_messages_are_echoed_under_each_agreement() {
    let window = |is_taken_over, bits| Window { is_taken_over, bits };
    for (offers, expected) in [
        ("permessage-deflate; client_no_context_takeover; client_max_window_bits", window(true, 15)),
        (
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover",
            window(false, 15),
        ),
        (
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=9",
            window(true, 9),
        ),
        (
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=15",
            window(true, 15),
        ),
        (
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9",
            window(false, 9),
        ),
        (
            "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover; server_max_window_bits=15",
            window(false, 15),
        ),
        (
            "permessage-deflate; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9, permessage-deflate; server_no_context_takeover, permessage-deflate",
            window(false, 9),
        ),
    ] {
        let agreed = choose_compression(&[offers.as_bytes()], Wishes::default(), &mut Vec::new());
        let agreed = agreed.expect("it is a list").expect("it can be agreed on");
        assert_eq!(agreed.server, expected, "{offers}");
        exchange(agreed, Kind::Text);
    }
    let small = Compression { server: window(true, 9), client: window(false, 9) };
    let (offer, mut line, mut answer) = (Wishes { most: small, ..Wishes::default() }, Vec::new(), Vec::new());
    offer.write_offer(&mut line);
    let agreed = choose_compression(&[&line], Wishes::default(), &mut answer);
    assert_eq!(agreed, Ok(Some(small)));
    assert_eq!(offer.check_answer(&[&answer]), Ok(Some(small)));
    exchange(small, Kind::Text);
}
