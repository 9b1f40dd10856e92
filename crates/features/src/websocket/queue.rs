//! What is to be sent over one WebSocket.

use std::collections::VecDeque;

use bytes::Bytes;

/// A whole frame, or some, or a part of one.
pub(super) struct Outgoing {
    pub(super) bytes: Bytes,
    /// It is one message that was published for many.
    pub(super) is_published: bool,
}

/// What waits, in order. Mostly that is one thing or nothing, so the first has a place without further memory.
#[derive(Default)]
pub(super) struct Queue {
    first: Option<Outgoing>,
    rest: VecDeque<Outgoing>,
    /// How many of them were published.
    pub(super) published: usize,
}

impl Queue {
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        self.published += usize::from(outgoing.is_published);
        if self.first.is_none() {
            self.first = Some(outgoing);
        } else {
            self.rest.push_back(outgoing);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        let first = self.first.take()?;
        self.first = self.rest.pop_front();
        if self.rest.is_empty() && self.rest.capacity() > 0 {
            self.rest = VecDeque::new();
        }
        self.published -= usize::from(first.is_published);
        Some(first)
    }

    /// The oldest of what was published is not sent.
    pub(super) fn drop_oldest(&mut self) {
        if self.first.as_ref().is_some_and(|first| first.is_published) {
            self.pop();
        } else if let Some(oldest) = self.rest.iter().position(|outgoing| outgoing.is_published) {
            self.rest.remove(oldest);
            self.published -= 1;
        }
    }

    /// Nothing of what was published is sent.
    pub(super) fn drop_published(&mut self) {
        while self.published > 0 {
            self.drop_oldest();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(of: &[(&'static str, bool)]) -> Queue {
        let mut queue = Queue::default();
        for (bytes, is_published) in of {
            queue.push(Outgoing { bytes: Bytes::from_static(bytes.as_bytes()), is_published: *is_published });
        }
        queue
    }

    fn left(mut queue: Queue) -> Vec<Bytes> {
        std::iter::from_fn(|| queue.pop()).map(|outgoing| outgoing.bytes).collect()
    }

    #[test]
    fn what_was_put_in_comes_out_in_order_and_what_is_too_old_does_not() {
        let all = [("a", false), ("b", true), ("c", false), ("d", true)];
        assert_eq!(left(queue(&all)), ["a", "b", "c", "d"]);
        let mut without_oldest = queue(&all);
        without_oldest.drop_oldest();
        assert_eq!(left(without_oldest), ["a", "c", "d"]);
        let mut first = queue(&[("a", true), ("b", true)]);
        first.drop_oldest();
        assert_eq!((first.published, left(first)), (1, vec![Bytes::from_static(b"b")]));
        let mut own = queue(&all);
        own.drop_published();
        assert_eq!((own.published, left(own)), (0, vec![Bytes::from_static(b"a"), Bytes::from_static(b"c")]));
    }
}
