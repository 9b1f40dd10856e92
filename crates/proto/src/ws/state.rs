//! How a conversation ends, and what may be sent and is received meanwhile. Nothing else is in this file.
//!
//! ```text
//!             send Close                    receive Close
//!        ┌────────────────▶ CloseSent ─────────────────────┐
//!        │                                                 ▼
//!      Open                                              Closed ── close the transport: the server at once,
//!        │                                                 ▲       the client once the server has
//!        └────────────────▶ CloseReceived ─────────────────┘
//!            receive Close                  send Close
//! ```
//!
//! | | Open | CloseSent | CloseReceived | Closed |
//! |---|---|---|---|---|
//! | send Text, Binary, Ping, Pong | yes | no | no | no |
//! | send Continuation | yes | no | yes: a message that was begun may be ended first (section 5.5.1) | no |
//! | send Close | yes | no | yes, and it must be | no |
//! | receive data and pings | yes | yes: the peer may not have seen our Close yet. Pings are not answered | ignored | ignored |
//! | receive Close | yes | yes | ignored | ignored |
//!
//! An [`Error`](super::Error) of the peer's fails the connection (section 7.1.7): a Close is sent where it may be, and the transport closed without waiting for more.

use super::{Opcode, Role};

/// Where the closing handshake is (RFC 6455 section 7.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Closing {
    /// Nobody has said that it ends.
    #[default]
    Open,
    /// We have, and wait for the peer to say so too; it may say other things before.
    CloseSent,
    /// The peer has, and waits for us to say so too.
    CloseReceived,
    /// Both have. The transport is to be closed, by the server first (section 7.1.1).
    Closed,
}

impl Closing {
    /// What follows sending such a frame; `None` if it may not be sent any more.
    pub const fn send(self, opcode: Opcode) -> Option<Closing> {
        match (self, opcode) {
            (Closing::Open, Opcode::Close) => Some(Closing::CloseSent),
            (Closing::CloseReceived, Opcode::Close) => Some(Closing::Closed),
            (Closing::Open, _) | (Closing::CloseReceived, Opcode::Continuation) => Some(self),
            _ => None,
        }
    }

    /// What follows receiving such a frame; `None` if it is to be ignored.
    pub const fn receive(self, opcode: Opcode) -> Option<Closing> {
        match (self, opcode) {
            (Closing::Open, Opcode::Close) => Some(Closing::CloseReceived),
            (Closing::CloseSent, Opcode::Close) => Some(Closing::Closed),
            (Closing::Open | Closing::CloseSent, _) => Some(self),
            _ => None,
        }
    }

    /// Whether the transport is to be closed now by whoever has this role: a client gives the server time to do it first.
    pub fn closes_transport(self, role: Role) -> bool {
        self == Closing::Closed && role == Role::Server
    }
}

#[cfg(test)]
mod tests {
    use super::Closing::{self, CloseReceived, CloseSent, Closed, Open};
    use crate::ws::{Opcode, Role};

    const OTHERS: [Opcode; 4] = [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Pong];

    #[test]
    fn each_row_of_the_table_holds() {
        for (state, others, continuation, close) in [
            (Open, Some(Open), Some(Open), Some(CloseSent)),
            (CloseSent, None, None, None),
            (CloseReceived, None, Some(CloseReceived), Some(Closed)),
            (Closed, None, None, None),
        ] {
            assert!(OTHERS.iter().all(|opcode| state.send(*opcode) == others), "{state:?}");
            assert_eq!((state.send(Opcode::Continuation), state.send(Opcode::Close)), (continuation, close));
        }
        for (state, others, close) in [
            (Open, Some(Open), Some(CloseReceived)),
            (CloseSent, Some(CloseSent), Some(Closed)),
            (CloseReceived, None, None),
            (Closed, None, None),
        ] {
            assert!(OTHERS.iter().all(|opcode| state.receive(*opcode) == others), "{state:?}");
            assert_eq!((state.receive(Opcode::Continuation), state.receive(Opcode::Close)), (others, close));
        }
    }

    #[test]
    fn whoever_begins_both_have_said_it_at_the_end_and_the_server_hangs_up() {
        let ours = Closing::default().send(Opcode::Close).and_then(|state| state.receive(Opcode::Close));
        let theirs = Closing::default().receive(Opcode::Close).and_then(|state| state.send(Opcode::Close));
        assert_eq!((ours, theirs), (Some(Closed), Some(Closed)));
        assert!(Closed.closes_transport(Role::Server) && !Closed.closes_transport(Role::Client));
        assert!(!CloseSent.closes_transport(Role::Server));
    }
}
