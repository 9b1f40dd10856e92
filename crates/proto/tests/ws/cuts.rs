//! However the bytes are cut, and with whatever masks: events, messages and errors are the same.

use gannet_proto::scan::Level;
use gannet_proto::ws::{
    CloseCode, CloseFrame, ControlPayload, Error, Event, Fragments, Kind, Limits, Receiver, Role,
    write_close, write_message, write_ping, write_pong,
};
use proptest::prelude::*;

/// What was received.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Heard {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Wrong(Error),
}

fn heard<'a>(role: Role, level: Level, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Heard> {
    let (mut receiver, limits) = (Receiver::new(role, level), Limits::default());
    let (mut message, mut all) = (Vec::new(), Vec::new());
    for mut piece in pieces {
        loop {
            let begun = receiver.in_message();
            all.push(match receiver.poll_event(&mut piece, &limits, &mut message, None) {
                Ok(None) => break,
                Ok(Some(Event::Text)) => Heard::Message(Kind::Text, std::mem::take(&mut message)),
                Ok(Some(Event::Binary)) => Heard::Message(Kind::Binary, message.clone()),
                Ok(Some(Event::Ping(payload))) => Heard::Ping(payload.to_vec()),
                Ok(Some(Event::Pong(payload))) => Heard::Pong(payload.to_vec()),
                Ok(Some(Event::Close(says))) => {
                    Heard::Close(says.map(|says| (says.code().number(), says.reason().to_owned())))
                }
                Err(error) => Heard::Wrong(error),
            });
            assert!(!(receiver.is_over() && receiver.in_message()), "{begun}");
        }
        assert!(piece.is_empty());
    }
    all
}

/// One thing that a peer sends.
#[derive(Clone, Debug)]
enum Sent {
    Message(Kind, Vec<u8>),
    /// In so many pieces, with Pings between them.
    Fragments(Kind, Vec<u8>, usize),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn payload(kind: Kind) -> BoxedStrategy<Vec<u8>> {
    match kind {
        Kind::Text => "[a-zé→😀]{0,120}".prop_map(String::into_bytes).boxed(),
        Kind::Binary => {
            let short = prop::collection::vec(any::<u8>(), 0..300);
            prop_oneof![8 => short, 1 => Just(vec![0xfe; 65_535]), 1 => Just(vec![0xfe; 65_536])].boxed()
        }
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    let kind = || prop_oneof![Just(Kind::Text), Just(Kind::Binary)];
    let message = kind().prop_flat_map(|kind| payload(kind).prop_map(move |payload| (kind, payload)));
    let control = || prop::collection::vec(any::<u8>(), 0..=125);
    prop_oneof![
        4 => message.clone().prop_map(|(kind, payload)| Sent::Message(kind, payload)),
        4 => (message, 1_usize..6).prop_map(|((kind, payload), pieces)| Sent::Fragments(kind, payload, pieces)),
        1 => control().prop_map(Sent::Ping),
        1 => control().prop_map(Sent::Pong),
    ]
}

/// Writes all of it, each frame with another mask; gives what is to be heard.
fn write(role: Role, all: &[Sent], out: &mut Vec<u8>) -> Vec<Heard> {
    let mut masks = 0_u32;
    let mut mask = || {
        masks = masks.wrapping_mul(0x9e37_79b1).wrapping_add(0x0102_0408);
        (role == Role::Client).then(|| masks.to_be_bytes())
    };
    let control = |payload: &[u8]| ControlPayload::new(payload).expect("it is short");
    let mut expected = Vec::new();
    for sent in all {
        match sent {
            Sent::Message(kind, payload) => {
                write_message(*kind, payload, mask(), out);
                expected.push(Heard::Message(*kind, payload.clone()));
            }
            Sent::Fragments(kind, payload, pieces) => {
                let mut fragments = Fragments::new(*kind);
                for piece in payload.chunks(payload.len() / pieces + 1) {
                    fragments.write(piece, false, mask(), out);
                    write_ping(&control(b"between"), mask(), out);
                    expected.push(Heard::Ping(b"between".to_vec()));
                }
                fragments.write(b"", true, mask(), out);
                expected.push(Heard::Message(*kind, payload.clone()));
            }
            Sent::Ping(payload) => {
                write_ping(&control(payload), mask(), out);
                expected.push(Heard::Ping(payload.clone()));
            }
            Sent::Pong(payload) => {
                write_pong(&control(payload), mask(), out);
                expected.push(Heard::Pong(payload.clone()));
            }
        }
    }
    let says = CloseFrame::new(CloseCode::GOING_AWAY, "that was all");
    write_close(Some(&says), mask(), out);
    expected.push(Heard::Close(Some((1001, "that was all".to_owned()))));
    expected
}

proptest! {
    #[test]
    fn what_is_sent_is_received_however_it_is_cut(
        all in prop::collection::vec(sent(), 0..12), cuts in prop::collection::vec(1_usize..400, 1..20),
    ) {
        for (sender, receiver) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
            let mut bytes = Vec::new();
            let expected = write(sender, &all, &mut bytes);
            for level in Level::available() {
                let mut rest = &bytes[..];
                let pieces = cuts.iter().cycle().map_while(|cut| {
                    let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                    rest = behind;
                    (!piece.is_empty()).then_some(piece)
                });
                prop_assert!(heard(receiver, level, pieces) == expected);
                prop_assert!(heard(receiver, level, [&bytes[..]]) == expected);
            }
        }
    }

    #[test]
    fn whatever_is_received_is_heard_alike_however_it_is_cut(
        bytes in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(vec![0x00_u8, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0x83, 0x85, 0xfe, 0x7e, 0xff]),
            1 => any::<u8>(),
        ], 0..80),
    ) {
        for role in [Role::Server, Role::Client] {
            let expected = heard(role, Level::BASELINE, [&bytes[..]]);
            for level in Level::available() {
                prop_assert_eq!(&heard(role, level, bytes.chunks(1)), &expected);
                for cut in 0..bytes.len() {
                    let (before, behind) = bytes.split_at(cut);
                    prop_assert_eq!(&heard(role, level, [before, behind]), &expected);
                }
            }
        }
    }
}

#[test]
fn every_kind_of_frame_is_received_in_any_two_pieces_and_byte_by_byte() {
    let all = [
        Sent::Message(Kind::Text, "grüße → 😀".as_bytes().to_vec()),
        Sent::Message(Kind::Binary, vec![7; 300]),
        Sent::Fragments(Kind::Text, "grüße → 😀".repeat(9).into_bytes(), 5),
        Sent::Ping(vec![1; 125]),
        Sent::Pong(Vec::new()),
    ];
    for (sender, receiver) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
        let mut bytes = Vec::new();
        let expected = write(sender, &all, &mut bytes);
        for level in Level::available() {
            assert_eq!(heard(receiver, level, bytes.chunks(1)), expected);
            for cut in 0..=bytes.len() {
                let (before, behind) = bytes.split_at(cut);
                assert_eq!(heard(receiver, level, [before, behind]), expected, "cut at {cut}");
            }
        }
    }
}
