//! Two upgraded connections, joined.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::{BodyError, ReceivedBody, Sender, Upgraded};

/// Copies what each sends to the other, until both have ended. An end is passed on, and the other direction goes on; a connection that breaks
/// breaks the other.
pub(crate) async fn tunnel(one: Upgraded, other: Upgraded) {
    let mut there = pin!(copy(one.reader, other.writer));
    let mut back = pin!(copy(other.reader, one.writer));
    let (mut went, mut came) = (None, None);
    poll_fn(|context| {
        for (ended, direction) in [(&mut went, there.as_mut()), (&mut came, back.as_mut())] {
            if ended.is_none()
                && let Poll::Ready(whole) = direction.poll(context)
            {
                *ended = Some(whole);
            }
        }
        match (went, came) {
            (Some(true), Some(true)) | (Some(false), _) | (_, Some(false)) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
}

/// Says whether it came to its end. What is left before, also by whoever dropped it, is no end: the other side is told that it broke off.
async fn copy(mut reader: ReceivedBody, writer: Sender) -> bool {
    let mut unfinished = Unfinished(Some(writer));
    let Some(writer) = &mut unfinished.0 else { return false };
    loop {
        let next = poll_fn(|context| match reader.poll_next(context) {
            Poll::Pending if writer.poll_closed(context).is_ready() => {
                Poll::Ready(Some(Err(BodyError::Aborted)))
            }
            next => next,
        });
        let Some(chunk) = next.await else { break };
        let Ok(chunk) = chunk else { return false };
        if writer.send(chunk).await.is_err() {
            return false;
        }
    }
    unfinished.0 = None;
    true
}

/// What has not been written to its end.
struct Unfinished(Option<Sender>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(writer) = self.0.take() {
            writer.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::task::{Context, Waker};

    use super::*;
    use crate::{Block, Body, Chunk, Data, Frame, Incoming, channel};

    /// One end of a tunnel, and what a test holds of it.
    fn end() -> (Upgraded, Rc<Incoming>, Body) {
        let incoming = Rc::new(Incoming::default());
        incoming.begin(Some(Waker::noop().clone()));
        let (writer, body) = channel();
        (Upgraded { reader: ReceivedBody::new(incoming.clone()), writer }, incoming, body)
    }

    fn chunk(bytes: &[u8]) -> Chunk {
        let mut block = Block::oversized(bytes.len());
        block.append(bytes);
        block.share()
    }

    fn next(body: &mut Body) -> Poll<Option<Result<Vec<u8>, BodyError>>> {
        let Body::Stream(source) = body else { panic!("a channel's body is a stream") };
        source.as_mut().poll_frame(&mut Context::from_waker(Waker::noop())).map(|frame| {
            frame.map(|frame| {
                frame.map(|frame| match frame {
                    Frame::Data(Data::Chunk(chunk)) => chunk.to_vec(),
                    other => panic!("{other:?} is not what was sent"),
                })
            })
        })
    }

    #[test]
    fn each_hears_what_the_other_says_and_an_end_leaves_the_other_direction_open() {
        let ((one, one_in, mut one_out), (other, other_in, mut other_out)) = (end(), end());
        let mut tunnel = pin!(tunnel(one, other));
        let mut poll = || tunnel.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        one_in.push(chunk(b"there"));
        one_in.end(Ok(()), None);
        assert!(poll().is_pending());
        assert_eq!(next(&mut other_out), Poll::Ready(Some(Ok(b"there".to_vec()))));
        assert_eq!(next(&mut other_out), Poll::Ready(None));
        other_in.push(chunk(b"back"));
        other_in.end(Ok(()), None);
        assert!(poll().is_ready());
        assert_eq!(next(&mut one_out), Poll::Ready(Some(Ok(b"back".to_vec()))));
        assert_eq!(next(&mut one_out), Poll::Ready(None));
    }

    #[test]
    fn a_connection_that_breaks_breaks_the_other() {
        let ((one, one_in, _), (other, _, mut other_out)) = (end(), end());
        let mut tunnel = pin!(tunnel(one, other));
        one_in.end(Err(BodyError::Incomplete), None);
        assert!(tunnel.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(next(&mut other_out), Poll::Ready(Some(Err(BodyError::Aborted))));
    }

    #[test]
    fn a_tunnel_that_is_given_up_ends_in_no_good_order_for_who_has_not_heard_all() {
        let ((one, one_in, mut one_out), (other, _other_in, mut other_out)) = (end(), end());
        let mut tunnel = Box::pin(tunnel(one, other));
        one_in.end(Ok(()), None);
        assert!(tunnel.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(tunnel);
        assert_eq!(next(&mut other_out), Poll::Ready(None));
        assert_eq!(next(&mut one_out), Poll::Ready(Some(Err(BodyError::Aborted))));
    }

    #[test]
    fn a_side_that_takes_nothing_more_ends_it_also_while_nobody_says_anything() {
        let ((one, _one_in, _one_out), (other, _other_in, other_out)) = (end(), end());
        let mut tunnel = pin!(tunnel(one, other));
        assert!(tunnel.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(other_out);
        assert!(tunnel.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}
