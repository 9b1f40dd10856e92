//! Compressed messages (permessage-deflate, RFC 7692): codecs, and where they are kept.
//!
//! Where a window is not taken over from message to message, which is what holds unless it is said otherwise, a codec is needed while a message is on its way only: the
//! worker has a few, which its conversations use in turns. Where one is, each conversation has its own.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status as Progress};
use gannet_core::ws::{
    Compression, Deflate, Inflate, InflateError, Kind, Window, Wishes, choose_compression,
    write_compressed_message,
};
use gannet_core::{Fields, IntoResponse, Locals, Rejection, Request, Response, Status};

use super::Message;
use super::handshake::lines;
use crate::broadcast::Delivered;

/// How messages are compressed: for [`WebSocketOptions::compression`](super::WebSocketOptions::compression).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WebSocketCompression {
    level: u32,
    threshold_bytes: usize,
    windows: Compression,
}

/// What was agreed on with one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed {
    windows: Compression,
    level: u32,
    threshold_bytes: usize,
}

/// Codecs of each kind that a worker keeps: as many as messages are on their way at a time.
const KEPT: usize = 8;

/// What is asked for at once of a codec's output.
const PIECE_BYTES: usize = 4096;

impl WebSocketCompression {
    /// Each message by itself, so that a conversation has no memory for it in between; at level 6, from 256 bytes on.
    pub fn new() -> WebSocketCompression {
        let alone = Window { is_taken_over: false, ..Window::LARGEST };
        WebSocketCompression {
            level: 6,
            threshold_bytes: 256,
            windows: Compression { server: alone, client: alone },
        }
    }

    /// Messages go back to those before them, both ways, where the client agrees: that compresses short ones well, and costs each conversation some 300 KiB
    /// of memory.
    #[must_use]
    pub fn context_takeover(mut self) -> WebSocketCompression {
        self.windows = Compression { server: Window::LARGEST, client: Window::LARGEST };
        self
    }

    /// Windows of at most two to the power of `bits` bytes: 9 to 15, by default 15 (32 KiB). Smaller ones take less memory, and compress less.
    ///
    /// # Panics
    /// At once, where it is not one of those.
    #[must_use]
    pub fn window_bits(mut self, bits: u8) -> WebSocketCompression {
        assert!((9..=15).contains(&bits), "windows are of 2^9 to 2^15 bytes; 2^{bits} is none");
        (self.windows.server.bits, self.windows.client.bits) = (bits, bits);
        self
    }

    /// How hard to try, 1 to 9: by default 6.
    ///
    /// # Panics
    /// At once, where it is not one of those.
    #[must_use]
    pub fn level(mut self, level: u32) -> WebSocketCompression {
        assert!((1..=9).contains(&level), "levels of compression are 1 to 9; {level} is none");
        self.level = level;
        self
    }

    /// Messages of fewer bytes are sent as they are, by default those of fewer than 256.
    #[must_use]
    pub fn threshold_bytes(mut self, bytes: usize) -> WebSocketCompression {
        self.threshold_bytes = bytes;
        self
    }
}

impl Default for WebSocketCompression {
    fn default() -> WebSocketCompression {
        WebSocketCompression::new()
    }
}

/// What client and server agree on, if anything.
///
/// # Errors
/// 400 where the client's offer is none.
pub(super) fn agree(
    request: &Request,
    wanted: Option<WebSocketCompression>,
    fields: &mut Fields,
) -> Result<Option<Agreed>, Response> {
    let mut answer = Vec::new();
    let wishes = |wanted: WebSocketCompression| Wishes { most: wanted.windows, ..Wishes::default() };
    let Some(wanted) = wanted else { return Ok(None) };
    let chosen = lines(request, "sec-websocket-extensions", |lines| {
        choose_compression(lines, wishes(wanted), &mut answer)
    });
    let chosen = chosen
        .map_err(|malformed| Rejection::new(Status::BAD_REQUEST, malformed.to_string()).into_response())?;
    Ok(chosen.map(|windows| {
        fields.forward("Sec-WebSocket-Extensions", &answer);
        Agreed { windows, level: wanted.level, threshold_bytes: wanted.threshold_bytes }
    }))
}

/// One conversation's.
pub(super) struct Codecs {
    agreed: Agreed,
    spare: Rc<Spare>,
    inflater: Option<Inflater>,
    deflater: Option<Deflater>,
}

/// A worker's, of those that keep nothing between messages.
#[derive(Default)]
struct Spare {
    inflaters: RefCell<Vec<Inflater>>,
    deflaters: RefCell<Vec<Deflater>>,
}

impl Codecs {
    pub(super) fn new(agreed: Agreed, locals: &Locals) -> Codecs {
        Codecs { agreed, spare: locals.get(), inflater: None, deflater: None }
    }

