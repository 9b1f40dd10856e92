//! A message, encoded once for all who get it.

use std::cell::OnceCell;

use bytes::{BufMut, Bytes, BytesMut};
use gannet_core::ws::{Header, Kind};

use crate::events::Event;
use crate::websocket::Message;

/// What is published: on its way to the workers.
pub(super) struct Published {
    kind: Kind,
    /// The header of its frame, and its payload.
    frame: Bytes,
    /// So long is the header.
    header_bytes: usize,
}

/// What is published, on one worker: memory of its own, so that those who count who has it are on one core.
pub(crate) struct Delivered {
    kind: Kind,
    frame: Bytes,
    header_bytes: usize,
    event: OnceCell<Option<Bytes>>,
    #[cfg(feature = "compression")]
    compressed: OnceCell<Bytes>,
}

impl Published {
    pub(super) fn new(message: Message) -> Published {
        let (kind, payload) = match message {
            Message::Text(text) => (Kind::Text, text.into_bytes()),
            Message::Binary(bytes) => (Kind::Binary, bytes),
        };
        let header = Header::of_message(kind, false, payload.len()).bytes();
        let mut frame = BytesMut::with_capacity(header.len() + payload.len());
        frame.put_slice(&header);
        frame.put_slice(&payload);
        Published { kind, frame: frame.freeze(), header_bytes: header.len() }
    }
}

#[cfg(test)]
impl Published {
    pub(super) fn frame(&self) -> &Bytes {
        &self.frame
    }
}

impl Delivered {
    pub(super) fn new(published: &Published) -> Delivered {
        Delivered {
            kind: published.kind,
            frame: Bytes::copy_from_slice(&published.frame),
            header_bytes: published.header_bytes,
            event: OnceCell::new(),
            #[cfg(feature = "compression")]
            compressed: OnceCell::new(),
        }
    }

    /// A message that was published.
    #[cfg(test)]
    pub(crate) fn of(message: Message) -> Delivered {
        Delivered::new(&Published::new(message))
    }

    /// The message as a frame of a server.
    pub(crate) fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The message as an event, if it is text: made by the first who asks for it.
    pub(crate) fn event(&self) -> Option<&Bytes> {
        let event = || {
            let text = std::str::from_utf8(&self.frame[self.header_bytes..]).ok()?;
            (self.kind == Kind::Text).then(|| Event::new(text).into_bytes())
        };
        self.event.get_or_init(event).as_ref()
    }

    /// The message as a frame that is compressed by itself: by the first who asks for it.
    #[cfg(feature = "compression")]
    pub(crate) fn compressed(&self, compress: impl FnOnce(Kind, &[u8]) -> Bytes) -> &Bytes {
        self.compressed.get_or_init(|| compress(self.kind, &self.frame[self.header_bytes..]))
    }
}
