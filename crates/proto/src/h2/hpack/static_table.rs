//! The static table (RFC 7541 appendix A).
//!
//! Names are found by a perfect hash of their length and three of their letters: one look-up, one compare.

/// Index, from 1, → name and value.
const ENTRIES: [(&str, &str); LENGTH] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// How many entries there are; indices beyond it are the dynamic table's.
pub(super) const LENGTH: usize = 61;

/// `:status: 200`.
pub(super) const STATUS_200: u8 = 8;
/// `content-length`.
pub(super) const CONTENT_LENGTH: u8 = 28;
/// `date`.
pub(super) const DATE: u8 = 33;

/// As much room as the longest entry needs and is copied in two or four instructions, whatever its length.
pub(super) const ROOM: usize = 32;

/// An entry, ready to be copied.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// The name and behind it the value.
    pub(super) bytes: [u8; ROOM],
    pub(super) name_length: u8,
    pub(super) length: u8,
    /// The first entry with this name.
    pub(super) first: u8,
}

impl Text {
    pub(super) fn name(&self) -> &[u8] {
        &self.bytes[..usize::from(self.name_length)]
    }

    pub(super) fn value(&self) -> &[u8] {
        &self.bytes[usize::from(self.name_length)..usize::from(self.length)]
    }
}

/// By index; there is no entry 0.
pub(super) static TEXTS: [Text; LENGTH + 1] = texts();

const fn texts() -> [Text; LENGTH + 1] {
    let mut texts = [Text { bytes: [0; ROOM], name_length: 0, length: 0, first: 0 }; LENGTH + 1];
    let mut index = 1;
    while index <= LENGTH {
        let (name, value) = (ENTRIES[index - 1].0.as_bytes(), ENTRIES[index - 1].1.as_bytes());
        let text = &mut texts[index];
        copy(name, 0, &mut text.bytes);
        copy(value, name.len(), &mut text.bytes);
        (text.name_length, text.length) = (name.len() as u8, (name.len() + value.len()) as u8);
        let repeats = index > 1 && same(name, ENTRIES[index - 2].0.as_bytes());
        texts[index].first = if repeats { texts[index - 1].first } else { index as u8 };
        index += 1;
    }
    texts
}

const fn copy(from: &[u8], start: usize, to: &mut [u8]) {
    let mut at = 0;
    while at < from.len() {
        to[start + at] = from[at];
        at += 1;
    }
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// As many slots as the names need to have one each, under the hash that was found for them.
const SLOTS: usize = 128;

static BY_NAME: [u8; SLOTS] = by_name();

const fn by_name() -> [u8; SLOTS] {
    let mut slots = [0; SLOTS];
    let mut index = 1;
    while index <= LENGTH {
        let text = TEXTS[index];
        if text.first as usize == index {
            let slot = slot(ENTRIES[index - 1].0.as_bytes());
            assert!(slots[slot] == 0, "two names have one slot: other factors are to be found");
            slots[slot] = index as u8;
        }
        index += 1;
    }
    slots
}

/// The slot of a name that is not empty. The factors were found by trying.
#[inline]
const fn slot(name: &[u8]) -> usize {
    let (first, middle, last) = (name[0], name[name.len() / 2], name[name.len() - 1]);
    (name.len() * 55 + first as usize * 62 + middle as usize * 14 + last as usize) % SLOTS
}

/// The first entry with this name, which is in lower case; 0 if there is none.
#[inline]
pub(super) fn index_of(name: &[u8]) -> u8 {
    // The only entry that can have it.
    let index = if name.is_empty() { 0 } else { BY_NAME[slot(name)] };
    if TEXTS[usize::from(index)].name() == name { index } else { 0 }
}

/// The entry with the name of the entry `first` and this value; 0 if there is none.
#[inline]
pub(super) fn index_of_value(first: u8, value: &[u8]) -> u8 {
    let mut index = first;
    while let Some(text) = TEXTS.get(usize::from(index))
        && text.first == first
    {
        if text.value() == value {
            return index;
        }
        index += 1;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES, TEXTS, index_of, index_of_value};

    #[test]
    fn every_entry_is_found_by_its_name_and_by_its_value() {
        for (index, (name, value)) in (1..).zip(ENTRIES) {
            let first = TEXTS[usize::from(index)].first;
            assert!(first <= index && ENTRIES[usize::from(first) - 1].0 == name);
            assert_eq!(index_of(name.as_bytes()), first, "{name}");
            assert_eq!(index_of_value(first, value.as_bytes()), index, "{name}: {value}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for name in
            ["", "a", "x-request-id", "Content-Type", "content-typ", "content-type ", "content-typf", ":"]
        {
            assert_eq!(index_of(name.as_bytes()), 0, "{name}");
        }
        assert_eq!(index_of_value(2, b"PUT"), 0);
        assert_eq!(index_of_value(61, b"x"), 0);
        assert_eq!(index_of_value(0, b"x"), 0);
    }
}
