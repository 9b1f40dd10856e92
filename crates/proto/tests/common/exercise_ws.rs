//! What the fuzz target `ws` does with its input: frames of any kind, cut anyhow, compressed or not, against either role.

use super::deflate::{Deflater, Inflater};
use super::exercise_h2::Choices;
use gannet_proto::scan::Level;
use gannet_proto::ws::{
    Closing, Error, Event, Fragments, Inflate, Kind, Limits, Opcode, Receiver, Role, Window, write_close,
    write_compressed_message, write_message, write_ping, write_pong,
};

/// What was received.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Heard {
    Message(Event, Vec<u8>),
    Control(Event),
    Wrong(Error),
}

/// Where a conversation is.
#[derive(Clone, Copy)]
struct Setting {
    role: Role,
    level: Level,
    limits: Limits,
    /// What the peer compresses with, if that was agreed on.
    window: Option<Window>,
}

impl Setting {
    /// What is heard of bytes that come in such pieces. Nothing is held beyond the limits, and nothing follows an end.
    fn heard(self, bytes: &[u8], pieces: &[u8]) -> Vec<Heard> {
        let Setting { role, level, limits, window } = self;
        let (mut receiver, mut inflater) = (Receiver::new(role, level), window.map(Inflater::new));
        let (mut message, mut all, mut rest) = (Vec::new(), Vec::new(), bytes);
        let lengths = pieces.iter().map(|piece| usize::from(*piece) + 1).cycle();
        for length in lengths {
            let (mut piece, behind) = rest.split_at(length.min(rest.len()));
            loop {
                let inflate = inflater.as_mut().map(|inflater| inflater as &mut dyn Inflate);
                let was_over = receiver.is_over();
                let event = receiver.poll_event(&mut piece, &limits, &mut message, inflate);
                assert!(!was_over || event == Ok(None), "nothing follows the end");
                assert!(message.len() <= limits.message_bytes as usize);
                assert!(message.capacity() <= 2 * limits.message_bytes as usize + 64);
                all.push(match event {
                    Ok(None) => break,
                    Ok(Some(event @ (Event::Text | Event::Binary))) => {
                        assert!(event == Event::Binary || std::str::from_utf8(&message).is_ok());
                        Heard::Message(event, message.clone())
                    }
                    Ok(Some(event)) => Heard::Control(event),
                    Err(error) => Heard::Wrong(error),
                });
            }
            assert!(piece.is_empty(), "all was read");
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        all
    }
}

/// Frames, most of them as they should be.
fn frames(choices: &mut Choices<'_>, setting: Setting) -> Vec<u8> {
    let (mut bytes, mut deflater) = (Vec::new(), setting.window.map(Deflater::new));
    while !choices.is_empty() {
        let mask = (setting.role == Role::Server).then(|| [choices.byte(), choices.byte(), 0x55, 0xaa]);
        let kind = if choices.byte().is_multiple_of(2) { Kind::Text } else { Kind::Binary };
        match (choices.byte() % 8, &mut deflater) {
            // A frame with any first byte and any length.
            (0, _) => {
                bytes.extend([choices.byte(), choices.byte()]);
                bytes.extend(choices.bytes(140));
            }
            (1, Some(deflater)) => {
                let payload = choices.bytes(255).repeat(usize::from(choices.byte()));
                write_compressed_message(kind, &payload, mask, deflater, &mut bytes);
            }
            (2, Some(deflater)) => {
                let mut fragments = Fragments::new(kind);
                for is_last in [false, false, true] {
                    fragments.write_compressed(choices.bytes(255), is_last, mask, deflater, &mut bytes);
                }
            }
            (1..=3, _) => {
                let mut fragments = Fragments::new(kind);
                for is_last in [false, false, choices.byte() < 200] {
                    fragments.write(choices.bytes(140), is_last, mask, &mut bytes);
                }
            }
            // Any first byte, and all else as it should be.
            (4, _) => {
                let start = bytes.len();
                write_message(kind, choices.bytes(200), mask, &mut bytes);
                bytes[start] = choices.byte();
            }
            _ => write_message(kind, choices.bytes(255), mask, &mut bytes),
        }
    }
    bytes
}

/// Writes what was heard, and has the other role hear it.
fn say_again(setting: Setting, heard: &[Heard]) {
    let other = if setting.role == Role::Server { Role::Client } else { Role::Server };
    let mask = (setting.role == Role::Client).then_some([1, 2, 3, 4]);
    let (mut closing, mut out, mut expected) = (Closing::Open, Vec::new(), Vec::new());
    for one in heard {
        let (opcode, event) = match one {
            Heard::Message(Event::Text, _) => (Opcode::Text, one.clone()),
            Heard::Message(..) => (Opcode::Binary, one.clone()),
            Heard::Control(Event::Ping(_)) => (Opcode::Ping, one.clone()),
            Heard::Control(Event::Pong(_)) => (Opcode::Pong, one.clone()),
            Heard::Control(_) => (Opcode::Close, one.clone()),
            Heard::Wrong(error) => (Opcode::Close, Heard::Control(Event::Close(Some(error.close())))),
        };
        closing = closing.send(opcode).expect("an end is the last thing that is heard");
        match &event {
            Heard::Message(Event::Text, payload) => write_message(Kind::Text, payload, mask, &mut out),
            Heard::Message(_, payload) => write_message(Kind::Binary, payload, mask, &mut out),
            Heard::Control(Event::Ping(payload)) => write_ping(payload, mask, &mut out),
            Heard::Control(Event::Pong(payload)) => write_pong(payload, mask, &mut out),
            Heard::Control(Event::Close(says)) => write_close(says.as_ref(), mask, &mut out),
            other => unreachable!("{other:?} is not told"),
        }
        expected.push(event);
    }
    let again = Setting { role: other, window: None, limits: Limits::default(), ..setting };
    assert_eq!(again.heard(&out, &[250]), expected);
}

/// Whatever comes, however it is cut, at each level: the same is heard, nothing panics or is held beyond the limits, and what was heard can be said.
pub fn ws(input: &[u8]) {
    let mut choices = Choices(input);
    let setting = Setting {
        role: if choices.byte().is_multiple_of(2) { Role::Server } else { Role::Client },
        level: Level::SWAR,
        limits: Limits { message_bytes: 4096, fragments: 16, useless_frames: 8 },
        window: match choices.byte() {
            0..=99 => None,
            byte => Some(Window { is_taken_over: byte.is_multiple_of(2), bits: 9 + byte % 7 }),
        },
    };
    let pieces = [choices.byte(), choices.byte(), choices.byte() % 4];
    let bytes = if choices.byte() < 30 { choices.0.to_vec() } else { frames(&mut choices, setting) };
    let heard = setting.heard(&bytes, &[250]);
    for level in Level::available() {
        let setting = Setting { level, ..setting };
        assert_eq!(setting.heard(&bytes, &pieces), heard);
        if bytes.len() < 1000 {
            assert_eq!(setting.heard(&bytes, &[0]), heard);
        }
    }
    say_again(setting, &heard);
}
