//! Response fields, kept as the lines they will be sent as.

use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use gannet_proto::is_hop_by_hop;

/// Fields of a response: lines that were prepared beforehand and are shared, until a field is added; then lines of its own.
///
/// The lines are kept rendered (`name: value` and CR LF), since nearly every response is written once and never asked:
/// writing a head is a copy. The memory of the own lines is recycled within the thread, so that a response with fields
/// allocates nothing in the steady state.
///
/// Fields that frame the message (`Connection`, `Content-Length`, `Transfer-Encoding`, ...) are the server's to write, from
/// what the body is; they cannot be put in here.
#[derive(Default)]
pub struct Fields {
    prepared: Bytes,
    own: Vec<u8>,
    /// `Date` is among them, of a response that is forwarded.
    dated: bool,
}

/// Why a field was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidField {
    /// The name is empty or has bytes that no token has (RFC 9110, 5.1).
    Name,
    /// The value has CR, LF, NUL or another control byte, or surrounding blanks (RFC 9110, 5.5).
    Value,
    /// The field frames the message, and the server writes it from the body (RFC 9112, 6).
    Framing,
}

/// Names that say how the message is framed or the connection is kept, and `Date`, which the server keeps.
const FRAMING: [&str; 8] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "trailer",
];

/// Own lines recycled by this thread: how many, and how large they may be.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 4096;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Fields {
    /// No fields.
    pub const fn new() -> Fields {
        Fields { prepared: Bytes::new(), own: Vec::new(), dated: false }
    }

    /// The lines of these fields, to be shared by many responses through [`with_prepared`](Fields::with_prepared).
    pub fn prepare(&self) -> Bytes {
        if self.own.is_empty() { self.prepared.clone() } else { self.own.clone().into() }
    }

    /// Fields that begin with lines made by [`prepare`](Fields::prepare).
    pub fn with_prepared(prepared: Bytes) -> Fields {
        Fields { prepared, own: Vec::new(), dated: false }
    }

    /// Adds lines made by [`prepare`](Fields::prepare), behind those that are there: one copy, however many they are.
    pub fn append_prepared(&mut self, prepared: &[u8]) {
        self.own_lines().extend_from_slice(prepared);
    }

    /// Adds a field after those of the same name.
    ///
    /// # Errors
    /// When name or value could not be sent as they are, or the field is the server's to write.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        check(name, value.as_ref())?;
        self.append_checked(name, value.as_ref());
        Ok(())
    }

    /// Adds a field that was received and is passed on. One that is for the next hop only, or frames the message, is left out, and so is what
    /// could not be sent as it is; says whether it was added. `Date` is passed on, and the server adds none then (RFC 9110, 6.6.1).
    pub fn forward(&mut self, name: &str, value: &[u8]) -> bool {
        let dated = name.eq_ignore_ascii_case("date");
        let frames = is_hop_by_hop(name.as_bytes()) || name.eq_ignore_ascii_case("content-length");
        let fit = !(frames || dated && self.dated) && is_token(name) && is_value(value);
        if fit {
            self.dated |= dated;
            self.append_checked(name, value);
        }
        fit
    }

    /// Puts a field in the place of all of the same name.
    ///
    /// # Errors
    /// As [`append`](Fields::append).
    pub fn insert(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        check(name, value.as_ref())?;
        self.remove(name);
        self.append_checked(name, value.as_ref());
        Ok(())
    }

    /// Takes all fields of a name out; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        if self.get(name).is_none() {
            return false;
        }
        let mut kept = recycled();
        self.lines().filter(|line| !has_name(line, name)).for_each(|line| kept.extend_from_slice(line));
        self.prepared = Bytes::new();
        recycle(std::mem::replace(&mut self.own, kept));
        true
    }

    /// The value of the first field of a name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines().find(|line| has_name(line, name)).map(|line| split(line).1)
    }

    /// All fields, as names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines().map(split)
    }

    /// Whether `Date` is among them: the server adds none then.
    pub fn is_dated(&self) -> bool {
        self.dated
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.prepared.is_empty() && self.own.is_empty()
    }

    /// The lines as they are sent.
    pub fn rendered(&self) -> &[u8] {
        if self.own.is_empty() { &self.prepared } else { &self.own }
    }

    fn append_checked(&mut self, name: &str, value: &[u8]) {
        let own = self.own_lines();
        own.reserve(name.len() + value.len() + 4);
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            own.extend_from_slice(part);
        }
    }

    /// The lines, in memory of their own, to be added to.
    fn own_lines(&mut self) -> &mut Vec<u8> {
        if self.own.capacity() == 0 {
            self.own = recycled();
        }
        if !self.prepared.is_empty() {
            // In one piece with what is added, so that writing the head is one copy.
            self.own.extend_from_slice(&std::mem::take(&mut self.prepared));
        }
        &mut self.own
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.rendered().split_inclusive(|byte| *byte == b'\n')
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        recycle(std::mem::take(&mut self.own));
    }
}

/// Memory for own lines.
fn recycled() -> Vec<u8> {
    FREE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(256))
}

fn recycle(mut own: Vec<u8>) {
    if own.capacity() == 0 || own.capacity() > KEPT_BYTES {
        return;
    }
    own.clear();
    // A thread that is ending has no list any more: then the memory is freed.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < KEPT {
            free.push(own);
        }
    });
}

impl Clone for Fields {
    fn clone(&self) -> Fields {
        Fields { prepared: self.prepared.clone(), own: self.own.clone(), dated: self.dated }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value))))
            .finish()
    }
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidField::Name => "a field name is one or more token characters (RFC 9110, 5.1)",
            InvalidField::Value => {
                "a field value has no control characters and no blanks around it (RFC 9110, 5.5)"
            }
            InvalidField::Framing => "this field frames the message: the server writes it from the body",
        })
    }
}

