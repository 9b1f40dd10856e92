//! Beside tungstenite, both roles: what one writes the other reads, and what is refused by one is refused by the other.

use gannet_proto::scan::Level;
use gannet_proto::ws::{
    CloseCode, CloseFrame, ControlPayload, Event, Fragments, Kind, Limits, Receiver, Role, write_close,
    write_message, write_ping, write_pong,
};
use proptest::prelude::*;
use std::io::{self, Read, Write};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{Message, Role as TheirRole, WebSocket, WebSocketConfig};

/// What tungstenite reads, in pieces, and where it writes.
struct Wire {
    input: Vec<u8>,
    at: usize,
    piece: usize,
    out: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.input[self.at..];
        let length = rest.len().min(self.piece).min(buffer.len());
        if length == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(role: Role, input: Vec<u8>, piece: usize) -> WebSocket<Wire> {
    let role = if role == Role::Server { TheirRole::Server } else { TheirRole::Client };
    WebSocket::from_raw_socket(
        Wire { input, at: 0, piece, out: Vec::new() },
        role,
        Some(WebSocketConfig::default()),
    )
}

/// What either of the two heard.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Heard {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
    Wrong,
}

fn heard_by_us(role: Role, bytes: &[u8], piece: usize) -> Vec<Heard> {
    let (mut receiver, mut message, mut all) = (Receiver::new(role, Level::detect()), Vec::new(), Vec::new());
    for mut piece in bytes.chunks(piece) {
        loop {
            all.push(match receiver.poll_event(&mut piece, &Limits::default(), &mut message, None) {
                Ok(None) => break,
                Ok(Some(Event::Text)) => Heard::Text(message.clone()),
                Ok(Some(Event::Binary)) => Heard::Binary(message.clone()),
                Ok(Some(Event::Ping(payload))) => Heard::Ping(payload.to_vec()),
                Ok(Some(Event::Pong(payload))) => Heard::Pong(payload.to_vec()),
                Ok(Some(Event::Close(says))) => {
                    Heard::Close(says.map(|says| (says.code().number(), says.reason().to_owned())))
                }
                Err(_) => Heard::Wrong,
            });
        }
    }
    all
}

