//! permessage-deflate (RFC 7692), by a real codec: its examples, what stays from message to message, and bombs.

use super::deflate::{Deflater, Inflater};
use super::echo::Echo;
use super::raw::{CONTINUATION, PING, bytes_to, frame, frames_of};
use gannet_proto::scan::Level;
use gannet_proto::ws::{
    Compression, Deflate, Error, Event, Fragments, Inflate, Kind, Limits, Receiver, Role, Window, compress,
    write_compressed_message,
};
use proptest::prelude::*;

const COMPRESSED_TEXT: u8 = 0xc1;
const MORE_COMPRESSED_TEXT: u8 = 0x41;
const KEPT: Window = Window::LARGEST;
const FORGOTTEN: Window = Window { is_taken_over: false, bits: 15 };

/// A receiver with what inflates for it.
struct Inflating {
    receiver: Receiver,
    inflater: Inflater,
    limits: Limits,
    message: Vec<u8>,
}

impl Inflating {
    fn new(role: Role, window: Window) -> Inflating {
        let receiver = Receiver::new(role, Level::detect());
        Inflating {
            receiver,
            inflater: Inflater::new(window),
            limits: Limits::default(),
            message: Vec::new(),
        }
    }

    fn next(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        self.receiver.poll_event(input, &self.limits, &mut self.message, Some(&mut self.inflater))
    }
}

/// The payloads of section 7.2.3, all of them "Hello".
const HELLOS: [&[u8]; 5] = [
    b"\xf2\x48\xcd\xc9\xc9\x07\x00",
    // Without compression; with a final block, behind which an empty one begins; in two blocks.
    b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
    b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
    b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
    b"\xf2\x48\xcd\xc9\xc9\x07\x00",
];

#[test]
fn the_examples_of_the_rfc_are_inflated_whole_in_two_frames_and_byte_by_byte() {
    for window in [KEPT, FORGOTTEN] {
        for role in [Role::Server, Role::Client] {
            let mut inflating = Inflating::new(role, window);
            for payload in HELLOS {
                for cut in 0..payload.len() {
                    let (first, last) = payload.split_at(cut);
                    let frames = [
                        frame(MORE_COMPRESSED_TEXT, first),
                        frame(PING, "between"),
                        frame(CONTINUATION, last),
                        frame(COMPRESSED_TEXT, payload),
                        frame(0x81, "not compressed"),
                    ];
                    let bytes = bytes_to(role, &frames);
                    let mut heard = Vec::new();
                    for mut byte in bytes.chunks(1) {
                        match inflating.next(&mut byte).expect("it is in order") {
                            Some(Event::Text) => heard.push(inflating.message.clone()),
                            Some(Event::Ping(payload)) => heard.push(payload.to_vec()),
                            other => assert_eq!(other, None),
                        }
                    }
                    assert_eq!(heard, [&b"between"[..], b"Hello", b"Hello", b"not compressed"]);
                }
            }
        }
    }
}

/// Section 7.2.3.2: the second message points into the first.
#[test]
fn a_window_that_is_taken_over_is_that_of_the_message_before() {
    let bytes = bytes_to(
        Role::Client,
        &[frame(COMPRESSED_TEXT, HELLOS[0]), frame(COMPRESSED_TEXT, b"\xf2\x00\x11\x00\x00")],
    );
    let mut kept = Inflating::new(Role::Client, KEPT);
    let mut input = &bytes[..];
    for _ in 0..2 {
        assert_eq!(kept.next(&mut input), Ok(Some(Event::Text)));
        assert_eq!(kept.message, b"Hello");
    }
    let mut forgotten = Inflating::new(Role::Client, FORGOTTEN);
    let mut input = &bytes[..];
    assert_eq!(forgotten.next(&mut input), Ok(Some(Event::Text)));
    assert_eq!(forgotten.next(&mut input), Err(Error::InvalidCompression));
    assert_eq!(Error::InvalidCompression.close_code().number(), 1007);
}

