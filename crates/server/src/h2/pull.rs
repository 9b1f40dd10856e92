//! Step 8, respond, its second half: bodies are pulled, a frame a turn in the order of the [schedule](super::schedule), as far as the output and the
//! client's windows have room.

use std::fs::File;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use gannet_core::{Body, BodyError, Data, Fields, Frame, Later};
use gannet_proto::h2::StreamKey;

use super::respond::break_off;
use super::{Multiplexed, Stream};
use crate::local::Local;
use crate::respond::COPIED_BYTES;
use crate::wire::Fate;
use crate::{fs, handle};

/// What a body gave, on its way into frames.
pub(super) enum Piece {
    /// Bytes.
    Data(Data),
    /// A range of a file, and the reading of it from the disk where that has to be waited for.
    File(Arc<File>, Range<u64>, Option<Later<()>>),
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
    let piece = match stream.piece.take() {
        Some(piece) => piece,
        None => match next(connection, stream, local) {
            Some(piece) => piece,
            None => return Turn::Waits,
        },
    };
    let room = connection.protocol.room(stream.key);
    if room == 0 {
        stream.piece = Some(piece);
        return Turn::Blocked;
    }
    stream.window_deadline = None;
    match piece {
        Piece::Data(data) => send(connection, stream, data, room, local),
        Piece::File(file, range, warming) => send_file(connection, stream, file, range, warming, room, local),
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
        Poll::Ready(Some(Ok(Frame::File(file, range)))) => Piece::File(file, range, None),
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
    file: Arc<File>,
    range: Range<u64>,
    mut warming: Option<Later<()>>,
    room: usize,
    local: &mut Local,
) -> Turn {
    let piece = range.start..range.end.min(range.start + room as u64);
    let rest = piece.end..range.end;
    if let Some(reading) = &mut warming {
        let waker = stream.waker(local);
        if Pin::new(reading).poll(&mut Context::from_waker(&waker)).is_pending() {
            stream.piece = Some(Piece::File(file, range, warming));
            return Turn::Waits;
        }
    } else if let Some(reading) = local.disk.warm(&file, &piece) {
        stream.piece = Some(Piece::File(file, range, Some(reading)));
        stream.waker(local).wake();
        return Turn::Waits;
    }
    let length = (piece.end - piece.start) as usize;
    if !begin_frame(connection, stream, length, rest.is_empty(), local) {
        return Turn::Waits;
    }
    let output = connection.wire.output(local);
    // Behind its frame's head it is one send with all else; what the kernel has let go of meanwhile it sends by itself.
    if !fs::append_cached(&file, &piece, output.bytes()) {
        output.push_file(file.clone(), piece);
    }
    stream.piece = (!rest.is_empty()).then_some(Piece::File(file, rest, None));
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
            Piece::File(_, range, _) => range.is_empty(),
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
