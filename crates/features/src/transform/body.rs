//! A body whose pieces are made into others on their way.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use gannet_core::{Body, BodyError, Bytes, File, Frame, Fs, Later, Source};

use super::Map;

/// What is read of a file at a time.
const READ_BYTES: u64 = 64 * 1024;

/// A body, and what its pieces are made into.
pub(super) struct Mapped {
    body: Body,
    map: Box<Map>,
    fs: Rc<dyn Fs>,
    reading: Option<Reading>,
    ended: bool,
    /// What comes behind the last piece.
    last: Option<Frame>,
}

/// A range of a file on its way through memory.
struct Reading {
    file: Arc<File>,
    /// What is not asked for yet.
    left: Range<u64>,
    piece: Option<Later<io::Result<Bytes>>>,
}

impl Mapped {
    pub(super) fn new(body: Body, map: Box<Map>, fs: Rc<dyn Fs>) -> Mapped {
        Mapped { body, map, fs, reading: None, ended: false, last: None }
    }

    /// The next bytes of the file that is read; none when it has no more.
    fn poll_file(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let piece = match &mut reading.piece {
            Some(piece) => piece,
            None if reading.left.is_empty() => {
                self.reading = None;
                return Poll::Ready(None);
            }
            none => {
                let end = reading.left.end.min(reading.left.start + READ_BYTES);
                let range = reading.left.start..end;
                reading.left.start = end;
                none.insert(self.fs.read(&reading.file, range))
            }
        };
        let read = ready!(Pin::new(piece).poll(context));
        reading.piece = None;
        // A file that has become shorter ends the body before its end, as where it is sent unchanged.
        Poll::Ready(Some(read.map_err(|_| BodyError::Aborted)))
    }

    /// What is sent for a piece, or for the end, if it is anything.
    fn make(&mut self, piece: Option<&[u8]>) -> Option<Frame> {
        let made = (self.map)(piece);
        (!made.is_empty()).then(|| Frame::Data(made.into()))
    }
}

impl Source for Mapped {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        while !self.ended {
            let made = if self.reading.is_some() {
                match ready!(self.poll_file(context)) {
                    Some(Ok(bytes)) => self.make(Some(&bytes)),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => None,
                }
            } else {
                match ready!(self.body.poll_frame(context)) {
                    Some(Ok(Frame::Data(data))) => self.make(Some(data.as_slice())),
                    Some(Ok(Frame::File(file, left))) => {
                        self.reading = Some(Reading { file, left, piece: None });
                        None
                    }
                    Some(Ok(trailers)) => {
                        (self.ended, self.last) = (true, Some(trailers));
                        self.make(None)
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => {
                        self.ended = true;
                        self.make(None)
                    }
                }
            };
            if made.is_some() {
                return Poll::Ready(made.map(Ok));
            }
        }
        Poll::Ready(self.last.take().map(Ok))
    }
}