#[test]
fn a_message_that_repeats_one_is_short_only_where_the_window_is_taken_over() {
    let message = b"{\"symbol\":\"GNT\",\"price\":1017.25,\"volume\":90211}";
    let second = |window| {
        let (mut deflater, mut out) = (Deflater::new(window), Vec::new());
        compress(message, &mut deflater, &mut out);
        out.clear();
        compress(message, &mut deflater, &mut out);
        out.len()
    };
    assert!(second(KEPT) < 10 && second(FORGOTTEN) > 30, "{} {}", second(KEPT), second(FORGOTTEN));
}

#[test]
fn an_empty_message_is_one_byte_and_is_none_again() {
    let (mut deflater, mut out) = (Deflater::new(KEPT), Vec::new());
    write_compressed_message(Kind::Text, b"", None, &mut deflater, &mut out);
    assert_eq!(frames_of(Role::Server, &out), [frame(COMPRESSED_TEXT, [0])]);
    let mut inflating = Inflating::new(Role::Client, KEPT);
    assert_eq!(inflating.next(&mut &out[..]), Ok(Some(Event::Text)));
    assert!(inflating.message.is_empty());
}

#[test]
fn a_bomb_stops_at_the_limit_however_small_it_is() {
    for window in [KEPT, FORGOTTEN] {
        let mut bomb = Vec::new();
        write_compressed_message(
            Kind::Binary,
            &vec![0; 17 << 20],
            Some([1, 2, 3, 4]),
            &mut Deflater::new(window),
            &mut bomb,
        );
        assert!(bomb.len() < 200_000, "{}", bomb.len());
        for piece in [bomb.len(), 100] {
            let mut inflating = Inflating::new(Role::Server, window);
            let wrong = bomb.chunks(piece).find_map(|mut piece| inflating.next(&mut piece).err());
            assert_eq!(wrong, Some(Error::MessageTooLarge));
            assert!(inflating.message.len() <= 16 << 20, "{}", inflating.message.len());
            assert!(inflating.message.capacity() <= 32 << 20);
        }
    }
}

#[test]
fn what_is_inflated_to_the_limit_is_a_message_and_one_byte_more_is_not() {
    for (length, is_message) in [(1000, true), (1001, false)] {
        let mut out = Vec::new();
        write_compressed_message(Kind::Binary, &vec![7; length], None, &mut Deflater::new(KEPT), &mut out);
        let mut inflating = Inflating::new(Role::Client, KEPT);
        inflating.limits.message_bytes = 1000;
        let expected = if is_message { Ok(Some(Event::Binary)) } else { Err(Error::MessageTooLarge) };
        assert_eq!(inflating.next(&mut &out[..]), expected);
    }
}

/// Blocks that are inflated to nothing.
#[test]
fn compressed_bytes_count_also_where_they_are_inflated_to_nothing() {
    let mut inflating = Inflating::new(Role::Client, KEPT);
    inflating.limits.message_bytes = 1000;
    let empty = b"\x00\x00\x00\xff\xff".repeat(201);
    let frames = [frame(MORE_COMPRESSED_TEXT, &empty[..500]), frame(CONTINUATION, &empty[500..])];
    assert_eq!(inflating.next(&mut &bytes_to(Role::Client, &frames)[..]), Err(Error::MessageTooLarge));
    assert!(inflating.message.is_empty());
}

#[test]
fn what_is_no_deflate_fails() {
    for payload in [&b"\xff\xff\xff"[..], b"\x06", b"\x00\x05\x00\x05\x00Hello\x00"] {
        let mut inflating = Inflating::new(Role::Client, KEPT);
        let bytes = bytes_to(Role::Client, &[frame(COMPRESSED_TEXT, payload)]);
        assert_eq!(
            inflating.next(&mut &bytes[..]),
            Err(Error::InvalidCompression),
            "{}",
            payload.escape_ascii()
        );
    }
}

