//! What a peer may do wrong, and each limit.

use super::echo::{Echo, closed, expect, text};
use super::raw::{
    BINARY, CONTINUATION, Frame, MORE_CONTINUATION, MORE_TEXT, PING, PONG, TEXT, bytes_to, close, frame,
    frames_of,
};
use gannet_proto::scan::Level;
use gannet_proto::ws::{Error, Limits, Receiver, Role};

/// What is wrong with these bytes, in one piece or byte by byte; none if more could follow.
fn wrong(role: Role, limits: &Limits, bytes: &[u8]) -> Option<Error> {
    let once = |piece| {
        let (mut receiver, mut message) = (Receiver::new(role, Level::BASELINE), Vec::new());
        let mut errors = bytes.chunks(piece).filter_map(|mut piece| {
            while !piece.is_empty() {
                if let Err(error) = receiver.poll_event(&mut piece, limits, &mut message, None) {
                    return Some(error);
                }
            }
            None
        });
        errors.next()
    };
    let error = once(bytes.len().max(1));
    assert_eq!(once(1), error, "{}", bytes.escape_ascii());
    error
}

#[test]
fn each_role_wants_masks_as_the_other_is_to_use_them() {
    let limits = Limits::default();
    for first in [TEXT, BINARY, MORE_TEXT, PING, PONG, 0x88] {
        let frame = frame(first, "");
        assert_eq!(wrong(Role::Server, &limits, &frame.bytes_to(Role::Client)), Some(Error::NotMasked));
        assert_eq!(wrong(Role::Client, &limits, &frame.bytes_to(Role::Server)), Some(Error::Masked));
        assert_eq!(wrong(Role::Server, &limits, &frame.bytes_to(Role::Server)), None);
    }
    assert_eq!(Error::NotMasked.close_code().number(), 1002);
}

#[test]
fn lengths_are_in_their_shortest_form_and_below_2_to_the_63() {
    let limits = Limits::default();
    for (length, error) in [
        (&[0xfe, 0, 0][..], Error::LengthNotMinimal),
        (&[0xfe, 0, 125], Error::LengthNotMinimal),
        (&[0xff, 0, 0, 0, 0, 0, 0, 0, 1], Error::LengthNotMinimal),
        (&[0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], Error::LengthNotMinimal),
        (&[0xff, 0x80], Error::LengthTooLarge),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Error::LengthTooLarge),
    ] {
        for first in [TEXT, BINARY, MORE_TEXT] {
            assert_eq!(wrong(Role::Server, &limits, &[&[first], length].concat()), Some(error), "{length:?}");
        }
    }
    let most = [BINARY, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    assert_eq!(wrong(Role::Server, &limits, &most), Some(Error::MessageTooLarge));
    for first in [PING, PONG, 0x88] {
        let long = [first, 0xfe];
        assert_eq!(wrong(Role::Server, &limits, &long), Some(Error::ControlTooLong));
    }
}

#[test]
fn a_message_beyond_message_bytes_fails_by_1009_however_it_is_fragmented() {
    let limits = Limits { message_bytes: 100, ..Limits::default() };
    let message = |lengths: &[usize]| {
        let mut frames: Vec<Frame> =
            lengths.iter().map(|length| frame(MORE_CONTINUATION, vec![b'a'; *length])).collect();
        frames[0].first = MORE_TEXT;
        let last = frames.len() - 1;
        frames[last].first |= CONTINUATION;
        bytes_to(Role::Server, &frames)
    };
    for within in [&[100][..], &[50, 50], &[0, 100, 0], &[1; 100]] {
        assert_eq!(wrong(Role::Server, &limits, &message(within)), None, "{within:?}");
    }
    for beyond in [&[101][..], &[50, 51], &[100, 1], &[1; 101]] {
        assert_eq!(
            wrong(Role::Server, &limits, &message(beyond)),
            Some(Error::MessageTooLarge),
            "{beyond:?}"
        );
    }
    // Each message counts for itself.
    assert_eq!(wrong(Role::Server, &limits, &message(&[100]).repeat(5)), None);
    let default = [BINARY, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 1, 2, 3, 4];
    assert_eq!(wrong(Role::Server, &Limits::default(), &default), Some(Error::MessageTooLarge));
    assert_eq!(Error::MessageTooLarge.close_code().number(), 1009);
}

#[test]
fn a_message_of_more_than_fragments_frames_fails_by_1009() {
    let fragments = |count: usize| {
        let mut frames = vec![frame(MORE_TEXT, "a")];
        frames.resize(count - 1, frame(MORE_CONTINUATION, "a"));
        frames.push(frame(CONTINUATION, "a"));
        bytes_to(Role::Server, &frames)
    };
    let limits = Limits { fragments: 5, ..Limits::default() };
    assert_eq!(wrong(Role::Server, &limits, &fragments(5).repeat(3)), None);
    assert_eq!(wrong(Role::Server, &limits, &fragments(6)), Some(Error::TooManyFragments));
    assert_eq!(wrong(Role::Server, &Limits::default(), &fragments(131_072)), None);
    assert_eq!(wrong(Role::Server, &Limits::default(), &fragments(131_073)), Some(Error::TooManyFragments));
    assert_eq!(Error::TooManyFragments.close_code().number(), 1009);
}

