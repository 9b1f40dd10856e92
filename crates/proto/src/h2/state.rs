//! Where the two halves of a stream are, and what follows what. Nothing else is in this file.
//!
//! RFC 9113 section 5.1 has one diagram of both halves; here each half has its own, and a stream is closed when both have ended.
//!
//! ```text
//! receiving (what the peer sends on the stream)
//!
//!            final head (a client's       END_STREAM
//!            request opens the stream)
//!   Head ────────────────────────▶ Content ──────────▶ Ended
//!    ▲ │                            ▲   │
//!    └─┘ interim head               └───┘ DATA
//!
//! sending (what we send on it)
//!
//!            respond, request             finish, or the head was all
//!   Head ────────────────────────▶ Content ──────────▶ Ended
//!    ▲ │                            ▲   │
//!    └─┘ inform                     └───┘ push
//!
//! either half, at any time:  RST_STREAM by the peer ──▶ Reset, both of them
//!                            RST_STREAM by us ────────▶ Reset, both of them
//! ```
//!
//! | section 5.1 | receiving | sending |
//! |---|---|---|
//! | idle | no stream: its identifier is beyond the last one | |
//! | open, at a server | Content | Head, Content |
//! | open, at a client | Head, Content | Content |
//! | half-closed (remote), at a server also reserved (local) | Ended | Head, Content |
//! | half-closed (local) | Head, Content | Ended |
//! | closed | Ended, Reset, or no stream any more | Ended, Reset |

/// What the receiving half waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Receiving {
    /// The final response head.
    Head,
    /// Content, or trailers.
    Content,
    /// Nothing: the peer ended it.
    Ended,
    /// Nothing: the stream was reset.
    Reset,
}

/// What the sending half waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sending {
    /// The final response head.
    Head,
    /// Content, or trailers.
    Content,
    /// Nothing: we ended it.
    Ended,
    /// Nothing: the stream was reset.
    Reset,
}
