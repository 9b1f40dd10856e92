//! What a connection has received and what it is to send, whatever protocol that is of: the two ends that `link` works on.

use std::collections::VecDeque;

use gannet_core::UpstreamError;
use gannet_engine::{Chunk, Moment, Output, SocketId};

use crate::link::{self, Tls};
use crate::local::{Lent, Local};

/// A connection's bytes, both ways, while something goes on.
pub(crate) struct Wire {
    /// Received and not consumed.
    pub(crate) input: Option<Chunk>,
    /// What came behind it, as it came: nothing while there is no input.
    pub(crate) behind: VecDeque<Chunk>,
    /// Being filled.
    pub(crate) output: Option<Box<Output>>,
    /// The engine has an output of ours.
    pub(crate) sending: bool,
    /// The engine gives us what it receives.
    pub(crate) receiving: bool,
    /// The kernel took something.
    pub(crate) sent_any: bool,
    /// Something came.
    pub(crate) received_any: bool,
    /// The upstream takes no more: what it still says is heard.
    pub(crate) send_broken: bool,
    /// The upstream sends no more.
    pub(crate) peer_ended: bool,
    /// It cannot go on.
    pub(crate) broken: Option<UpstreamError>,
    /// When something last came or went.
    pub(crate) progress: Moment,
}

impl Default for Wire {
    fn default() -> Wire {
        Wire {
            input: None,
            behind: VecDeque::new(),
            output: None,
            sending: false,
            receiving: false,
            sent_any: false,
            received_any: false,
            send_broken: false,
            peer_ended: false,
            broken: None,
            progress: Moment::NEVER,
        }
    }
}

impl Wire {
    /// Ready for another exchange, or another connection.
    #[inline]
    pub(crate) fn reset(&mut self, local: &mut Local) {
        if let Some(output) = self.output.take() {
            local.recycle_output(output);
        }
        (self.input, self.broken) = (None, None);
        self.behind.clear();
        (self.sending, self.receiving, self.sent_any, self.received_any) = (false, false, false, false);
        (self.send_broken, self.peer_ended) = (false, false);
    }

    /// Bytes arrived.
    #[inline]
    pub(crate) fn arrived(&mut self, plain: Chunk, now: Moment) {
        (self.received_any, self.progress) = (true, now);
        match self.input {
            None => self.input = Some(plain),
            Some(_) => self.behind.push_back(plain),
        }
    }

    /// So much of `input`, which was taken from here, is done with: what follows is next.
    #[inline(always)]
    pub(crate) fn give_back(&mut self, input: Option<Chunk>, consumed: usize) {
        self.input = rest(input, consumed).or_else(|| self.behind.pop_front());
    }

    /// The same, where what is left of it means nothing without more; says whether there is more.
    #[inline]
    pub(crate) fn needs_more(&mut self, input: Option<Chunk>, consumed: usize) -> bool {
        let began = rest(input, consumed);
        let Some(next) = self.behind.pop_front() else {
            self.input = began;
            return false;
        };
        // What lies across both is read in one piece.
        self.input = Some(match began {
            None => next,
            Some(began) => began.followed_by(&next),
        });
        true
    }

    /// What is being filled.
    #[inline]
    pub(crate) fn output(&mut self, local: &mut Local) -> &mut Output {
        self.output.get_or_insert_with(|| local.take_output())
    }

    /// Bytes that wait to be sent, without those the engine has.
    pub(crate) fn queued(&self) -> u64 {
        self.output.as_ref().map_or(0, |output| output.remaining())
    }

    /// Whether anything waits to be sent, or is being sent.
    pub(crate) fn has_output(&self) -> bool {
        self.sending || self.queued() > 0
    }

    /// It cannot go on, for this reason; the first one counts.
    pub(crate) fn fail(&mut self, error: UpstreamError) {
        self.broken.get_or_insert(error);
    }

    /// Hands the output to the engine, unless it has one: then this one grows meanwhile.
    #[inline(always)]
    pub(crate) fn flush(&mut self, tls: &mut Tls, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
        if self.sending || self.broken.is_some() {
            return;
        }
        match self.output.take() {
            Some(output) if output.is_empty() || self.send_broken => local.recycle_output(output),
            Some(output) => {
                self.sending = true;
                match link::send(tls, socket, output, local, lent) {
                    Ok(rest) => self.output = rest,
                    Err(error) => self.fail(error),
                }
            }
            None => {}
        }
    }
}

#[inline(always)]
fn rest(input: Option<Chunk>, consumed: usize) -> Option<Chunk> {
    let mut input = input?;
    input.advance(consumed);
    (!input.is_empty()).then_some(input)
}
