//! Sending: bodies of requests are pulled, a frame a turn, as far as the output and the upstream's windows have room.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Poll, Waker};

use gannet_core::{Body, BodyError, Data, Fields, Frame, UpstreamError};
use gannet_proto::h2::{Misuse, StreamKey};

use super::{Multiplexed, Stream};
use crate::calls::Attempt;
use crate::exchange::put;
use crate::failure::Reached;
use crate::local::{Lent, Local};

/// What a body gave, on its way into frames.
pub(super) enum Piece {
    /// Bytes.
    Data(Data),
    /// A range of a file.
    File(Arc<File>, Range<u64>),
}

/// What comes of a stream's turn.
enum Turn {
    /// It sent, and has more.
    Again,
    /// The windows have no room.
    Blocked,
    /// It waits for its body, or has none.
    Waits,
    /// Its body broke.
    Broken,
}

/// Pulls bodies until the output is full enough, or nobody has anything that may be sent.
pub(super) fn pull(connection: &mut Multiplexed, local: &mut Local, lent: &mut Lent<'_>) {
    while connection.wire.broken.is_none()
        && !connection.wire.send_broken
        && connection.wire.queued() < local.limits.upstream_output_bytes
    {
        let Some(slot) = connection.schedule.pop_front() else { return };
        let mut broke = false;
        connection.with(slot, local, lent, |connection, stream, local, lent| {
            stream.is_scheduled = false;
            match take_turn(connection, stream, local, lent) {
                Turn::Again => connection.schedule(stream),
                Turn::Blocked => stream.is_blocked = true,
                Turn::Waits => {}
                Turn::Broken => broke = true,
            }
        });
        if broke {
            let (error, reached) = (UpstreamError::RequestBody, Reached::Upstream);
            connection.fail(slot, error, reached, Attempt::Again, local, lent);
        }
    }
}

fn take_turn(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    local: &mut Local,
    lent: &mut Lent<'_>,
) -> Turn {
    let piece = match stream.piece.take() {
        Some(piece) => piece,
        None => match next(connection, stream, local, lent) {
            Ok(piece) => piece,
            Err(turn) => return turn,
        },
    };
    let room = connection.protocol.room(stream.key);
    if room == 0 {
        stream.piece = Some(piece);
        return Turn::Blocked;
    }
    send(connection, stream, piece, room, local, lent)
}

/// What the body gives next; its end is sent at once, since no window has to have room for it.
fn next(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    local: &mut Local,
    lent: &mut Lent<'_>,
) -> Result<Piece, Turn> {
    let Some(mut body) = stream.exchange.body.take() else { return Err(Turn::Waits) };
    let waker = match body.may_wait() {
        true => stream.waker(connection.socket.index, lent),
        false => Waker::noop().clone(),
    };
    let piece = match stream.exchange.poll(&mut body, &waker) {
        Poll::Pending => {
            stream.exchange.body = Some(body);
            return Err(Turn::Waits);
        }
        Poll::Ready(Some(Ok(Frame::Data(data)))) => Piece::Data(data),
        Poll::Ready(Some(Ok(Frame::File(file, range)))) => Piece::File(file, range),
        Poll::Ready(end) => return Err(finish(connection, stream, end.as_ref(), local, lent)),
    };
    stream.exchange.body = Some(body);
    if piece.length() == 0 {
        // Nothing to send, and perhaps nothing again: others have their turn first.
        waker.wake();
        return Err(Turn::Waits);
    }
    Ok(piece)
}

/// The body has ended, or broken.
fn finish(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    end: Option<&Result<Frame, BodyError>>,
    local: &mut Local,
    lent: &Lent<'_>,
) -> Turn {
    let none = Fields::new();
    let trailers = match end {
        Some(Ok(Frame::Trailers(trailers))) => trailers,
        Some(Err(_)) => return Turn::Broken,
        _ => &none,
    };
    stream.progress = lent.now();
    let output = connection.wire.output(local).bytes();
    match connection.protocol.finish(stream.key, trailers.rendered(), output) {
        Ok(()) => Turn::Waits,
        Err(misuse) => misused(misuse),
    }
}

/// Sends as much of a piece as there is room for: the last of a stream's frames where the body is known to have no more.
fn send(
    connection: &mut Multiplexed,
    stream: &mut Stream,
    piece: Piece,
    room: usize,
    local: &mut Local,
    lent: &Lent<'_>,
) -> Turn {
    let (now, rest) = piece.split(room);
    let length = now.length() as usize;
    let ends = rest.is_none() && matches!(stream.exchange.body, Some(Body::Empty));
    let output = connection.wire.output(local);
    if let Err(misuse) = connection.protocol.push(stream.key, length, ends, output.bytes()) {
        return misused(misuse);
    }
    match now {
        Piece::Data(data) => put(output, data),
        Piece::File(file, range) => output.push_file(file, range),
    }
    stream.progress = lent.now();
    stream.piece = rest;
    if ends {
        stream.exchange.body = None;
    }
    Turn::Again
}

/// The body is not as long as was said.
fn misused(misuse: Misuse) -> Turn {
    tracing::error!(%misuse, "a request to an upstream could not be completed; its stream is reset");
    Turn::Broken
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Piece::Data(data) => data.as_slice().len() as u64,
            Piece::File(_, range) => range.end.saturating_sub(range.start),
        }
    }

    /// What there is room for, and what is left.
    fn split(self, room: usize) -> (Piece, Option<Piece>) {
        if self.length() <= room as u64 {
            return (self, None);
        }
        match self {
            Piece::Data(Data::Bytes(mut bytes)) => {
                let now = bytes.split_to(room);
                (Piece::Data(Data::Bytes(now)), Some(Piece::Data(Data::Bytes(bytes))))
            }
            Piece::Data(Data::Chunk(mut chunk)) => {
                let now = chunk.slice(0..room);
                chunk.advance(room);
                (Piece::Data(Data::Chunk(now)), Some(Piece::Data(Data::Chunk(chunk))))
            }
            Piece::File(file, range) => {
                let middle = range.start + room as u64;
                let rest = Piece::File(file.clone(), middle..range.end);
                (Piece::File(file, range.start..middle), Some(rest))
            }
        }
    }
}

impl Multiplexed {
    /// The upstream opened a window: that of a stream, or that of all.
    pub(super) fn unblock(&mut self, key: Option<StreamKey>, lent: &Lent<'_>) {
        let slots = match key {
            Some(key) => key.slot as usize..key.slot as usize + 1,
            None => 0..self.streams.len(),
        };
        for slot in slots {
            let Some(Some(stream)) = self.streams.get_mut(slot) else { continue };
            if std::mem::take(&mut stream.is_blocked) {
                stream.progress = lent.now();
                stream.is_scheduled = true;
                self.schedule.push_back(slot as u32);
            }
        }
    }
}
