//! The parts of a multipart body (RFC 2046, 5.1), out of pieces of any size.
//!
//! ```text
//!             delimiter            line end          empty line              no delimiter
//! Skipping ──────────────> Between ─────────> Head ────────────> Beginning ──────────────> Content
//! (preamble, or what          │ "--"                                 │ delimiter              │ delimiter
//! nobody reads of a part)     v                                      v                        v
//!                           Ended                                 Between                  Between
//! ```
//!
//! What is kept is a head that is not complete, or what may be the beginning of a delimiter.

use gannet_core::Bytes;
use memchr::memmem;

use super::MultipartLimits;

/// A body that is read.
pub(super) struct Parser {
    /// `\r\n--` and the boundary.
    delimiter: memmem::Finder<'static>,
    limits: MultipartLimits,
    state: State,
    buffer: Vec<u8>,
    /// How much of the buffer is done with.
    read: usize,
    parts: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Looking for a delimiter; what is before it is of no interest.
    Skipping,
    /// Behind a delimiter, whose line is not over.
    Between,
    /// In a part's head.
    Head,
    /// Before the empty line that ends a head, whose line end belongs to the delimiter where the part is empty.
    Beginning,
    /// In a part's content.
    Content,
    /// Behind the last delimiter.
    Ended,
}

/// What is next.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Step<T> {
    /// More of the body has to come.
    More,
    /// This.
    Is(T),
    /// Nothing: the part is over, or there is none any more.
    End,
}

/// What is wrong with a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Malformed {
    /// Something else than a line's end is behind a delimiter.
    Delimiter,
    /// A part's head is longer than may be.
    HeadTooLong,
    /// There are more parts than may be.
    TooManyParts,
}

impl Parser {
    pub(super) fn new(boundary: &str, limits: MultipartLimits) -> Parser {
        let delimiter = memmem::Finder::new(&format!("\r\n--{boundary}")).into_owned();
        // The first delimiter may be the first line.
        Parser { delimiter, limits, state: State::Skipping, buffer: b"\r\n".to_vec(), read: 0, parts: 0 }
    }