    /// What inflates the client's messages: made, or lent, when there is one.
    pub(super) fn inflate(&mut self) -> &mut dyn Inflate {
        self
    }

    /// Appends a message that is worth it, compressed; says whether it was.
    pub(super) fn write(&mut self, message: &Message, out: &mut Vec<u8>) -> bool {
        let payload = message.as_bytes();
        if payload.len() < self.agreed.threshold_bytes {
            return false;
        }
        let kind = if message.as_text().is_some() { Kind::Text } else { Kind::Binary };
        write_compressed_message(kind, payload, None, self, out);
        true
    }
}

impl Codecs {
    /// A message that is published as it is sent here, if it is worth compressing and that can be done for all alike.
    pub(super) fn published(&self, message: &Delivered) -> Option<Bytes> {
        let Window { is_taken_over, bits } = self.agreed.windows.server;
        if is_taken_over || bits < Window::LARGEST.bits || message.frame().len() < self.agreed.threshold_bytes
        {
            return None;
        }
        let compress = |kind, payload: &[u8]| {
            let mut compressed = Vec::new();
            let mut codecs = Codecs { inflater: None, deflater: None, spare: self.spare.clone(), ..*self };
            write_compressed_message(kind, payload, None, &mut codecs, &mut compressed);
            compressed.into()
        };
        Some(message.compressed(compress).clone())
    }
}

impl Inflate for Codecs {
    fn inflate(
        &mut self,
        input: &[u8],
        is_last: bool,
        output: &mut Vec<u8>,
        limit_bytes: usize,
    ) -> Result<(), InflateError> {
        let Window { is_taken_over, bits } = self.agreed.windows.client;
        let spare = &self.spare.inflaters;
        let inflater =
            self.inflater.get_or_insert_with(|| lent(spare, |it| it.bits == bits, || Inflater::new(bits)));
        inflater.inflate(input, output, limit_bytes)?;
        if is_last && !is_taken_over {
            inflater.codec.reset(false);
            give_back(spare, self.inflater.take());
        }
        Ok(())
    }
}

impl Deflate for Codecs {
    fn deflate(&mut self, input: &[u8], is_last: bool, output: &mut Vec<u8>) {
        let Window { is_taken_over, bits } = self.agreed.windows.server;
        let (level, spare) = (self.agreed.level, &self.spare.deflaters);
        let is_alike = |it: &Deflater| (it.bits, it.level) == (bits, level);
        let deflater =
            self.deflater.get_or_insert_with(|| lent(spare, is_alike, || Deflater::new(bits, level)));
        deflater.deflate(input, output);
        if is_last && !is_taken_over {
            deflater.codec.reset();
            give_back(spare, self.deflater.take());
        }
    }
}

