//! Memory that a conversation works in while something is said, and others while it is silent.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::Bytes;
use gannet_core::Chunk;

/// Pieces of it that a worker keeps.
const KEPT: usize = 256;

/// Bytes of a message, or of frames, that it keeps room for.
const KEPT_BYTES: usize = 16 * 1024;

/// What a conversation has while something is said.
#[derive(Default)]
pub(super) struct Work {
    /// Received, and not read.
    pub(super) input: Option<Chunk>,
    /// Of the message that is being received.
    pub(super) message: Vec<u8>,
    /// What is to be sent, in whole frames or parts of them, before
    output: VecDeque<Outgoing>,
    /// frames that are short.
    pub(super) frames: Vec<u8>,
    /// Bytes of both, without what was published for many.
    pub(super) queued: usize,
    /// How many of the output were published.
    pub(super) published: usize,
}

/// A whole frame, or some, or a part of one.
pub(super) struct Outgoing {
    pub(super) bytes: Bytes,
    /// It is one message that was published for many.
    pub(super) is_published: bool,
}

/// A worker's, which nobody works in.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "they are handed over as they are")]
pub(super) struct Spare(RefCell<Vec<Box<Work>>>);

impl Work {
    /// Whether there is something to be sent.
    pub(super) fn has_output(&self) -> bool {
        !self.frames.is_empty() || !self.output.is_empty()
    }

    /// Puts something behind all that is to be sent.
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        if !self.frames.is_empty() {
            let bytes = Bytes::copy_from_slice(&self.frames);
            self.frames.clear();
            self.output.push_back(Outgoing { bytes, is_published: false });
        }
        match outgoing.is_published {
            true => self.published += 1,
            false => self.queued += outgoing.bytes.len(),
        }
        self.output.push_back(outgoing);
    }

    /// Takes what is sent next, unless that is short frames only.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let Outgoing { bytes, is_published } = self.output.pop_front()?;
        match is_published {
            true => self.published -= 1,
            false => self.queued -= bytes.len(),
        }
        Some(bytes)
    }

    /// Appends the short frames, which are behind all else.
    pub(super) fn take_frames(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.frames);
        self.queued -= self.frames.len();
        self.frames.clear();
    }

    /// The oldest of what was published is not sent.
    pub(super) fn drop_oldest(&mut self) {
        if let Some(oldest) = self.output.iter().position(|outgoing| outgoing.is_published) {
            self.output.remove(oldest);
            self.published -= 1;
        }
    }

    /// Nothing of what was published is sent.
    pub(super) fn drop_published(&mut self) {
        self.output.retain(|outgoing| !outgoing.is_published);
        self.published = 0;
    }
}

impl Spare {
    pub(super) fn take(&self) -> Box<Work> {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps what nothing is in any more.
    pub(super) fn keep(&self, mut work: Box<Work>) {
        work.message.clear();
        let is_large =
            work.message.capacity().max(work.frames.capacity()) > KEPT_BYTES || work.output.capacity() > KEPT;
        let mut kept = self.0.borrow_mut();
        if kept.len() < KEPT && !is_large {
            kept.push(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(of: &[(&'static str, bool)]) -> Work {
        let mut work = Work::default();
        for (bytes, is_published) in of {
            work.push(Outgoing { bytes: Bytes::from_static(bytes.as_bytes()), is_published: *is_published });
        }
        work
    }

    fn left(mut work: Work) -> Vec<Bytes> {
        let left = std::iter::from_fn(|| work.pop()).collect();
        assert_eq!((work.queued, work.published), (0, 0));
        left
    }

    #[test]
    fn what_was_put_in_comes_out_in_order_and_what_is_too_old_does_not() {
        let all = [("a", false), ("b", true), ("c", false), ("d", true)];
        assert_eq!(left(work(&all)), ["a", "b", "c", "d"]);
        let mut without_oldest = work(&all);
        without_oldest.drop_oldest();
        assert_eq!(left(without_oldest), ["a", "c", "d"]);
        let mut own = work(&all);
        own.drop_published();
        assert_eq!(left(own), ["a", "c"]);
    }

    #[test]
    fn short_frames_stay_before_what_is_put_behind_them() {
        let mut work = Work::default();
        work.frames.extend_from_slice(b"short");
        work.queued = 5;
        work.push(Outgoing { bytes: Bytes::from_static(b"long"), is_published: false });
        work.frames.extend_from_slice(b"last");
        work.queued += 4;
        assert_eq!(
            (work.pop().as_deref(), work.pop().as_deref(), work.pop()),
            (Some(&b"short"[..]), Some(&b"long"[..]), None)
        );
        let mut out = Vec::new();
        work.take_frames(&mut out);
        assert_eq!((&out[..], work.queued, work.has_output()), (&b"last"[..], 0, false));
    }
}
