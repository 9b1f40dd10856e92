//! Field lines: name, colon, value (RFC 9112 section 5). What they mean is for [`framing`](super::framing).

use super::response_error::Malformed;
use crate::http::{Field, Head, ResponseHead, Span};
use crate::scan::{Blocks, Pass, Vector};
use alloc::vec::Vec;

/// What fields are read into: the head of either kind of message, also where its trailers are what is read.
pub(super) trait Fielded {
    /// The fields so far.
    fn fields(&mut self) -> &mut Vec<Field>;
    /// Forgets everything but the room for fields.
    fn clear(&mut self);
    /// The section ends there.
    fn end_at(&mut self, end: usize);
}

impl Fielded for Head {
    #[inline(always)]
    fn fields(&mut self) -> &mut Vec<Field> {
        &mut self.fields
    }

    #[inline]
    fn clear(&mut self) {
        Head::clear(self);
    }

    #[inline(always)]
    fn end_at(&mut self, end: usize) {
        self.length = end as u16;
    }
}

impl Fielded for ResponseHead {
    #[inline(always)]
    fn fields(&mut self) -> &mut Vec<Field> {
        &mut self.fields
    }

    #[inline]
    fn clear(&mut self) {
        ResponseHead::clear(self);
    }

    #[inline(always)]
    fn end_at(&mut self, end: usize) {
        self.length = end as u16;
    }
}

/// What a section's fields are to who reads it.
pub(super) trait Meaning {
    /// What they belong to.
    type Head: Fielded;
    /// What can be wrong with them.
    type Error: From<Malformed>;

    /// Takes the field of this name in, before it is one of `head`'s. To be inlined into the [`Pass`].
    fn field<V: Vector>(
        &mut self,
        blocks: &Blocks<'_, V>,
        name: &[u8],
        field: Field,
        head: &mut Self::Head,
    ) -> Result<(), Self::Error>;
}

/// Reads a section into `head`, from the line that begins at `line`. It yields where it stopped, and whether the section
/// ended there.
pub(super) struct Section<'a, M: Meaning> {
    pub line: usize,
    /// How many fields there may be.
    pub most: usize,
    pub meaning: &'a mut M,
    pub head: &'a mut M::Head,
}

impl<M: Meaning> Pass for Section<'_, M> {
    type Output = Result<(usize, bool), M::Error>;

    #[inline(always)]
    fn over<V: Vector>(self, mut blocks: Blocks<'_, V>) -> Self::Output {
        let Section { mut line, most, meaning, head } = self;
        while let Some((found, next)) = read_line(&mut blocks, line)? {
            let Line::Field(field, name) = found else { return Ok((next, true)) };
            if head.fields().len() == most {
                return Err(Malformed::TooManyFields.into());
            }
            meaning.field(&blocks, name, field, head)?;
            head.fields().push(field);
            line = next;
        }
        Ok((line, false))
    }
}

/// A line of a section of fields.
enum Line<'a> {
    /// A field, and its name.
    Field(Field, &'a [u8]),
    /// The blank line that ends the section.
    Blank,
}

/// Reads the line that begins at `at`, and where the next one begins; `None` if it is not whole.
///
/// It decides from left to right, each byte by itself and those before it, so a longer input never changes what a
/// shorter one showed.
#[inline(always)]
fn read_line<'a, V: Vector>(
    blocks: &mut Blocks<'a, V>,
    at: usize,
) -> Result<Option<(Line<'a>, usize)>, Malformed> {
    let input = blocks.bytes();
    let colon = blocks.token_end(at);
    match input.get(colon) {
        Some(b':') if colon > at => {}
        Some(b'\r') if colon == at => return Ok(line_feed(input, at)?.map(|next| (Line::Blank, next))),
        Some(byte) => return Err(misnamed(*byte, colon == at)),
        None => return Ok(None),
    }
    let end = blocks.value_end(colon + 1);
    if !matches!(input.get(end..), Some([b'\r', b'\n', ..])) {
        return unended(input, end);
    }
    let field = Field { name: Span::new(at, colon), value: trimmed(input, colon + 1, end) };
    Ok(Some((Line::Field(field, &input[at..colon]), end + 2)))
}

/// What a value means that no line end follows.
#[cold]
fn unended<'a>(input: &[u8], end: usize) -> Result<Option<(Line<'a>, usize)>, Malformed> {
    match input.get(end) {
        Some(b'\r') => line_feed(input, end).map(|_| None),
        Some(b'\n') => Err(Malformed::BareLineFeed),
        Some(_) => Err(Malformed::ControlByte),
        None => Ok(None),
    }
}

/// Where the line after the carriage return at `at` begins; `None` if that cannot be said yet.
#[inline(always)]
pub(super) fn line_feed(input: &[u8], at: usize) -> Result<Option<usize>, Malformed> {
    match input.get(at + 1) {
        Some(b'\n') => Ok(Some(at + 2)),
        Some(_) => Err(Malformed::BareCarriageReturn),
        None => Ok(None),
    }
}

/// What is wrong with a line whose name is followed by `byte` instead of a colon.
#[cold]
fn misnamed(byte: u8, at_start: bool) -> Malformed {
    match byte {
        b'\n' => Malformed::BareLineFeed,
        b' ' | b'\t' if at_start => Malformed::FoldedLine,
        b' ' | b'\t' => Malformed::SpaceBeforeColon,
        _ => Malformed::InvalidFieldName,
    }
}

/// The value between these offsets without the whitespace around it: nearly always one space in front.
#[inline(always)]
fn trimmed(input: &[u8], start: usize, end: usize) -> Span {
    let is_visible = |byte: Option<&u8>| byte.is_some_and(|byte| *byte > b' ');
    match &input[start..end] {
        [b' ', value @ ..] if is_visible(value.first()) && is_visible(value.last()) => {
            Span::new(start + 1, end)
        }
        _ => trimmed_slowly(input, start, end),
    }
}

/// The same, whatever stands there.
#[inline(never)]
fn trimmed_slowly(input: &[u8], mut start: usize, mut end: usize) -> Span {
    while start < end && matches!(input[start], b' ' | b'\t') {
        start += 1;
    }
    while end > start && matches!(input[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    Span::new(start, end)
}
