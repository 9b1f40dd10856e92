//! DATA and its windows, both ways (RFC 9113 sections 5.2, 6.1, 6.9).

use super::budget::Kind;
use super::connection::Connection;
use super::error::{Error, ErrorCode};
use super::event::Event;
use super::frame::{self, Header, flag, number};
use super::receive::{Reading, Step, available, on_stream, whole};
use super::role::Role;
use super::settings::LARGEST_WINDOW;
use super::state::Receiving;
use super::streams::{StreamKey, UNKNOWN};
use alloc::vec::Vec;

/// Content of fewer bytes is less than what frames it, about.
const TINY_BYTES: u32 = 16;

impl<R: Role> Connection<R> {
    /// A DATA frame's header. All that can be wrong with the frame is decided here, so that it does not matter how the content is cut.
    pub(super) fn data(
        &mut self,
        header: Header,
        input: &[u8],
        payload: usize,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        on_stream(header)?;
        let Some((prefix, padding)) = padding(header, 0, input, payload)? else { return Ok(Step::Need) };
        let (start, length) = (payload + prefix as usize, header.length - prefix - padding);
        if header.length > 0 && header.length as i32 > self.receive_window {
            return Err(Error::WindowExceeded);
        }
        self.receive_window -= header.length as i32;
        let ended = header.has(flag::END_STREAM);
        let stream = match self.look_up(header.stream)? {
            Some(stream) if self.is_live(stream) => stream,
            found => return self.discard(header, found, start, length + padding),
        };
        self.is_not_reserved(stream)?;
        self.count_data(length, ended)?;
        if let Some((error, fault)) = self.accept_data(stream, header.length, length, ended) {
            self.return_to_connection(header.length);
            self.skip_next(length + padding, start);
            return self.fault(stream, error, fault, start, out).map(Step::Told);
        }
        self.return_to_stream(stream, header.length - length);
        self.reading = Reading::Data { stream, remaining: length, padding, ended };
        Ok(Step::Next(start))
    }

    /// Content for a stream that is over: no fault where it was on its way when we reset the stream, and then no more of it can come than its window had
    /// room for.
    fn discard(
        &mut self,
        header: Header,
        found: Option<StreamKey>,
        start: usize,
        rest: u32,
    ) -> Result<Step, Error> {
        if !self.was_cut_off(header.stream, found) {
            return Err(Error::StreamClosed);
        }
        if header.length == 0 {
            self.budgets.spend(Kind::EmptyData, &self.limits)?;
        }
        let left = self.discardable_bytes.checked_sub(u64::from(header.length));
        self.discardable_bytes = left.ok_or(Error::ResetWindowExceeded)?;
        self.return_to_connection(header.length);
        Ok(self.skip_next(rest, start))
    }

    /// Frames that hardly carry anything are counted.
    fn count_data(&mut self, length: u32, ended: bool) -> Result<(), Error> {
        match length {
            _ if ended => {}
            0 => self.budgets.spend(Kind::EmptyData, &self.limits)?,
            1..TINY_BYTES => self.budgets.tiny_data(&self.limits)?,
            _ => self.budgets.earn(),
        }
        Ok(())
    }

    /// Whether a stream takes so much content; if not, how its peer is told, and why.
    fn accept_data(
        &mut self,
        key: StreamKey,
        frame_length: u32,
        length: u32,
        ended: bool,
    ) -> Option<(ErrorCode, &'static str)> {
        let stream = self.streams.at(key.slot);
        match stream.receiving {
            Receiving::Content => {}
            Receiving::Head => {
                return Some((ErrorCode::PROTOCOL_ERROR, "content came before the response's head"));
            }
            _ => return Some((ErrorCode::STREAM_CLOSED, "content came behind the end of the stream")),
        }
        if frame_length as i32 > stream.receive_window && frame_length > 0 {
            return Some((
                ErrorCode::FLOW_CONTROL_ERROR,
                "more content came than the stream's window allows",
            ));
        }
        stream.receive_window -= frame_length as i32;
        if stream.to_receive != UNKNOWN {
            match stream.to_receive.checked_sub(u64::from(length)) {
                None => return Some((ErrorCode::PROTOCOL_ERROR, "the content is longer than its length")),
                Some(1..) if ended => {
                    return Some((ErrorCode::PROTOCOL_ERROR, "the content is shorter than its length"));
                }
                Some(remaining) => stream.to_receive = remaining,
            }
        }
        stream.unread_bytes += length;
        None
    }

    /// A piece of content. If the caller has reset or released the stream meanwhile, the rest is skipped.
    pub(super) fn read_data(
        &mut self,
        input: &[u8],
        at: usize,
        key: StreamKey,
        [remaining, padding]: [u32; 2],
        ended: bool,
    ) -> Step {
        let is_awaited = self.streams.get(key).is_some_and(|stream| stream.receiving == Receiving::Content);
        if !is_awaited {
            return self.skip_next(remaining + padding, at);
        }
        let length = available(input, at, remaining);
        if length == 0 && remaining > 0 {
            return Step::Need;
        }
        let (end, rest) = (at + length as usize, remaining - length);
        if rest > 0 {
            self.reading = Reading::Data { stream: key, remaining: rest, padding, ended };
            return Step::Told(Event::Data { stream: key, start: at, end, ended: false, consumed: end });
        }
        self.skip_next(padding, end);
        if ended {
            self.streams.at(key.slot).receiving = Receiving::Ended;
        } else if length == 0 {
            return Step::Next(end);
        }
        Step::Told(Event::Data { stream: key, start: at, end, ended, consumed: end })
    }