    /// Takes the next piece of the body.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        if self.state != State::Ended {
            self.buffer.extend_from_slice(piece);
        }
    }

    /// Whether all parts are read.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// The head of the next part, as it was sent; what is left of the present one is skipped.
    pub(super) fn head(&mut self) -> Result<Step<Vec<u8>>, Malformed> {
        loop {
            match self.state {
                State::Skipping | State::Beginning | State::Content => {
                    self.state = State::Skipping;
                    let (before, found) = self.until_delimiter();
                    self.read += before;
                    if !found {
                        return Ok(Step::More);
                    }
                    self.read += self.delimiter.needle().len();
                    self.state = State::Between;
                }
                State::Between => match self.line_end()? {
                    Step::Is(State::Head) if self.parts == self.limits.parts => {
                        return Err(Malformed::TooManyParts);
                    }
                    Step::Is(next) => {
                        self.parts += 1;
                        self.state = next;
                    }
                    Step::More | Step::End => return Ok(Step::More),
                },
                State::Head => return self.whole_head(),
                State::Ended => return Ok(Step::End),
            }
        }
    }

    /// The next piece of the part's content.
    pub(super) fn content(&mut self) -> Step<Bytes> {
        if self.state == State::Beginning {
            let (text, delimiter) = (&self.buffer[self.read..], self.delimiter.needle());
            if text.len() < delimiter.len() && delimiter.starts_with(text) {
                return Step::More;
            }
            if !text.starts_with(delimiter) {
                self.read += 2;
            }
            self.state = State::Content;
        }
        if self.state != State::Content {
            return Step::End;
        }
        let (before, found) = self.until_delimiter();
        if before > 0 {
            let piece = Bytes::copy_from_slice(&self.buffer[self.read..self.read + before]);
            self.read += before;
            return Step::Is(piece);
        }
        if !found {
            return Step::More;
        }
        self.read += self.delimiter.needle().len();
        self.state = State::Between;
        Step::End
    }

    /// How many bytes are before the next delimiter, and whether it is there as a whole. Where it is not they are as many as cannot belong to one.
    fn until_delimiter(&self) -> (usize, bool) {
        let text = &self.buffer[self.read..];
        if let Some(at) = self.delimiter.find(text) {
            return (at, true);
        }
        let delimiter = self.delimiter.needle();
        let from = text.len().saturating_sub(delimiter.len() - 1);
        let begins = |at: &usize| delimiter.starts_with(&text[*at..]);
        ((from..text.len()).find(begins).unwrap_or(text.len()), false)
    }

    /// What is behind a delimiter: the end of its line, or two hyphens, which end the body (RFC 2046, 5.1.1).
    fn line_end(&mut self) -> Result<Step<State>, Malformed> {
        let text = &self.buffer[self.read..];
        let padding = text.iter().take_while(|byte| b" \t".contains(byte)).count();
        match &text[padding..] {
            [b'-', b'-', ..] if padding == 0 => Ok(Step::Is(State::Ended)),
            [b'\r', b'\n', ..] => {
                self.read += padding + 2;
                Ok(Step::Is(State::Head))
            }
            [] | [b'\r'] if padding <= self.limits.head_bytes => Ok(Step::More),
            [b'-'] if padding == 0 => Ok(Step::More),
            _ => Err(Malformed::Delimiter),
        }
    }

    /// A head up to its empty line. One without fields is that line alone.
    fn whole_head(&mut self) -> Result<Step<Vec<u8>>, Malformed> {
        let text = &self.buffer[self.read..];
        let end = if text.starts_with(b"\r\n") {
            Some(0)
        } else {
            memmem::find(text, b"\r\n\r\n").map(|at| at + 2)
        };
        match end {
            Some(end) if end <= self.limits.head_bytes => {
                let head = text[..end].to_vec();
                self.read += end;
                self.state = State::Beginning;
                Ok(Step::Is(head))
            }
            None if text.len() <= self.limits.head_bytes => Ok(Step::More),
            _ => Err(Malformed::HeadTooLong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: MultipartLimits = MultipartLimits { parts: 3, head_bytes: 64, part_bytes: 1024 };

    /// What a body says that comes in pieces of so many bytes: heads and contents; what is wrong, if something is.
    fn read(body: &[u8], piece: usize) -> (Vec<(String, String)>, Result<bool, Malformed>) {
        let mut parser = Parser::new("b", LIMITS);
        let mut pieces = body.chunks(piece);
        let mut parts = Vec::new();
        loop {
            match parser.head() {
                Ok(Step::More) => match pieces.next() {
                    Some(piece) => parser.push(piece),
                    None => return (parts, Ok(false)),
                },
                Ok(Step::End) => return (parts, Ok(true)),
                Err(malformed) => return (parts, Err(malformed)),
                Ok(Step::Is(head)) => {
                    let mut content = Vec::new();
                    loop {
                        match parser.content() {
                            Step::Is(bytes) => content.extend_from_slice(&bytes),
                            Step::End => break,
                            Step::More => match pieces.next() {
                                Some(piece) => parser.push(piece),
                                None => return (parts, Ok(false)),
                            },
                        }
                    }
                    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the tests' texts");
                    parts.push((text(head), text(content)));
                }
            }
        }
    }

    #[test]
    fn parts_are_the_same_wherever_the_body_is_cut() {
        let body = b"preamble\r\n--b \t\r\nA: 1\r\nB: 2\r\n\r\none\r\n--\r\n-b\r\n--b\r\n\r\n\r\n--b\r\nC: 3\r\n\r\n--b--\r\nepilogue";
        let part = |head: &str, content: &str| (head.to_owned(), content.to_owned());
        let expected = [part("A: 1\r\nB: 2\r\n", "one\r\n--\r\n-b"), part("", ""), part("C: 3\r\n", "")];
        for piece in 1..=body.len() {
            let (parts, ended) = read(body, piece);
            assert_eq!((&parts[..], ended), (&expected[..], Ok(true)), "pieces of {piece} bytes");
        }
    }

    #[test]
    fn a_body_that_is_cut_short_has_not_ended() {
        let body = b"--b\r\nA: 1\r\n\r\none\r\n--b--";
        for length in 0..body.len() {
            let (_, ended) = read(&body[..length], 7);
            assert_eq!(ended, Ok(false), "{length} bytes");
        }
        assert_eq!(read(body, 7).1, Ok(true));
    }

    #[test]
    fn what_is_malformed_or_beyond_a_limit_is_said() {
        let long = format!("--b\r\nA: {}\r\n\r\n", "x".repeat(60));
        let endless = format!("--b\r\nA: {}", "x".repeat(62));
        let many = "--b\r\n\r\n\r\n".repeat(4);
        for (body, malformed) in [
            (&b"--bx\r\n"[..], Malformed::Delimiter),
            (b"--b\rx", Malformed::Delimiter),
            (b"--b -- ", Malformed::Delimiter),
            (long.as_bytes(), Malformed::HeadTooLong),
            (endless.as_bytes(), Malformed::HeadTooLong),
            (many.as_bytes(), Malformed::TooManyParts),
        ] {
            for piece in [1, 5, body.len()] {
                assert_eq!(read(body, piece).1, Err(malformed), "{}", body.escape_ascii());
            }
        }
        assert_eq!(read(format!("{}--b--", "--b\r\n\r\n\r\n".repeat(3)).as_bytes(), 4).1, Ok(true));
    }

    #[test]
    fn what_goes_beyond_the_default_limits_of_multipart_forms_is_refused() {
        let refused = |body: &str| {
            let mut parser = Parser::new("b", MultipartLimits::default());
            parser.push(body.as_bytes());
            loop {
                match parser.head() {
                    Ok(Step::Is(_)) => {}
                    Ok(_) => return None,
                    Err(malformed) => return Some(malformed),
                }
            }
        };
        let parts = |count: usize| "--b\r\n\r\n\r\n".repeat(count) + "--b--";
        assert_eq!((refused(&parts(1024)), refused(&parts(1025))), (None, Some(Malformed::TooManyParts)));
        let head = |bytes: usize| format!("--b\r\n{}\r\n\r\n\r\n--b--", "x".repeat(bytes - 2));
        assert_eq!((refused(&head(8192)), refused(&head(8193))), (None, Some(Malformed::HeadTooLong)));
    }

    #[test]
    fn what_is_not_read_of_a_part_is_skipped_and_nothing_of_it_is_kept() {
        let mut parser = Parser::new("b", LIMITS);
        parser.push(b"--b\r\nA: 1\r\n\r\n");
        assert_eq!(parser.head(), Ok(Step::Is(b"A: 1\r\n".to_vec())));
        for _ in 0..1000 {
            parser.push(&[b'x'; 1000]);
            assert_eq!(parser.head(), Ok(Step::More));
            assert!(parser.buffer.len() <= 1010, "{} bytes", parser.buffer.len());
        }
        parser.push(b"\r\n--b\r\nC: 3\r\n\r\n");
        assert_eq!(parser.head(), Ok(Step::Is(b"C: 3\r\n".to_vec())));
    }
}
