//! What a client would rather read, kept while it waits, without memory of its own.

/// What a client would rather read: as much of its `Accept` as is kept while somebody answers, which is up to the last comma in these bytes.
#[derive(Clone, Copy)]
pub(crate) struct Accept {
    text: [u8; ACCEPT_BYTES],
    length: u8,
}

/// Browsers name HTML first, and programs take few kinds.
const ACCEPT_BYTES: usize = 96;

impl Accept {
    /// Keeps it.
    pub(crate) fn of(value: Option<&[u8]>) -> Accept {
        let value = value.unwrap_or_default();
        let length = match value.get(..ACCEPT_BYTES) {
            Some(first) if value.len() > ACCEPT_BYTES => {
                first.iter().rposition(|byte| *byte == b',').unwrap_or(0)
            }
            _ => value.len(),
        };
        let mut text = [0; ACCEPT_BYTES];
        text[..length].copy_from_slice(&value[..length]);
        Accept { text, length: length as u8 }
    }

    /// What is kept, if there is anything.
    pub(crate) fn value(&self) -> Option<&[u8]> {
        (self.length > 0).then_some(&self.text[..usize::from(self.length)])
    }
}