fn heard_by_them(role: Role, bytes: &[u8], piece: usize) -> Vec<Heard> {
    let (mut socket, mut all) = (theirs(role, bytes.to_vec(), piece), Vec::new());
    loop {
        all.push(match socket.read() {
            Ok(Message::Text(text)) => Heard::Text(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
            Ok(Message::Ping(bytes)) => Heard::Ping(bytes.to_vec()),
            Ok(Message::Pong(bytes)) => Heard::Pong(bytes.to_vec()),
            Ok(Message::Close(says)) => {
                all.push(Heard::Close(says.map(|says| (says.code.into(), says.reason.as_str().to_owned()))));
                return all;
            }
            Ok(Message::Frame(_)) => unreachable!("none is read"),
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return all,
            Err(_) => {
                all.push(Heard::Wrong);
                return all;
            }
        });
    }
}

/// One thing to say.
#[derive(Clone, Debug)]
enum Say {
    Text(String),
    Binary(Vec<u8>),
    Fragments(Vec<String>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn say() -> impl Strategy<Value = Say> {
    let control = || prop::collection::vec(any::<u8>(), 0..=125);
    prop_oneof![
        2 => "[a-zé→😀]{0,80}".prop_map(Say::Text),
        1 => prop::collection::vec(any::<u8>(), 0..400).prop_map(Say::Binary),
        1 => prop_oneof![Just(65_535_usize), Just(65_536)].prop_map(|length| Say::Binary(vec![1; length])),
        2 => prop::collection::vec("[a-zé]{0,20}", 1..5).prop_map(Say::Fragments),
        1 => control().prop_map(Say::Ping),
        1 => control().prop_map(Say::Pong),
    ]
}

fn expected(all: &[Say]) -> Vec<Heard> {
    let heard = all.iter().map(|say| match say {
        Say::Text(text) => Heard::Text(text.clone().into_bytes()),
        Say::Binary(bytes) => Heard::Binary(bytes.clone()),
        Say::Fragments(texts) => Heard::Text(texts.concat().into_bytes()),
        Say::Ping(bytes) => Heard::Ping(bytes.clone()),
        Say::Pong(bytes) => Heard::Pong(bytes.clone()),
    });
    heard.chain([Heard::Close(Some((3000, "grüezi".to_owned())))]).collect()
}

fn said_by_us(role: Role, all: &[Say]) -> Vec<u8> {
    let (mask, mut out) = ((role == Role::Client).then_some([0xa1, 0xb2, 0xc3, 0xd4]), Vec::new());
    let control = |bytes: &[u8]| ControlPayload::new(bytes).expect("it is short");
    for say in all {
        match say {
            Say::Text(text) => write_message(Kind::Text, text.as_bytes(), mask, &mut out),
            Say::Binary(bytes) => write_message(Kind::Binary, bytes, mask, &mut out),
            Say::Fragments(texts) => {
                let mut fragments = Fragments::new(Kind::Text);
                for (index, text) in texts.iter().enumerate() {
                    fragments.write(text.as_bytes(), index + 1 == texts.len(), mask, &mut out);
                }
            }
            Say::Ping(bytes) => write_ping(&control(bytes), mask, &mut out),
            Say::Pong(bytes) => write_pong(&control(bytes), mask, &mut out),
        }
    }
    let code = CloseCode::new(3000).expect("it is one");
    write_close(Some(&CloseFrame::new(code, "grüezi")), mask, &mut out);
    out
}

fn said_by_them(role: Role, all: &[Say]) -> Vec<u8> {
    let mut socket = theirs(role, Vec::new(), 1);
    let mut send = |message| socket.send(message).expect("the wire takes all");
    for say in all {
        match say.clone() {
            Say::Text(text) => send(Message::text(text)),
            Say::Binary(bytes) => send(Message::binary(bytes)),
            Say::Fragments(texts) => {
                for (index, text) in texts.iter().enumerate() {
                    let opcode = OpCode::Data(if index == 0 { Data::Text } else { Data::Continue });
                    let is_last = index + 1 == texts.len();
                    send(Message::Frame(Frame::message(text.clone(), opcode, is_last)));
                }
            }
            Say::Ping(bytes) => send(Message::Ping(bytes.into())),
            Say::Pong(bytes) => send(Message::Pong(bytes.into())),
        }
    }
    let says = tungstenite::protocol::CloseFrame { code: 3000.into(), reason: "grüezi".into() };
    socket.close(Some(says)).expect("the wire takes all");
    socket.flush().ok();
    socket.get_ref().out.clone()
}

const ROLES: [(Role, Role); 2] = [(Role::Client, Role::Server), (Role::Server, Role::Client)];

proptest! {
    #[test]
    fn what_we_write_both_read(all in prop::collection::vec(say(), 0..10), piece in 1_usize..200) {
        for (sender, receiver) in ROLES {
            let bytes = said_by_us(sender, &all);
            prop_assert!(heard_by_them(receiver, &bytes, piece) == expected(&all));
            prop_assert!(heard_by_us(receiver, &bytes, piece) == expected(&all));
        }
    }

    #[test]
    fn what_they_write_we_read(all in prop::collection::vec(say(), 0..10), piece in 1_usize..200) {
        for (sender, receiver) in ROLES {
            let bytes = said_by_them(sender, &all);
            prop_assert!(heard_by_us(receiver, &bytes, piece) == expected(&all));
            if sender == Role::Server {
                // Nothing is left to chance where there are no masks.
                prop_assert!(bytes == said_by_us(sender, &all));
            }
        }
    }

    /// Both read frames that are somehow made, and what follows a fault neither does. We are the stricter: of lengths that are longer than they need be, and codes
    /// and reasons of Close; and we tell at once that text is none.
    #[test]
    fn whatever_is_received_we_read_as_they_do_or_refuse(
        frames in prop::collection::vec(
            (
                prop::sample::select(vec![0x81_u8, 0x81, 0x82, 0x01, 0x80, 0x01, 0x80, 0x00, 0x89, 0x8a, 0x83, 0xc1, 0x09]),
                prop_oneof![3 => "[a-zé]{0,30}".prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..130)],
                prop::bool::weighted(0.97),
            ),
            0..8,
        ),
        piece in 1_usize..100,
    ) {
        for receiver in [Role::Server, Role::Client] {
            let other = if receiver == Role::Server { Role::Client } else { Role::Server };
            let bytes: Vec<u8> = frames.iter().flat_map(|(first, payload, is_right)| {
                let frame = super::raw::frame(*first, payload);
                frame.bytes_to(if *is_right { receiver } else { other })
            }).collect();
            let (ours, theirs) = (heard_by_us(receiver, &bytes, piece), heard_by_them(receiver, &bytes, piece));
            if ours.last() == Some(&Heard::Wrong) {
                let before = &ours[..ours.len() - 1];
                prop_assert!(theirs.starts_with(before), "{ours:?} {theirs:?}");
                // They wait for the end of a text before they look at it, and for all of a frame.
                prop_assert!(theirs.len() <= ours.len(), "{ours:?} {theirs:?}");
            } else {
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
