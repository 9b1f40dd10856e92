//! A peer that echoes, made of the receiving half, the sending functions and the closing handshake: as Autobahn wants one to be.

use super::deflate::{Deflater, Inflater};
use super::raw::{BINARY, CLOSE, Frame, PONG, TEXT, bytes_to, frames_of};
use gannet_proto::scan::Level;
use gannet_proto::ws::{
    Closing, Compression, Event, Inflate, Kind, Limits, Opcode, Receiver, Role, write_close,
    write_compressed_message, write_message, write_pong,
};

const MASK: [u8; 4] = [0x01, 0x23, 0x45, 0x67];

/// What compresses one side's messages and inflates the other's.
pub struct Codec {
    pub inflater: Inflater,
    pub deflater: Deflater,
}

impl Codec {
    pub fn new(role: Role, agreed: Compression) -> Codec {
        let (ours, theirs) = match role {
            Role::Server => (agreed.server, agreed.client),
            Role::Client => (agreed.client, agreed.server),
        };
        Codec { inflater: Inflater::new(theirs), deflater: Deflater::new(ours) }
    }
}

/// One end of a conversation.
pub struct Echo {
    pub role: Role,
    pub receiver: Receiver,
    pub closing: Closing,
    pub limits: Limits,
    pub codec: Option<Codec>,
    pub message: Vec<u8>,
    pub out: Vec<u8>,
    /// The transport was closed, or the peer is waited for to do it.
    pub ended: bool,
}

impl Echo {
    pub fn new(role: Role, level: Level, limits: Limits) -> Echo {
        Echo {
            role,
            receiver: Receiver::new(role, level),
            closing: Closing::Open,
            limits,
            codec: None,
            message: Vec::new(),
            out: Vec::new(),
            ended: false,
        }
    }

    pub fn with_compression(role: Role, level: Level, agreed: Compression) -> Echo {
        let codec = Some(Codec::new(role, agreed));
        Echo { codec, ..Echo::new(role, level, Limits::default()) }
    }

    pub fn mask(&self) -> Option<[u8; 4]> {
        (self.role == Role::Client).then_some(MASK)
    }

    /// Bytes came. Behind the end none of them mean anything.
    pub fn receive(&mut self, mut input: &[u8]) {
        loop {
            let mask = self.mask();
            let inflate = self.codec.as_mut().map(|codec| &mut codec.inflater as &mut dyn Inflate);
            let event = self.receiver.poll_event(&mut input, &self.limits, &mut self.message, inflate);
            assert!(!self.ended || event == Ok(None), "{event:?} behind the end");
            match event {
                Ok(None) => return assert!(input.is_empty(), "all was read"),
                Ok(Some(Event::Text)) => self.echo(Kind::Text),
                Ok(Some(Event::Binary)) => self.echo(Kind::Binary),
                Ok(Some(Event::Ping(payload))) => {
                    if self.may_send(Opcode::Pong) {
                        write_pong(&payload, mask, &mut self.out);
                    }
                }
                Ok(Some(Event::Pong(_))) => {}
                Ok(Some(Event::Close(says))) => {
                    self.closing =
                        self.closing.receive(Opcode::Close).expect("a receiver tells of one Close");
                    if self.may_send(Opcode::Close) {
                        write_close(says.as_ref(), mask, &mut self.out);
                    }
                    self.ended = true;
                }
                Err(error) => {
                    assert!(input.is_empty());
                    if self.may_send(Opcode::Close) {
                        write_close(Some(&error.close()), mask, &mut self.out);
                    }
                    self.ended = true;
                }
            }
        }
    }

    pub fn may_send(&mut self, opcode: Opcode) -> bool {
        let next = self.closing.send(opcode);
        self.closing = next.unwrap_or(self.closing);
        next.is_some()
    }

    fn echo(&mut self, kind: Kind) {
        if !self.may_send(kind.opcode()) {
            return;
        }
        let mask = self.mask();
        match &mut self.codec {
            Some(codec) => {
                write_compressed_message(kind, &self.message, mask, &mut codec.deflater, &mut self.out);
            }
            None => write_message(kind, &self.message, mask, &mut self.out),
        }
    }
}

/// What is seen of the peer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
}

pub fn text(payload: impl AsRef<[u8]>) -> Said {
    Said::Text(payload.as_ref().to_vec())
}

pub fn binary(payload: impl AsRef<[u8]>) -> Said {
    Said::Binary(payload.as_ref().to_vec())
}

pub fn pong(payload: impl AsRef<[u8]>) -> Said {
    Said::Pong(payload.as_ref().to_vec())
}

/// The connection failed with this code, or ended with it.
pub fn closed(code: u16) -> Said {
    Said::Close(Some(code))
}

fn said(role: Role, bytes: &[u8]) -> Vec<Said> {
    let frames = frames_of(role, bytes).into_iter();
    let all = frames.map(|Frame { first, payload }| match first {
        TEXT => Said::Text(payload),
        BINARY => Said::Binary(payload),
        PONG => Said::Pong(payload),
        CLOSE => Said::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
        other => panic!("{other:#x} is nothing that an echo says"),
    });
    all.collect()
}

/// What a peer says to bytes that come in these pieces, and whether that was the end.
pub fn answer<'a>(
    role: Role,
    level: Level,
    limits: Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Said>, bool) {
    let mut echo = Echo::new(role, level, limits);
    pieces.into_iter().for_each(|piece| echo.receive(piece));
    (said(role, &echo.out), echo.ended)
}

/// Whatever its role, at each level, however the bytes are cut: this is what it says to these frames, and after a Close it has ended.
pub fn expect(frames: &[Frame], expected: &[Said]) {
    const EVERY_CUT_BYTES: usize = 700;
    let ends = matches!(expected.last(), Some(Said::Close(_)));
    let expected = (expected.to_vec(), ends);
    for role in [Role::Server, Role::Client] {
        let bytes = bytes_to(role, frames);
        for level in Level::available() {
            let limits = Limits::default();
            for piece in [bytes.len().max(1), 997, 1] {
                assert_eq!(
                    answer(role, level, limits, bytes.chunks(piece)),
                    expected,
                    "{role:?}, pieces of {piece}"
                );
            }
            for cut in 0..if bytes.len() <= EVERY_CUT_BYTES { bytes.len() } else { 0 } {
                let (before, behind) = bytes.split_at(cut);
                assert_eq!(answer(role, level, limits, [before, behind]), expected, "{role:?}, cut at {cut}");
            }
        }
    }
}
