//! A strict reader of responses: whatever RFC 9112 does not allow a server to say is a failure.

/// What was asked, as far as the answer's framing depends on it (RFC 9112, 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    pub head: bool,
    pub http10: bool,
}

/// One response, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    pub complete: bool,
}

/// Reads the responses of one connection, in order.
#[derive(Debug, Default)]
pub struct Reader {
    pub answers: Vec<Answer>,
    /// `100 Continue` was said to the request whose answer comes next.
    pub continued: bool,
    /// Interim responses but for that, with their fields.
    pub interims: Vec<(u16, Vec<(String, String)>)>,
    /// What came behind `101 Switching Protocols`.
    pub conversation: Vec<u8>,
    buffer: Vec<u8>,
    rest: Rest,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Rest {
    #[default]
    Head,
    Bytes(usize),
    ChunkSize,
    Chunk(usize),
    Trailers,
    UntilEnd,
    Conversation,
}

type Result<T> = std::result::Result<T, String>;

impl Answer {
    /// The value of a field that is there once at most.
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    pub fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }

    /// Whether the server said that it closes after this.
    pub fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

impl Reader {
    /// Takes bytes in; `asked` says what the request of a number was.
    pub fn take(&mut self, bytes: &[u8], asked: impl Fn(usize) -> Asked) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(next) = self.step(at, &asked)? {
            at = next;
        }
        self.buffer.drain(..at);
        Ok(())
    }

    /// The connection ended in good order.
    pub fn end(&mut self) {
        if self.rest == Rest::UntilEnd {
            self.complete();
        }
    }

    /// How many responses are whole.
    pub fn complete_answers(&self) -> usize {
        self.answers.iter().filter(|answer| answer.complete).count()
    }

    /// Whether nothing is begun.
    pub fn is_between_answers(&self) -> bool {
        self.rest == Rest::Head && self.buffer.is_empty()
    }

    fn step(&mut self, at: usize, asked: &impl Fn(usize) -> Asked) -> Result<Option<usize>> {
        match self.rest {
            Rest::Head => self.head(at, asked),
            Rest::Bytes(length) => Ok(self.bytes(at, length)),
            Rest::ChunkSize => self.chunk_size(at),
            Rest::Chunk(length) => self.chunk(at, length),
            Rest::Trailers => self.trailers(at),
            Rest::UntilEnd | Rest::Conversation => Ok(self.rest_of_all(at)),
        }
    }

    fn head(&mut self, at: usize, asked: &impl Fn(usize) -> Asked) -> Result<Option<usize>> {
        let Some(length) = find_bytes(&self.buffer[at..], b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&self.buffer[at..at + length]).map_err(|error| error.to_string())?;
        let mut lines = text.split("\r\n");
        let status = status(lines.next().unwrap_or_default())?;
        let fields = lines.map(field).collect::<Result<Vec<_>>>()?;
        let next = at + length + 4;
        if status == 100 {
            if std::mem::replace(&mut self.continued, true) || !fields.is_empty() {
                return Err("100 Continue twice, or with fields".to_owned());
            }
            return Ok(Some(next));
        }
        if (102..200).contains(&status) {
            self.interims.push((status, fields));
            return Ok(Some(next));
        }
        self.continued = false;
        let answer = Answer { status, fields, ..Answer::default() };
        self.rest = framing(&answer, asked(self.answers.len()))?;
        self.answers.push(answer);
        if self.rest == Rest::Bytes(0) {
            self.complete();
        }
        Ok(Some(next))
    }

    fn bytes(&mut self, at: usize, length: usize) -> Option<usize> {
        let count = length.min(self.buffer.len() - at);
        if count == 0 {
            return None;
        }
        self.keep(at, count);
        self.rest = Rest::Bytes(length - count);
        if count == length {
            self.complete();
        }
        Some(at + count)
    }

