//! The receiving half: bytes in, whole messages and control frames out.
//!
//! Nanoseconds a message, masked, of sixteen that come at once, by AVX2 and by tungstenite 0.30, in one run on an AMD EPYC that had other work meanwhile
//! (`cargo bench -p gannet-proto --bench websocket`):
//!
//! | bytes | text | tungstenite | binary | tungstenite |
//! |---|---|---|---|---|
//! | 32 | 34 | 119 | 26 | 114 |
//! | 1024 | 86 | 244 | 29 | 169 |
//! | 16,384 | 790 | 2480 | 220 | 1330 |

use super::budget::Budget;
use super::frame::{ControlPayload, Expected, Header, HeaderBytes, Opcode};
use super::message::{Lent, Message};
use super::{CloseCode, CloseFrame, Error, Inflate, Kind, Limits, Role};
use crate::scan::Level;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What was received.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "so that a Ping costs no memory of its own; nobody keeps one")]
pub enum Event {
    /// A text message: the caller's buffer holds it whole, and it is UTF-8.
    Text,
    /// A binary message: the caller's buffer holds it whole.
    Binary,
    /// To be answered by a Pong with the same payload, unless another Ping comes before that is done (RFC 6455 section 5.5.3).
    Ping(ControlPayload),
    /// An answer to a Ping of ours, or a sign of life.
    Pong(ControlPayload),
    /// The peer says nothing more, and why, if it says that. What follows is ignored.
    Close(Option<CloseFrame>),
}

/// The receiving half of a conversation. Between messages it owns no memory but its own 40 bytes.
#[derive(Debug)]
pub struct Receiver {
    state: State,
    message: Option<Message>,
    budget: Budget,
    role: Role,
    level: Level,
}

/// What comes next.
#[derive(Debug)]
enum State {
    /// A header; of one that was cut these bytes have come.
    Header(HeaderBytes),
    /// So many bytes of the payload of a frame of the message. The mask begins with the byte that is for the next of them.
    Payload { left: u64, mask: Option<[u8; 4]>, fin: bool },
    /// The rest of a Close, Ping or Pong that was cut.
    Control { opcode: Opcode, length: u8, mask: Option<[u8; 4]>, payload: Box<ControlPayload> },
    /// Nothing: a Close came, or what broke the protocol.
    Over,
}

impl State {
    const START: State = State::Header(HeaderBytes::EMPTY);
}

impl Receiver {
    /// At the beginning of a conversation. `role` is ours.
    pub const fn new(role: Role, level: Level) -> Receiver {
        Receiver { state: State::START, message: None, budget: Budget::NONE_SPENT, role, level }
    }

    /// The next event in these bytes; the slice is left with those behind it. `None`: all were read, and more are needed. None is to be given twice.
    ///
    /// `message` gets the payload of a message, frame by frame, and is cleared when one begins. It belongs to whoever calls, who leaves it as it is until the
    /// message is whole ([`in_message`](Receiver::in_message)), and may then take it. It grows with what arrives, whatever headers promise.
    ///
    /// `inflate` is given, at each call, where permessage-deflate was agreed on, and only there.
    ///
    /// # Errors
    /// What the peer did wrong. After that, and after a Close, all input is ignored.
    #[inline]
    pub fn poll_event(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
        message: &mut Vec<u8>,
        inflate: Option<&mut dyn Inflate>,
    ) -> Result<Option<Event>, Error> {
        let event = self.next(input, &mut Lent { limits, message, inflate });
        if event.is_err() {
            (self.state, self.message) = (State::Over, None);
            *input = &[];
        }
        event
    }

    /// Whether a message has begun and not ended: the buffer holds a part of it, if only an empty one.
    pub fn in_message(&self) -> bool {
        self.message.is_some()
    }

    /// Whether a Close came, or what broke the protocol: nothing more is read.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Forgets which frames came that carry nothing: for those who have a clock, every ten seconds or whenever they look after the connection. Without it, a
    /// conversation in which the peer sends only Pings and Pongs ends at the limit, however long it takes.
    pub fn refill(&mut self) {
        self.budget.refill();
    }