#[test]
fn text_that_is_not_utf8_once_it_is_inflated_fails_within_its_frame() {
    let mut payload = Vec::new();
    Deflater::new(KEPT).deflate(&[&[b'a'; 5000][..], b"\xff"].concat(), false, &mut payload);
    let bytes = bytes_to(Role::Server, &[frame(MORE_COMPRESSED_TEXT, &payload)]);
    let mut inflating = Inflating::new(Role::Server, KEPT);
    assert_eq!(inflating.next(&mut &bytes[..]), Err(Error::InvalidText));
}

#[test]
fn only_the_first_frame_of_a_message_says_that_it_is_compressed() {
    for (first, second) in
        [(MORE_COMPRESSED_TEXT, 0xc0), (0x01, 0xc0), (0xc9, 0x89), (0xc8, 0x88), (0x61, 0x80)]
    {
        let mut inflating = Inflating::new(Role::Client, KEPT);
        let bytes = bytes_to(Role::Client, &[frame(first, ""), frame(second, "")]);
        let mut input = &bytes[..];
        let wrong = (0..2).find_map(|_| inflating.next(&mut input).err());
        assert_eq!(wrong, Some(Error::ReservedBits), "{first:#x} {second:#x}");
    }
}

/// The codec may be given only from one message to the next.
#[test]
fn a_message_whose_codec_is_taken_away_fails() {
    let mut inflating = Inflating::new(Role::Client, KEPT);
    let bytes = bytes_to(Role::Client, &[frame(COMPRESSED_TEXT, HELLOS[0])]);
    assert_eq!(inflating.next(&mut &bytes[..5]), Ok(None));
    let Inflating { receiver, limits, message, .. } = &mut inflating;
    let wrong = receiver.poll_event(&mut &bytes[5..], limits, message, None);
    assert_eq!(wrong, Err(Error::InvalidCompression));
}

fn window() -> impl Strategy<Value = Window> {
    (any::<bool>(), 9_u8..=15).prop_map(|(is_taken_over, bits)| Window { is_taken_over, bits })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn messages_come_back_whatever_was_agreed_on(
        server in window(),
        client in window(),
        messages in prop::collection::vec(("[a-zé😀]{0,40}", 0_usize..200, 1_usize..5), 1..6),
        piece in 1_usize..3000,
    ) {
        let agreed = Compression { server, client };
        for role in [Role::Server, Role::Client] {
            let (mut echo, mut sent) = (Echo::with_compression(role, Level::detect(), agreed), Vec::new());
            let other = if role == Role::Server { Role::Client } else { Role::Server };
            let ours = Echo::with_compression(other, Level::detect(), agreed);
            let (mask, mut codec) = (ours.mask(), ours.codec.expect("it was agreed on"));
            let payloads: Vec<Vec<u8>> =
                messages.iter().map(|(unit, times, _)| unit.repeat(*times).into_bytes()).collect();
            for (payload, (_, _, frames)) in payloads.iter().zip(&messages) {
                let mut fragments = Fragments::new(Kind::Text);
                let pieces: Vec<&[u8]> = payload.chunks(payload.len() / frames + 1).collect();
                for (index, piece) in pieces.iter().enumerate() {
                    fragments.write_compressed(piece, index + 1 == pieces.len(), mask, &mut codec.deflater, &mut sent);
                }
                if pieces.is_empty() {
                    fragments.write_compressed(b"", true, mask, &mut codec.deflater, &mut sent);
                }
            }
            sent.chunks(piece).for_each(|piece| echo.receive(piece));
            let (mut receiver, mut message) = (Receiver::new(other, Level::detect()), Vec::new());
            let mut input = &echo.out[..];
            for payload in &payloads {
                let inflate = Some(&mut codec.inflater as &mut dyn Inflate);
                let event = receiver.poll_event(&mut input, &Limits::default(), &mut message, inflate);
                prop_assert_eq!(event, Ok(Some(Event::Text)));
                prop_assert_eq!(&message, payload);
            }
            prop_assert!(input.is_empty() && !echo.ended);
        }
    }
}