    /// Content that came on this stream was taken, so much of it: as much may come again, which
    /// [`update_windows`](Connection::update_windows) tells the peer.
    ///
    /// # Panics
    /// If more is taken than came.
    pub fn consumed(&mut self, key: StreamKey, bytes: usize) {
        if self.take_unread(key, bytes as u32) {
            self.return_to_stream(key, bytes as u32);
        }
    }

    /// The same of content that nobody takes: its stream's window is not opened again, so that no more than that window comes for nothing. That of the connection
    /// is.
    ///
    /// # Panics
    /// If more is discarded than came.
    pub fn discarded(&mut self, key: StreamKey, bytes: usize) {
        if self.take_unread(key, bytes as u32) {
            self.return_to_connection(bytes as u32);
        }
    }

    fn take_unread(&mut self, key: StreamKey, bytes: u32) -> bool {
        let Some(stream) = self.streams.get_mut(key) else { return false };
        stream.unread_bytes = stream.unread_bytes.checked_sub(bytes).expect("what was taken had come");
        self.budgets.taken(bytes);
        true
    }

    fn return_to_stream(&mut self, key: StreamKey, bytes: u32) {
        self.return_to_connection(bytes);
        let half = self.limits.stream_window_bytes / 2;
        let stream = self.streams.at(key.slot);
        stream.unreturned_bytes += bytes;
        if !stream.is_due && stream.unreturned_bytes > half && stream.receiving == Receiving::Content {
            stream.is_due = true;
            self.due.push(key.slot);
        }
    }

    /// Bytes that no stream keeps.
    #[inline]
    pub(super) fn return_to_connection(&mut self, bytes: u32) {
        self.unreturned_bytes += bytes;
    }

    /// Opens those windows again of which half was used and taken. To be called once in a turn, behind all else.
    pub fn update_windows(&mut self, out: &mut Vec<u8>) {
        if self.unreturned_bytes > self.limits.connection_window_bytes / 2 {
            frame::write_window_update(0, self.unreturned_bytes, out);
            self.receive_window += self.unreturned_bytes as i32;
            self.unreturned_bytes = 0;
        }
        while let Some(slot) = self.due.pop() {
            let stream = self.streams.at(slot);
            stream.is_due = false;
            if stream.receiving == Receiving::Content {
                frame::write_window_update(stream.id, stream.unreturned_bytes, out);
                stream.receive_window += stream.unreturned_bytes as i32;
                stream.unreturned_bytes = 0;
            }
        }
    }

    pub(super) fn window_update(
        &mut self,
        header: Header,
        input: &[u8],
        payload: usize,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        let Some(increment) = whole(header, 4, input, payload)? else { return Ok(Step::Need) };
        let (increment, consumed) = (number(increment) & LARGEST_WINDOW, payload + 4);
        self.budgets.spend(Kind::WindowUpdate, &self.limits)?;
        if header.stream == 0 {
            return self.open_connection(increment, consumed);
        }
        let Some(stream) = self.look_up(header.stream)?.filter(|stream| self.is_live(*stream)) else {
            return Ok(Step::Next(consumed));
        };
        let (error, fault) = match open(&mut self.streams.at(stream.slot).send_window, increment) {
            Opened::Now => return Ok(Step::Told(Event::Window { stream: Some(stream), consumed })),
            Opened::Further => return Ok(Step::Next(consumed)),
            Opened::ByNothing => {
                (ErrorCode::PROTOCOL_ERROR, "a WINDOW_UPDATE opens the stream's window by nothing")
            }
            Opened::TooFar => (ErrorCode::FLOW_CONTROL_ERROR, "the stream's window was opened beyond 2^31-1"),
        };
        self.fault(stream, error, fault, consumed, out).map(Step::Told)
    }

    fn open_connection(&mut self, increment: u32, consumed: usize) -> Result<Step, Error> {
        match open(&mut self.send_window, increment) {
            Opened::Now => Ok(Step::Told(Event::Window { stream: None, consumed })),
            Opened::Further => Ok(Step::Next(consumed)),
            Opened::ByNothing => Err(Error::ZeroIncrement),
            Opened::TooFar => Err(Error::WindowOverflow),
        }
    }
}

/// What an increment did to a window.
enum Opened {
    /// There was no room, and now there is some.
    Now,
    /// There was room before, or is none yet.
    Further,
    ByNothing,
    TooFar,
}

fn open(window: &mut i32, increment: u32) -> Opened {
    let before = *window;
    match before.checked_add(increment as i32) {
        _ if increment == 0 => Opened::ByNothing,
        None => Opened::TooFar,
        Some(after) => {
            *window = after;
            if before <= 0 && after > 0 { Opened::Now } else { Opened::Further }
        }
    }
}

/// How many bytes stand before the fields or the content of a frame, `others` among them, and how many behind them (RFC 9113 sections 6.1 and
/// 6.2); `None` if the padding's length has not come.
#[inline]
pub(super) fn padding(
    header: Header,
    others: u32,
    input: &[u8],
    payload: usize,
) -> Result<Option<(u32, u32)>, Error> {
    let prefix = others + u32::from(header.has(flag::PADDED));
    if header.length < prefix {
        return Err(Error::InvalidFrameSize);
    }
    if !header.has(flag::PADDED) {
        return Ok(Some((prefix, 0)));
    }
    match input.get(payload) {
        None => Ok(None),
        Some(padding) if u32::from(*padding) > header.length - prefix => Err(Error::InvalidPadding),
        Some(padding) => Ok(Some((prefix, u32::from(*padding)))),
    }
}
