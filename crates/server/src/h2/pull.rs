//! Step 8, respond, its second half: bodies are pulled, a frame a turn in the order of the [schedule](super::schedule), as far as the output and the
//! client's windows have room.

use std::fs::File;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use gannet_core::{Body, BodyError, Data, Fields, Frame, Later};
use gannet_link::RECORD_BYTES;
use gannet_proto::h2::StreamKey;

use super::respond::break_off;
use super::{Multiplexed, Stream};
use crate::local::Local;
use crate::respond::COPIED_BYTES;
use crate::wire::Fate;
use crate::{fs, handle};

/// Whether the kernel has a file in memory is looked for in pieces of this size: it reads ahead as much.
const WARMED_BYTES: u64 = 128 * 1024;
/// The head of a frame (RFC 9113, 4.1).
const FRAME_HEAD_BYTES: usize = 9;

/// What a body gave, on its way into frames.
pub(super) enum Piece {
    /// Bytes.
    Data(Data),
    /// A range of a file.
    File(FilePiece),
}

/// What is left of a range of a file.
pub(super) struct FilePiece {
    file: Arc<File>,
    range: Range<u64>,
    /// Up to here the kernel had it in memory when it was last looked for.
    warm: u64,
    /// The reading of it from the disk, where that has to be waited for.
    warming: Option<Later<()>>,
}

/// What comes of a stream's turn.
enum Turn {
    /// It sent, and has more.
    Again,
    /// The windows have no room.
    Blocked,
    /// It waits for its body, or has none.
    Waits,
}

/// Pulls bodies until the output is full enough, or nobody has anything that may be sent.
pub(super) fn pull(connection: &mut Multiplexed, local: &mut Local) {
    while connection.wire.fate == Fate::Serve && connection.wire.queued() < local.limits.output_bytes {
        let Some(slot) = connection.schedule.next() else { return };
        connection.with(slot, local, |connection, stream, local| {
            stream.is_scheduled = false;
            match take_turn(connection, stream, local) {
                Turn::Again => {
                    stream.is_scheduled = true;
                    connection.schedule.add(slot, connection.protocol.priority(stream.key).urgency);
                }
                Turn::Blocked => connection.block(stream, local),
                Turn::Waits => {}
            }
        });
    }
}

fn take_turn(connection: &mut Multiplexed, stream: &mut Stream, local: &mut Local) -> Turn {
    let mut piece = match stream.piece.take() {
        Some(piece) => piece,
        None => match next(connection, stream, local) {
            Some(piece) => piece,
            None => return Turn::Waits,
        },
    };
    let room = connection.protocol.room(stream.key);
    if room == 0 {
        if let Piece::File(piece) = &mut piece {
            // By then the kernel may have let go of it.
            piece.warm = piece.range.start;
        }
        stream.piece = Some(piece);
        return Turn::Blocked;
    }
    stream.window_deadline = None;
    match piece {
        Piece::Data(data) => send(connection, stream, data, room, local),
        Piece::File(piece) => send_file(connection, stream, piece, room, local),
    }
}

/// What the body gives next; its end is sent at once, since no window has to have room for it.
fn next(connection: &mut Multiplexed, stream: &mut Stream, local: &mut Local) -> Option<Piece> {
    let mut body = stream.body.take()?;
    let waker = if body.may_wait() { stream.waker(local) } else { std::task::Waker::noop().clone() };
    let poll = handle::contained(local, || body.poll_frame(&mut Context::from_waker(&waker)));
    let poll = poll.unwrap_or(Poll::Ready(Some(Err(BodyError::Aborted))));
    let piece = match poll {
        Poll::Pending => {
            stream.body = Some(body);
            return None;
        }
        Poll::Ready(Some(Ok(Frame::Data(data)))) => Piece::Data(data),
        Poll::Ready(Some(Ok(Frame::File(file, range)))) => {
            let warm = range.start;
            Piece::File(FilePiece { file, range, warm, warming: None })
        }
        Poll::Ready(end) => {
            handle::discard(local, body);
            finish(connection, stream, end.as_ref(), local);
            return None;
        }
    };
    stream.body = Some(body);
    if piece.is_empty() {
        // Nothing to send, and perhaps nothing again: others have their turn first.
        waker.wake();
        return None;
    }
    Some(piece)
}

/// The body has ended, or broken.
fn finish(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    end: Option<&Result<Frame, BodyError>>,
    local: &mut Local,
) {
    let none = Fields::new();
    let trailers = match end {
        Some(Ok(Frame::Trailers(trailers))) => trailers,
        Some(Err(error)) => {
            tracing::debug!(%error, "a response's body failed; its stream is reset");
            return break_off(connection, stream, local);
        }
        _ => &none,
    };
    let output = connection.wire.output(local).bytes();
    if let Err(misuse) = connection.protocol.finish(stream.key, trailers.rendered(), output) {
        tracing::error!(%misuse, "a response could not be completed; its stream is reset");
        break_off(connection, stream, local);
    }
}

