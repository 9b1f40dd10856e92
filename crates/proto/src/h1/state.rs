//! Where the two halves of a connection are, and what follows what. Nothing else is in this file.
//!
//! ```text
//! reading (what the peer sends)
//!
//!            head whole, with          every byte came
//!            Content-Length
//!          ┌───────────────▶ Known ───────────────────────┐
//!          │                                              ▼
//!   Head ──┼──────────────────────────────────────────▶ Over ──────▶ Ended ─── next ──▶ Head
//!    ▲ │   │ no body                                      ▲  End told
//!    │ │   ├───────────────▶ Chunked ──▶ Trailers ────────┤(told at once)
//!    │ │   │ chunked            last chunk    blank line  │
//!    │ │   └───────────────▶ UntilClose ──────────────────┘(told at once)
//!    └─┘     responses only             the connection ended
//!   a line                  any error ──▶ Failed       101, 2xx to CONNECT ──▶ Upgraded
//!   or, of responses, an interim head
//!
//! writing (what we send)
//!
//!   Head ── respond ──┬──▶ Length(n) ── push ──▶ Length(n - pushed) ── finish, at 0 ──▶ Ended ── next ──▶ Head
//!    ▲ │              ├──▶ Chunked ──── push ──▶ Chunked ───────────── finish ────────▶ Ended
//!    └─┘              ├──▶ UntilClose ─ push ──▶ UntilClose ────────── finish ────────▶ Ended (and close)
//!   inform            ├──▶ (no body) ───────────────────────────────── at once ───────▶ Ended
//!                     └──▶ Upgraded
//! ```

use super::chunked::Chunk;
use super::respond::Framing;
use crate::http::BodyLength;

/// What the reading half waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// A head, or the rest of it.
    Head(HeadProgress),
    /// This many more bytes of a body whose length was given; not zero.
    Known(u64),
    /// The next piece of a chunked body.
    Chunked(Chunk),
    /// The rest of the trailer section; the line that is not whole yet begins at this offset.
    Trailers { line: u16 },
    /// More of a body that ends with the connection: of responses only.
    UntilClose,
    /// To be asked once more, so that it can tell the end.
    Over,
    /// The next request.
    Ended,
    /// Nothing: the peer broke the protocol.
    Failed,
    /// Nothing: the bytes belong to another protocol.
    Upgraded,
}

impl Reading {
    /// Where a connection begins, and each request on it.
    pub(super) const START: Reading = Reading::Head(HeadProgress { line: 0, in_fields: false });

    /// What follows a head.
    pub(super) fn after_head(body: BodyLength) -> Reading {
        match body {
            BodyLength::None => Reading::Over,
            BodyLength::Known(length) => Reading::after_data(length),
            BodyLength::Chunked => Reading::Chunked(Chunk::START),
        }
    }

    /// What follows a piece of a body of known length, with so much to come.
    pub(super) fn after_data(remaining: u64) -> Reading {
        if remaining == 0 { Reading::Over } else { Reading::Known(remaining) }
    }
}

/// How far a head has been read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct HeadProgress {
    /// Where the line begins that is not whole yet.
    pub line: u16,
    /// Whether the request line has been read.
    pub in_fields: bool,
}

/// What the writing half waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Writing {
    /// The final head.
    Head,
    /// This many more bytes of a body whose length was told.
    Length(u64),
    /// The next chunk, or the last.
    Chunked,
    /// More of a body that ends with the connection.
    UntilClose,
    /// The next request.
    Ended,
    /// Nothing: the bytes belong to another protocol.
    Upgraded,
}

impl Writing {
    /// What follows a final head.
    pub(super) fn after_head(framing: Framing) -> Writing {
        match framing {
            Framing::None => Writing::Ended,
            Framing::Length(length) => Writing::Length(length),
            Framing::Chunked => Writing::Chunked,
            Framing::UntilClose => Writing::UntilClose,
            Framing::Upgrade => Writing::Upgraded,
        }
    }
}