    #[inline]
    fn next(&mut self, input: &mut &[u8], lent: &mut Lent<'_, '_>) -> Result<Option<Event>, Error> {
        loop {
            match &self.state {
                State::Header(_) => match self.header(input, lent)? {
                    None => return Ok(None),
                    Some(header) if header.opcode.is_control() => return self.control(header, input, lent),
                    Some(header) => self.frame(header, lent)?,
                },
                State::Payload { .. } => match self.payload(input, lent)? {
                    Received::Part => return Ok(None),
                    Received::Frame => {}
                    Received::Message(Kind::Text) => return Ok(Some(Event::Text)),
                    Received::Message(Kind::Binary) => return Ok(Some(Event::Binary)),
                },
                State::Control { .. } => return self.rest_of_control(input),
                State::Over => {
                    *input = &[];
                    return Ok(None);
                }
            }
        }
    }

    /// The next header, if it is whole; what there is of it is kept otherwise.
    #[inline]
    fn header(&mut self, input: &mut &[u8], lent: &Lent<'_, '_>) -> Result<Option<Header>, Error> {
        let expected = Expected {
            role: self.role,
            in_message: self.message.is_some(),
            compression: lent.inflate.is_some(),
        };
        let State::Header(kept) = &mut self.state else { return Ok(None) };
        if kept.is_empty() {
            return Ok(match Header::read(input, expected)? {
                Some((header, length)) => {
                    *input = &input[length..];
                    Some(header)
                }
                None => {
                    kept.extend(input);
                    *input = &[];
                    None
                }
            });
        }
        while let Some((byte, rest)) = input.split_first() {
            kept.extend(&[*byte]);
            *input = rest;
            if let Some((header, _)) = Header::read(kept, expected)? {
                self.state = State::START;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// A frame of a message begins.
    #[inline]
    fn frame(&mut self, header: Header, lent: &mut Lent<'_, '_>) -> Result<(), Error> {
        let message = match &mut self.message {
            Some(message) => message,
            none => {
                lent.message.clear();
                none.insert(Message::new(header))
            }
        };
        message.count(header.length, lent.limits)?;
        if header.length > 0 {
            self.budget.earn();
        } else if !header.fin {
            // If it were the last, the message would earn more than it costs.
            self.budget.spend(lent.limits)?;
        }
        self.state = State::Payload { left: header.length, mask: header.mask, fin: header.fin };
        Ok(())
    }

    /// As much of the payload of a message's frame as there is.
    #[inline]
    fn payload(&mut self, input: &mut &[u8], lent: &mut Lent<'_, '_>) -> Result<Received, Error> {
        let (State::Payload { left, mask, fin }, Some(message)) = (&mut self.state, &mut self.message) else {
            return Ok(Received::Part);
        };
        let taken = usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
        let (piece, rest) = input.split_at(taken);
        *input = rest;
        message.take(piece, *mask, self.level, lent)?;
        *left -= taken as u64;
        if *left > 0 {
            if let Some(mask) = mask {
                mask.rotate_left(taken % 4);
            }
            return Ok(Received::Part);
        }
        let fin = *fin;
        self.state = State::START;
        if !fin {
            return Ok(Received::Frame);
        }
        let kind = message.end(self.level, lent)?;
        self.message = None;
        self.budget.earn();
        Ok(Received::Message(kind))
    }

    /// A Close, Ping or Pong begins; here most end, too.
    fn control(
        &mut self,
        header: Header,
        input: &mut &[u8],
        lent: &Lent<'_, '_>,
    ) -> Result<Option<Event>, Error> {
        let Header { opcode, mask, length, .. } = header;
        if opcode != Opcode::Close {
            self.budget.spend(lent.limits)?;
        }
        // A header of such a frame has no longer one.
        let length = length as u8;
        let Some((bytes, rest)) = input.split_at_checked(length.into()) else {
            let payload = Box::new(ControlPayload::cut(input));
            *input = &[];
            self.state = State::Control { opcode, length, mask, payload };
            return Ok(None);
        };
        *input = rest;
        self.told(opcode, mask, ControlPayload::cut(bytes)).map(Some)
    }

    /// More of a Close, Ping or Pong that was cut.
    fn rest_of_control(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        let State::Control { opcode, length, mask, payload } = &mut self.state else { return Ok(None) };
        let wanted = usize::from(*length) - payload.len();
        let (bytes, rest) = input.split_at(wanted.min(input.len()));
        payload.extend(bytes);
        *input = rest;
        if bytes.len() < wanted {
            return Ok(None);
        }
        let (opcode, mask, payload) = (*opcode, *mask, **payload);
        self.state = State::START;
        self.told(opcode, mask, payload).map(Some)
    }

    /// What a Close, Ping or Pong of this payload, masked still, is.
    fn told(
        &mut self,
        opcode: Opcode,
        mask: Option<[u8; 4]>,
        mut payload: ControlPayload,
    ) -> Result<Event, Error> {
        if let Some(mask) = mask {
            self.level.mask(&mut payload, mask);
        }
        match opcode {
            Opcode::Ping => Ok(Event::Ping(payload)),
            Opcode::Pong => Ok(Event::Pong(payload)),
            _ => {
                let frame = close_frame(&payload)?;
                (self.state, self.message) = (State::Over, None);
                Ok(Event::Close(frame))
            }
        }
    }
}

/// What came of a payload.
enum Received {
    Part,
    Frame,
    Message(Kind),
}

/// What a Close says (section 5.5.1).
fn close_frame(payload: &[u8]) -> Result<Option<CloseFrame>, Error> {
    match payload {
        [] => Ok(None),
        [_] => Err(Error::TruncatedCloseCode),
        [high, low, reason @ ..] => {
            let code = CloseCode::new(u16::from_be_bytes([*high, *low])).ok_or(Error::InvalidCloseCode)?;
            let reason = core::str::from_utf8(reason).map_err(|_| Error::InvalidReason)?;
            Ok(Some(CloseFrame::new(code, reason)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Receiver};
    use crate::scan::Level;
    use crate::ws::{Error, Limits, Role};
    use alloc::vec::Vec;

    #[test]
    fn an_idle_receiver_has_64_bytes_at_most() {
        assert!(size_of::<Receiver>() <= 64, "{}", size_of::<Receiver>());
    }

    /// The example of section 5.7, and what follows it.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let mut receiver = Receiver::new(Role::Server, Level::BASELINE);
        let mut message = Vec::new();
        let mut input = &b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x80\0\0\0\0rest"[..];
        let limits = Limits::default();
        assert_eq!(receiver.poll_event(&mut input, &limits, &mut message, None), Ok(Some(Event::Text)));
        assert_eq!((&message[..], input.len()), (&b"Hello"[..], 10));
        let ping = receiver.poll_event(&mut input, &limits, &mut message, None);
        assert!(matches!(ping, Ok(Some(Event::Ping(payload))) if payload.is_empty()));
        let wrong = receiver.poll_event(&mut input, &limits, &mut message, None);
        assert_eq!((wrong, input.len()), (Err(Error::ReservedBits), 0));
        assert!(receiver.is_over());
        input = b"more";
        assert_eq!(receiver.poll_event(&mut input, &limits, &mut message, None), Ok(None));
        assert!(input.is_empty());
    }

    #[test]
    fn memory_grows_with_what_arrives_and_not_with_what_is_promised() {
        let mut receiver = Receiver::new(Role::Client, Level::BASELINE);
        let (mut message, limits) = (Vec::new(), Limits::default());
        let header = [0x82, 127, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, b'a'];
        assert_eq!(receiver.poll_event(&mut &header[..], &limits, &mut message, None), Ok(None));
        assert!(message.capacity() < 100 && receiver.in_message());
    }

    #[test]
    fn a_message_that_a_header_says_is_too_large_fails_before_it_comes() {
        let mut receiver = Receiver::new(Role::Client, Level::BASELINE);
        let (mut message, limits) = (Vec::new(), Limits::default());
        let header = [0x82, 127, 0, 0, 0, 0, 1, 0, 0, 1];
        let wrong = receiver.poll_event(&mut &header[..], &limits, &mut message, None);
        assert_eq!(wrong, Err(Error::MessageTooLarge));
        assert_eq!((message.capacity(), receiver.in_message()), (0, false));
    }
}