/// Sends as much of some bytes as there is room for.
fn send(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    data: Data,
    room: usize,
    local: &mut Local,
) -> Turn {
    let (now, rest) = split(data, room);
    let length = now.as_slice().len();
    if !begin_frame(connection, stream, length, rest.is_none(), local) {
        return Turn::Waits;
    }
    let output = connection.wire.output(local);
    match now {
        now if length <= COPIED_BYTES => output.bytes().extend_from_slice(now.as_slice()),
        Data::Bytes(bytes) => output.push_shared(bytes),
        Data::Chunk(chunk) => output.push_chunk(chunk),
    }
    stream.piece = rest.map(Piece::Data);
    sent(stream, length)
}

/// Sends as much of a file as there is room for, if the kernel has it in memory; else it is read first, elsewhere.
fn send_file(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    mut piece: FilePiece,
    room: usize,
    local: &mut Local,
) -> Turn {
    if let Some(reading) = &mut piece.warming {
        let waker = stream.waker(local);
        if Pin::new(reading).poll(&mut Context::from_waker(&waker)).is_pending() {
            stream.piece = Some(Piece::File(piece));
            return Turn::Waits;
        }
        piece.warming = None;
    } else if piece.warm <= piece.range.start {
        let ahead = piece.range.start..piece.range.end.min(piece.range.start + WARMED_BYTES);
        piece.warm = ahead.end;
        piece.warming = local.disk.warm(&piece.file, &ahead);
        if piece.warming.is_some() {
            stream.piece = Some(Piece::File(piece));
            stream.waker(local).wake();
            return Turn::Waits;
        }
    }
    // A frame and its head are one record.
    let is_secure = connection.wire.is_secure;
    let room = if is_secure { room.min(RECORD_BYTES - FRAME_HEAD_BYTES) } else { room };
    let end = piece.range.end.min(piece.range.start + room as u64).min(piece.warm);
    let now = piece.range.start..end;
    let length = (end - now.start) as usize;
    piece.range.start = end;
    if !begin_frame(connection, stream, length, piece.range.is_empty(), local) {
        return Turn::Waits;
    }
    let output = connection.wire.output(local);
    // Behind its frame's head it is one send with all else; what the kernel has let go of meanwhile it sends by itself. What is sealed is
    // read when it is, into a record's place.
    if is_secure || !fs::append_cached(&piece.file, &now, output.bytes()) {
        output.push_file(piece.file.clone(), now);
    }
    stream.piece = (!piece.range.is_empty()).then_some(Piece::File(piece));
    sent(stream, length)
}

/// Begins a frame; says whether it did. It is the stream's last where the body is known to have no more.
fn begin_frame(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    length: usize,
    is_all: bool,
    local: &mut Local,
) -> bool {
    let ends = is_all && matches!(stream.body, Some(Body::Empty));
    let output = connection.wire.output(local).bytes();
    match connection.protocol.push(stream.key, length, ends, output) {
        Ok(()) => {
            if ends {
                stream.body = None;
            }
            true
        }
        Err(misuse) => {
            tracing::error!(%misuse, "a response could not be completed; its stream is reset");
            break_off(connection, stream, local);
            false
        }
    }
}

fn sent(stream: &mut Stream, length: usize) -> Turn {
    if let Some(account) = &mut stream.account {
        account.sends(length);
    }
    if stream.piece.is_some() || stream.body.is_some() { Turn::Again } else { Turn::Waits }
}

/// What there is room for, and what is left.
fn split(data: Data, room: usize) -> (Data, Option<Data>) {
    if data.as_slice().len() <= room {
        return (data, None);
    }
    match data {
        Data::Bytes(mut bytes) => {
            let now = bytes.split_to(room);
            (Data::Bytes(now), Some(Data::Bytes(bytes)))
        }
        Data::Chunk(mut chunk) => {
            let now = chunk.slice(0..room);
            chunk.advance(room);
            (Data::Chunk(now), Some(Data::Chunk(chunk)))
        }
    }
}

impl Piece {
    fn is_empty(&self) -> bool {
        match self {
            Piece::Data(data) => data.as_slice().is_empty(),
            Piece::File(piece) => piece.range.is_empty(),
        }
    }
}

impl Multiplexed {
    /// A stream has something to send, and the client does not let it.
    fn block(&mut self, stream: &mut Stream, local: &Local) {
        stream.is_blocked = true;
        let deadline = local.now().after(local.limits.write_timeout);
        let deadline = *stream.window_deadline.get_or_insert(deadline);
        self.streams_deadline = self.streams_deadline.min(deadline);
    }

    /// The client opened a window: that of a stream, or that of all.
    pub(super) fn unblock(&mut self, key: Option<StreamKey>) {
        let slots = match key {
            Some(key) => key.slot as usize..key.slot as usize + 1,
            None => 0..self.streams.len(),
        };
        for slot in slots {
            let Some(Some(stream)) = self.streams.get_mut(slot) else { continue };
            if std::mem::take(&mut stream.is_blocked) && !std::mem::replace(&mut stream.is_scheduled, true) {
                self.schedule.add(slot as u32, self.protocol.priority(stream.key).urgency);
            }
        }
    }
}
