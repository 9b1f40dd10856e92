//! A request on its way out, and its body, piece by piece.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::task::{Context, Poll};

use gannet_core::{Body, BodyError, BodyLength, Bytes, Data, Frame};
use gannet_proto::Method;

/// Bytes of a file that are read at a time.
const FILE_BYTES: u64 = 64 * 1024;

/// A request, as either protocol writes it.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) method_text: String,
    pub(super) target: String,
    pub(super) authority: String,
    /// Rendered lines, without Host and what frames the message.
    pub(super) fields: Vec<u8>,
    pub(super) body: Option<Body>,
    pub(super) accepts_trailers: bool,
    /// The body is sent when it is asked for (RFC 9110, 10.1.1).
    pub(super) expects_continue: bool,
    /// Another protocol is asked for, whose bytes the body is.
    pub(super) upgrades: bool,
}

/// What is still to be sent of a request's body.
#[derive(Debug)]
pub(super) struct Upload {
    body: Body,
    piece: Option<Piece>,
    pub(super) awaits_continue: bool,
}

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    File(Arc<File>, Range<u64>),
}

/// What is to be sent next.
#[derive(Debug)]
pub(super) enum Next {
    Data(Bytes),
    /// The end, with rendered trailers.
    End(Vec<u8>),
    Failed(BodyError),
}

impl Outgoing {
    pub(super) fn length(&self) -> BodyLength {
        match self.body.as_ref().filter(|_| !self.upgrades).map(Body::length) {
            None => BodyLength::None,
            Some(Some(length)) => BodyLength::Known(length),
            Some(None) => BodyLength::Chunked,
        }
    }

    /// Takes the body out, to be sent behind the head.
    pub(super) fn take_upload(&mut self) -> Option<Upload> {
        let body = self.body.take()?;
        Some(Upload { body, piece: None, awaits_continue: self.expects_continue || self.upgrades })
    }
}

impl Upload {
    /// The next bytes, at most so many; never none of them.
    pub(super) fn poll(&mut self, most: usize, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self.piece.take() {
                Some(Piece::Bytes(mut bytes)) if !bytes.is_empty() => {
                    let now = bytes.split_to(bytes.len().min(most));
                    self.piece = Some(Piece::Bytes(bytes));
                    return Poll::Ready(Next::Data(now));
                }
                Some(Piece::File(file, range)) if !range.is_empty() => {
                    let end = range.end.min(range.start + FILE_BYTES.min(most as u64));
                    let mut bytes = vec![0; (end - range.start) as usize];
                    if file.read_exact_at(&mut bytes, range.start).is_err() {
                        return Poll::Ready(Next::Failed(BodyError::Incomplete));
                    }
                    self.piece = Some(Piece::File(file, end..range.end));
                    return Poll::Ready(Next::Data(bytes.into()));
                }
                _ => match self.body.poll_frame(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => return Poll::Ready(Next::End(Vec::new())),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Next::Failed(error)),
                    Poll::Ready(Some(Ok(Frame::Trailers(fields)))) => {
                        return Poll::Ready(Next::End(fields.rendered().to_vec()));
                    }
                    Poll::Ready(Some(Ok(Frame::Data(Data::Bytes(bytes))))) => {
                        self.piece = Some(Piece::Bytes(bytes));
                    }
                    Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                        self.piece = Some(Piece::Bytes(Bytes::copy_from_slice(data.as_slice())));
                    }
                    Poll::Ready(Some(Ok(Frame::File(file, range)))) => {
                        self.piece = Some(Piece::File(file, range));
                    }
                },
            }
        }
    }
}