impl std::error::Error for InvalidField {}

fn check(name: &str, value: &[u8]) -> Result<(), InvalidField> {
    if !is_token(name) {
        return Err(InvalidField::Name);
    }
    if is_framing(name) {
        return Err(InvalidField::Framing);
    }
    if is_value(value) { Ok(()) } else { Err(InvalidField::Value) }
}

/// Which bytes a token has (RFC 9110, 5.6.2).
const TOKEN: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < 128 {
        let is_mark = matches!(
            byte as u8,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        );
        table[byte] = (byte as u8).is_ascii_alphanumeric() || is_mark;
        byte += 1;
    }
    table
};

/// Looks at all bytes of what is nearly always right, without a branch for each; so does [`has_control`]. A browser's request through the proxy's
/// handler takes 8,192 instructions so, and took 11,992 with a branch for each byte.
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().fold(true, |all, byte| all & TOKEN[usize::from(byte)])
}

/// Length tells most names apart before any is compared.
pub(crate) fn is_framing(name: &str) -> bool {
    matches!(name.len(), 2 | 4 | 7 | 10 | 14 | 16 | 17)
        && FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name))
}

pub(crate) fn is_value(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !has_control(value) && !blank(value.first()) && !blank(value.last())
}

/// Whether a text has a byte that no value has. Sixteen at a time; the last ones are looked at with those before them again.
fn has_control(text: &[u8]) -> bool {
    fn any(bytes: &[u8]) -> bool {
        bytes.iter().fold(false, |any, byte| any | ((*byte < b' ') & (*byte != b'\t')) | (*byte == 0x7f))
    }
    if let (whole, Some(last)) = (text.as_chunks::<16>().0, text.last_chunk::<16>()) {
        return whole.iter().fold(any(last), |found, chunk| found | any(chunk));
    }
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => any(first) | any(last),
        _ => any(text),
    }
}

fn has_name(line: &[u8], name: &str) -> bool {
    line.get(name.len()) == Some(&b':') && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

fn split(line: &[u8]) -> (&str, &[u8]) {
    let colon =
        line.iter().position(|byte| *byte == b':').expect("every line was rendered by append_checked");
    let name = std::str::from_utf8(&line[..colon]).expect("names are checked to be tokens");
    (name, &line[colon + 2..line.len() - 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_insert_replaces_all_of_a_name() {
        let mut fields = Fields::new();
        fields.append("Vary", "accept").unwrap();
        fields.append("X-A", "1").unwrap();
        fields.append("vary", "origin").unwrap();
        assert_eq!(fields.get("VARY"), Some(&b"accept"[..]));
        fields.insert("vary", "*").unwrap();
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("X-A", &b"1"[..]), ("vary", &b"*"[..])]);
    }

    #[test]
    fn prepared_lines_come_first_and_can_be_taken_out() {
        let mut fields = Fields::new();
        fields.append("content-type", "text/plain").unwrap();
        let mut other = Fields::with_prepared(fields.prepare());
        other.append("x-a", "1").unwrap();
        assert_eq!(other.rendered(), b"content-type: text/plain\r\nx-a: 1\r\n");
        assert!(other.remove("Content-Type"));
        assert_eq!(other.iter().count(), 1);
        other.append_prepared(&fields.prepare());
        assert_eq!(other.rendered(), b"x-a: 1\r\ncontent-type: text/plain\r\n");
    }

    #[test]
    fn what_is_passed_on_is_not_for_the_next_hop_only() {
        let mut fields = Fields::new();
        for name in
            ["Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"]
        {
            assert!(!fields.forward(name, b"a"), "{name}");
        }
        assert!(
            !fields.forward("x-a", b"a\r\nb")
                && !fields.forward("date", b"a\n")
                && !fields.forward("x a", b"")
        );
        assert!(
            fields.forward("Date", b"today") && fields.forward("X-A", b"") && fields.forward("x-b", b"\xff")
        );
        assert_eq!(fields.rendered(), b"Date: today\r\nX-A: \r\nx-b: \xff\r\n");
    }

    #[test]
    fn every_byte_is_judged_as_the_rfc_has_it_wherever_it_stands() {
        for byte in 0..=255_u8 {
            let is_mark = b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(TOKEN[usize::from(byte)], byte.is_ascii_alphanumeric() || is_mark, "{byte}");
            let may_be_inside = byte >= b' ' && byte != 0x7f || byte == b'\t';
            for length in [3, 9, 40] {
                for place in 1..length - 1 {
                    let mut value = vec![b'a'; length];
                    value[place] = byte;
                    assert_eq!(is_value(&value), may_be_inside, "{byte} at {place} of {length}");
                }
            }
        }
        assert!(FRAMING.iter().all(|name| is_framing(name)));
    }

    #[test]
    fn what_would_split_or_reframe_a_response_is_refused() {
        let mut fields = Fields::new();
        for value in ["a\r\nset-cookie: b", "a\nb", "a\0", " a", "a\t", "\x7f"] {
            assert_eq!(fields.append("x-a", value), Err(InvalidField::Value), "{value:?}");
        }
        for name in ["", "x a", "x:", "ä", "x\r\n"] {
            assert_eq!(fields.append(name, "a"), Err(InvalidField::Name), "{name:?}");
        }
        for name in FRAMING {
            assert_eq!(fields.append(&name.to_uppercase(), "a"), Err(InvalidField::Framing), "{name}");
        }
        assert!(fields.is_empty());
    }
}