/// One that is kept, or a new one.
fn lent<T>(kept: &RefCell<Vec<T>>, is_alike: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> T {
    let mut kept = kept.borrow_mut();
    match kept.iter().position(is_alike) {
        Some(at) => kept.swap_remove(at),
        None => make(),
    }
}

fn give_back<T>(kept: &RefCell<Vec<T>>, codec: Option<T>) {
    let mut kept = kept.borrow_mut();
    if kept.len() < KEPT {
        kept.extend(codec);
    }
}

struct Inflater {
    codec: Decompress,
    bits: u8,
}

impl Inflater {
    fn new(bits: u8) -> Inflater {
        // A smaller window than zlib knows is within the next one.
        Inflater { codec: Decompress::new_with_window_bits(false, bits.max(9)), bits }
    }

    fn inflate(
        &mut self,
        mut input: &[u8],
        output: &mut Vec<u8>,
        limit_bytes: usize,
    ) -> Result<(), InflateError> {
        loop {
            let room = limit_bytes.saturating_sub(output.len());
            let length = output.len();
            // One more than may come, so that it is seen where more would.
            output.reserve(PIECE_BYTES.min(room + 1));
            let before = (self.codec.total_in(), self.codec.total_out());
            let progress = self.codec.decompress_vec(input, output, FlushDecompress::None);
            let read = (self.codec.total_in() - before.0) as usize;
            let written = (self.codec.total_out() - before.1) as usize;
            input = &input[read..];
            if output.len() > limit_bytes {
                output.truncate(limit_bytes.max(length));
                return Err(InflateError::TooLarge);
            }
            match progress {
                Err(_) => return Err(InflateError::Invalid),
                // A final block: another may follow (section 7.2.3.4).
                Ok(Progress::StreamEnd) => self.codec.reset(false),
                Ok(Progress::Ok | Progress::BufError)
                    if input.is_empty() && output.len() < output.capacity() =>
                {
                    return Ok(());
                }
                Ok(_) if read == 0 && written == 0 && output.len() < output.capacity() => {
                    return Err(InflateError::Invalid);
                }
                Ok(_) => {}
            }
            if input.is_empty() && matches!(progress, Ok(Progress::StreamEnd)) {
                return Ok(());
            }
        }
    }
}

struct Deflater {
    codec: Compress,
    bits: u8,
    level: u32,
}

impl Deflater {
    fn new(bits: u8, level: u32) -> Deflater {
        let codec = Compress::new_with_window_bits(flate2::Compression::new(level), false, bits.max(9));
        Deflater { codec, bits, level }
    }

    fn deflate(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        loop {
            output.reserve(PIECE_BYTES);
            let before = self.codec.total_in();
            let progress = self.codec.compress_vec(input, output, FlushCompress::Sync);
            debug_assert!(progress.is_ok(), "what is compressed cannot be wrong");
            input = &input[(self.codec.total_in() - before) as usize..];
            // It has said all when it leaves room.
            if input.is_empty() && output.len() < output.capacity() || progress.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gannet_core::scan::Level;
    use gannet_core::ws::{self, Event, Limits, Receiver, Role};

    use super::*;

    fn codecs(windows: Compression, locals: &Locals) -> Codecs {
        Codecs::new(Agreed { windows, level: 6, threshold_bytes: 16 }, locals)
    }

    fn alone(bits: u8) -> Compression {
        let window = Window { is_taken_over: false, bits };
        Compression { server: window, client: window }
    }

    /// What a client reads of what was written, message by message.
    fn read(bytes: &[u8], codecs: &mut Codecs, limits: &Limits) -> Result<Vec<Vec<u8>>, ws::Error> {
        let (mut receiver, mut message, mut all) =
            (Receiver::new(Role::Client, Level::detect()), Vec::new(), Vec::new());
        let mut rest = bytes;
        while let Some(event) =
            receiver.poll_event(&mut rest, limits, &mut message, Some(codecs.inflate()))?
        {
            assert!(matches!(event, Event::Text | Event::Binary));
            all.push(message.clone());
        }
        Ok(all)
    }

    #[test]
    fn messages_come_out_as_they_went_in_whatever_was_agreed_on() {
        let messages: Vec<Message> = [30, 1000, 4096, 300_000]
            .map(|length| "a short text, again ".repeat(length / 20 + 1).into())
            .to_vec();
        for windows in [Compression::default(), alone(15), alone(9)] {
            let locals = Locals::default();
            let (mut writer, mut reader, mut written) =
                (codecs(windows, &locals), codecs(windows, &locals), Vec::new());
            for message in messages.iter().chain(&messages) {
                assert!(writer.write(message, &mut written));
            }
            let all = read(&written, &mut reader, &Limits::default()).expect("what was written");
            assert!(
                all.iter().zip(messages.iter().chain(&messages)).all(|(read, said)| read == said.as_bytes())
            );
            assert!(all.len() == 2 * messages.len() && written.len() < 30_000, "{} bytes", written.len());
            assert_eq!(
                reader.inflater.is_some(),
                windows.client.is_taken_over,
                "a codec is kept where its window is, and only there"
            );
            assert_eq!(writer.spare.deflaters.borrow().len(), usize::from(!windows.server.is_taken_over));
        }
    }

    #[test]
    fn what_is_short_is_not_compressed() {
        let mut written = Vec::new();
        assert!(!codecs(alone(15), &Locals::default()).write(&"short".into(), &mut written));
        assert!(written.is_empty());
    }

    #[test]
    fn a_bomb_ends_at_the_limit_of_messages_and_what_is_no_deflate_is_told() {
        let (locals, mut bomb) = (Locals::default(), Vec::new());
        codecs(alone(15), &locals).write(&vec![0; 1_000_000].into(), &mut bomb);
        assert!(bomb.len() < 2000);
        let limits = Limits { message_bytes: 100_000, ..Limits::default() };
        assert_eq!(read(&bomb, &mut codecs(alone(15), &locals), &limits), Err(ws::Error::MessageTooLarge));
        let nonsense = [0xc2, 4, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(
            read(&nonsense, &mut codecs(alone(15), &locals), &limits),
            Err(ws::Error::InvalidCompression)
        );
    }

    #[test]
    fn a_message_for_many_is_compressed_once_and_only_where_that_is_the_same_for_all() {
        let locals = Locals::default();
        let published = Delivered::of("a text that is long enough to be worth it, worth it, worth it".into());
        let first = codecs(alone(15), &locals).published(&published).expect("compressed");
        let second = codecs(alone(15), &locals).published(&published).expect("the same");
        assert_eq!(first.as_ptr(), second.as_ptr());
        let all =
            read(&first, &mut codecs(alone(15), &locals), &Limits::default()).expect("what was written");
        assert!(all[0].ends_with(b"worth it"));
        for other in [Compression::default(), alone(9)] {
            assert_eq!(codecs(other, &locals).published(&published), None);
        }
    }
}
