//! What a connection has received and what it is to send, whatever protocol that is of: the two ends that `link` and `flush` work on.

use gannet_core::Arrival;
use gannet_engine::{Chunk, Moment, Output};

use crate::local::Local;
use crate::observe::Accounts;

/// A connection's bytes, both ways, while something goes on.
pub(crate) struct Wire {
    /// Received and not consumed.
    pub(crate) input: Option<Chunk>,
    /// Being filled.
    pub(crate) output: Option<Box<Output>>,
    /// The engine has an output of ours.
    pub(crate) sending: bool,
    /// The engine gives us what it receives.
    pub(crate) receiving: bool,
    /// The peer sends no more.
    pub(crate) peer_ended: bool,
    /// It did not say so itself, as TLS has it: somebody else may have cut off what it sent.
    pub(crate) peer_cut_off: bool,
    /// Bytes of the responses in what the engine has, where that is sealed.
    pub(crate) sealed: u64,
    /// It came by TLS.
    pub(crate) is_secure: bool,
    /// Nothing had come before.
    pub(crate) is_first: bool,
    /// What is to become of the connection.
    pub(crate) fate: Fate,
    /// When the socket must have taken more.
    pub(crate) write_deadline: Option<Moment>,
    /// Of the exchanges that are not over.
    pub(crate) accounts: Accounts,
}

/// What is to become of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It goes on.
    Serve,
    /// It ends once what is in the output is sent.
    Finish,
    /// The same, but in the middle of a response: the client is to notice.
    Cut,
    /// It ends at once: there is nobody to send to, or what was begun cannot be completed.
    Abort,
}

impl Default for Wire {
    fn default() -> Wire {
        Wire {
            input: None,
            output: None,
            sending: false,
            receiving: false,
            peer_ended: false,
            peer_cut_off: false,
            sealed: 0,
            is_secure: false,
            is_first: false,
            fate: Fate::Serve,
            write_deadline: None,
            accounts: Accounts::default(),
        }
    }
}

impl Wire {
    /// A connection begins, or goes on.
    #[inline]
    pub(crate) fn connect(&mut self, arrival: &Arrival) {
        self.receiving = true;
        self.is_secure = arrival.tls.is_some();
        self.accounts.connect(arrival);
    }

    /// Ready for another connection. Exchanges that are not over are told.
    #[inline(always)]
    pub(crate) fn reset(&mut self, local: &mut Local) {
        self.accounts.end(local.now(), &mut local.observer);
        self.discard_output(local);
        self.input = None;
        (self.sending, self.receiving, self.peer_ended) = (false, false, false);
        (self.peer_cut_off, self.sealed, self.is_secure) = (false, 0, false);
        (self.fate, self.write_deadline) = (Fate::Serve, None);
    }

    /// What waits to be sent is not.
    pub(crate) fn discard_output(&mut self, local: &mut Local) {
        if let Some(output) = self.output.take() {
            local.recycle_output(output);
        }
    }

    /// The session of TLS broke: what came is not to be believed, and only the alert can still be sent.
    pub(crate) fn break_off(&mut self, has_alert: bool, local: &mut Local) {
        self.input = None;
        self.discard_output(local);
        self.fate = if has_alert || self.sending { Fate::Cut } else { Fate::Abort };
    }

    /// Puts bytes behind those that wait: in place where there is room, else both into memory of their own.
    pub(crate) fn take_in(&mut self, arrived: Chunk) {
        self.input = Some(match self.input.take() {
            None => arrived,
            Some(waiting) => waiting.followed_by(&arrived),
        });
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

    /// The position, in all that the connection sends, behind what there is of it.
    pub(crate) fn position(&self) -> u64 {
        self.accounts.position() + self.queued()
    }

    /// Whether the peer is told that we send no more, as it told us.
    pub(crate) fn says_its_end(&self) -> bool {
        self.is_secure && !self.peer_cut_off
    }
}