    fn chunk_size(&mut self, at: usize) -> Result<Option<usize>> {
        let Some(length) = find_bytes(&self.buffer[at..], b"\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&self.buffer[at..at + length]).map_err(|error| error.to_string())?;
        let size = usize::from_str_radix(text, 16).map_err(|_| format!("chunk size {text:?}"))?;
        self.rest = if size == 0 { Rest::Trailers } else { Rest::Chunk(size) };
        Ok(Some(at + length + 2))
    }

    fn chunk(&mut self, at: usize, length: usize) -> Result<Option<usize>> {
        let there = self.buffer.len() - at;
        if length > 0 {
            let count = length.min(there);
            self.keep(at, count);
            self.rest = Rest::Chunk(length - count);
            return Ok((count > 0).then_some(at + count));
        }
        if there < 2 {
            return Ok(None);
        }
        if &self.buffer[at..at + 2] != b"\r\n" {
            return Err("a chunk does not end where it should".to_owned());
        }
        self.rest = Rest::ChunkSize;
        Ok(Some(at + 2))
    }

    fn trailers(&mut self, at: usize) -> Result<Option<usize>> {
        let Some(length) = find_bytes(&self.buffer[at..], b"\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&self.buffer[at..at + length]).map_err(|error| error.to_string())?;
        if text.is_empty() {
            self.complete();
        } else {
            let trailer = field(text)?;
            self.present().trailers.push(trailer);
        }
        Ok(Some(at + length + 2))
    }

    fn rest_of_all(&mut self, at: usize) -> Option<usize> {
        let count = self.buffer.len() - at;
        if self.rest == Rest::Conversation {
            self.conversation.extend_from_slice(&self.buffer[at..]);
        } else {
            self.keep(at, count);
        }
        (count > 0).then_some(at + count)
    }

    fn keep(&mut self, at: usize, count: usize) {
        let bytes = &self.buffer[at..at + count];
        self.answers.last_mut().expect("a body follows a head").body.extend_from_slice(bytes);
    }

    fn present(&mut self) -> &mut Answer {
        self.answers.last_mut().expect("a body follows a head")
    }

    fn complete(&mut self) {
        self.present().complete = true;
        self.rest = if self.present().status == 101 { Rest::Conversation } else { Rest::Head };
    }
}

/// How the body is framed; and whether the head is what a server may say.
fn framing(answer: &Answer, asked: Asked) -> Result<Rest> {
    for name in ["date", "connection", "content-length", "transfer-encoding", "x-id"] {
        if answer.fields.iter().filter(|(other, _)| other == name).count() > 1 {
            return Err(format!("{name} is said twice"));
        }
    }
    if answer.field("date").is_none() {
        return Err("a response without a date".to_owned());
    }
    let length = answer.field("content-length").map(str::parse::<usize>).transpose();
    let length = length.map_err(|error| error.to_string())?;
    let coding = answer.field("transfer-encoding");
    match (answer.status, length, coding) {
        (_, Some(_), Some(_)) => Err("both a length and a coding".to_owned()),
        (_, _, Some(coding)) if asked.http10 => Err(format!("{coding} for HTTP/1.0")),
        (101 | 204, Some(_), _) | (101 | 204, _, Some(_)) => Err("a body where there can be none".to_owned()),
        (101 | 204 | 304, ..) => Ok(Rest::Bytes(0)),
        _ if asked.head => Ok(Rest::Bytes(0)),
        (_, Some(length), None) => Ok(Rest::Bytes(length)),
        (_, None, Some("chunked")) => Ok(Rest::ChunkSize),
        (_, None, Some(coding)) => Err(format!("the unknown coding {coding}")),
        (_, None, None) if asked.http10 && answer.closes() => Ok(Rest::UntilEnd),
        (_, None, None) => Err("a body whose end cannot be found".to_owned()),
    }
}

fn status(line: &str) -> Result<u16> {
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split_once(' '));
    let status = status.filter(|(code, _)| code.len() == 3).and_then(|(code, _)| code.parse().ok());
    status.ok_or_else(|| format!("status line {line:?}"))
}

fn field(line: &str) -> Result<(String, String)> {
    let (name, value) = line.split_once(": ").ok_or_else(|| format!("field line {line:?}"))?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || !name.bytes().all(token) || value.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(format!("field line {line:?}"));
    }
    Ok((name.to_ascii_lowercase(), value.to_owned()))
}

fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

fn find_bytes(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