#[test]
fn floods_of_pings_and_pongs_fail_by_1008_and_messages_earn_four_each() {
    let limits = Limits { useless_frames: 10, ..Limits::default() };
    let bytes = |frames: &[Frame]| bytes_to(Role::Server, frames);
    for first in [PING, PONG] {
        let flood = vec![frame(first, "payload"); 11];
        assert_eq!(wrong(Role::Server, &limits, &bytes(&flood[..10])), None);
        assert_eq!(wrong(Role::Server, &limits, &bytes(&flood)), Some(Error::TooManyUselessFrames));
        let by_default = frame(first, "").bytes_to(Role::Server).repeat(1025);
        let within = &by_default[..by_default.len() - 6];
        assert_eq!(wrong(Role::Server, &Limits::default(), within), None);
        assert_eq!(wrong(Role::Server, &Limits::default(), &by_default), Some(Error::TooManyUselessFrames));
        // A Close costs nothing: there is one.
        let ended = [&flood[..10], &[close(1000, "")]].concat();
        assert_eq!(wrong(Role::Server, &limits, &bytes(&ended)), None);
        // A message of one frame earns for its payload, and for itself.
        let paid: Vec<Frame> = (0..50)
            .flat_map(|_| std::iter::repeat_n(frame(first, ""), 8).chain([frame(TEXT, "a")]))
            .collect();
        assert_eq!(wrong(Role::Server, &limits, &bytes(&paid)), None);
    }
    assert_eq!(Error::TooManyUselessFrames.close_code().number(), 1008);
}

#[test]
fn floods_of_empty_fragments_fail_by_1008_and_empty_messages_are_messages() {
    let limits = Limits { useless_frames: 10, ..Limits::default() };
    let mut flood = vec![frame(MORE_TEXT, "")];
    flood.resize(11, frame(MORE_CONTINUATION, ""));
    assert_eq!(wrong(Role::Server, &limits, &bytes_to(Role::Server, &flood[..10])), None);
    assert_eq!(
        wrong(Role::Server, &limits, &bytes_to(Role::Server, &flood)),
        Some(Error::TooManyUselessFrames)
    );
    assert_eq!(wrong(Role::Server, &limits, &bytes_to(Role::Server, &vec![frame(TEXT, ""); 1000])), None);
    // As streams that learn of their end too late send them.
    let ended_late = bytes_to(Role::Server, &[frame(MORE_TEXT, "a"), frame(CONTINUATION, "")]).repeat(1000);
    assert_eq!(wrong(Role::Server, &limits, &ended_late), None);
}

#[test]
fn whoever_has_a_clock_lets_pings_go_on_for_ever() {
    let limits = Limits { useless_frames: 10, ..Limits::default() };
    let (mut receiver, mut message) = (Receiver::new(Role::Client, Level::BASELINE), Vec::new());
    for _ in 0..100 {
        let pings = frame(PING, "").bytes_to(Role::Client).repeat(10);
        let mut input = &pings[..];
        while !input.is_empty() {
            let event = receiver.poll_event(&mut input, &limits, &mut message, None);
            assert!(matches!(event, Ok(Some(_))), "{event:?}");
        }
        receiver.refill();
    }
}

#[test]
fn a_flood_is_answered_to_its_limit_and_not_beyond() {
    let limits = Limits { useless_frames: 10, ..Limits::default() };
    let mut echo = Echo::new(Role::Server, Level::BASELINE, limits);
    echo.receive(&frame(PING, "").bytes_to(Role::Server).repeat(1_000_000));
    let said = frames_of(Role::Server, &echo.out);
    assert_eq!(said.len(), 11);
    assert_eq!(said[10].payload[..2], 1008_u16.to_be_bytes());
}

#[test]
fn text_that_is_broken_across_frames_and_pings_fails() {
    let frames = [
        frame(MORE_TEXT, b"gr\xc3"),
        frame(PING, ""),
        frame(MORE_CONTINUATION, ""),
        frame(CONTINUATION, "x"),
    ];
    expect(&frames, &[super::echo::pong(""), closed(1007)]);
    expect(&[frame(MORE_TEXT, b"gr\xc3"), frame(CONTINUATION, b"\xbc")], &[text("grü")]);
    expect(&[frame(MORE_TEXT, b"gr\xc3"), frame(CONTINUATION, "")], &[closed(1007)]);
    // What one message broke off does not begin the next.
    expect(&[frame(TEXT, "a"), frame(TEXT, b"\xbc")], &[text("a"), closed(1007)]);
}

#[test]
fn compressed_frames_fail_where_nobody_agreed_on_compression() {
    expect(&[frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00")], &[closed(1002)]);
}

#[test]
fn a_message_s_beginning_is_forgotten_where_the_conversation_ends() {
    for end in [close(1000, ""), frame(0xf0, "")] {
        let mut echo = Echo::new(Role::Server, Level::BASELINE, Limits::default());
        echo.receive(&bytes_to(Role::Server, &[frame(MORE_TEXT, "a"), end]));
        assert!(echo.ended && echo.receiver.is_over() && !echo.receiver.in_message());
    }
}
