//! What the fuzz targets do with their input; `tests/corpus.rs` does the same with the inputs that are kept.
//!
//! Each target states what must hold for any bytes, so a failure is always a fault of ours.

use super::{DATE, Listener, Said, pieces, whole};
use gannet_proto::h1::{Connection, Error, Event, Framing, ResponseToSend};
use gannet_proto::scan::Level;
use gannet_proto::{BodyLength, Head, Limits, Method, Status, Version};

/// A head: any bytes. What they are depends neither on cuts nor on the CPU, and httparse agrees with what is accepted.
pub fn head(bytes: &[u8]) {
    let said = whole(Limits::default(), bytes);
    assert_eq!(said, pieces(Limits::default(), bytes.chunks(1)), "byte by byte");
    assert_eq!(said, pieces(Limits::default(), bytes.chunks(7)), "by sevens");
    for level in Level::available() {
        let mut listener = Listener::new(Connection::new(Limits::default()).with_level(level));
        listener.receive(bytes);
        assert_eq!(said, listener.said, "with {}", level.name());
    }
    compare_with_httparse(bytes, said.first());
}

/// Whatever we accept httparse accepts as the same request; whatever it rejects we do not accept.
pub fn compare_with_httparse(bytes: &[u8], ours: Option<&Said>) {
    let mut room = [httparse::EMPTY_HEADER; 256];
    let mut theirs = httparse::Request::new(&mut room);
    let parsed = theirs.parse(bytes);
    match (ours, parsed) {
        (Some(Said::Head(request)), Ok(httparse::Status::Complete(_))) => {
            assert_eq!(theirs.method, Some(request.method.as_str()));
            assert_eq!(theirs.path.map(str::as_bytes), Some(&request.target[..]));
            assert_eq!(theirs.version, Some(u8::from(request.version == Version::Http11)));
            let fields: Vec<_> =
                theirs.headers.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
            let ours: Vec<_> = request.fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            assert_eq!(fields, ours);
        }
        // RFC 9110 section 2.5 has us read HTTP/1.2 as 1.1; httparse does not know it.
        (Some(Said::Head(_)), Err(httparse::Error::Version)) => {}
        (Some(Said::Head(request)), other) => panic!("accepted {request:?}, which to httparse is {other:?}"),
        (Some(Said::Wrong(_)), _) | (None, Ok(httparse::Status::Partial)) => {}
        (None, Err(httparse::Error::Version)) => {}
        (ours, theirs) => panic!("{ours:?} here, {theirs:?} to httparse"),
    }
}

/// A body: the first byte says how it is framed, the rest is what follows the head. A decoder that sees all of it at
/// once and knows no states must find the same.
pub fn body(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else { return };
    let head = match choice % 4 {
        0 => format!(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            choice / 4
        ),
        _ => {
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()
        }
    };
    let message = [head.as_bytes(), rest].concat();
    let said = whole(Limits::default(), &message);
    assert_eq!(said, pieces(Limits::default(), message.chunks(1)), "byte by byte");
    let [Said::Head(request), said @ ..] = &said[..] else { panic!("the head is accepted") };
    match request.body {
        BodyLength::Chunked => compare_with_plain_decoder(rest, said),
        _ => {
            let length = rest.len().min(usize::from(choice / 4));
            let data =
                said.iter().find_map(|said| if let Said::Body(data) = said { Some(&data[..]) } else { None });
            assert_eq!(data.unwrap_or_default(), &rest[..length]);
        }
    }
}

fn compare_with_plain_decoder(coded: &[u8], said: &[Said]) {
    let (data, trailers) = plainly_decoded(coded);
    let (mut ours, mut ended, mut wrong) = (&[][..], None, None);
    for said in said {
        match said {
            Said::Body(data) => ours = data,
            Said::End { trailers, .. } => ended = Some(trailers.len()),
            Said::Wrong(error) => wrong = Some(*error),
            Said::Head(_) => panic!("the connection closes after one request"),
        }
    }
    assert_eq!(ours, &data[..]);
    let strict = matches!(
        wrong,
        Some(Error::ForbiddenTrailer | Error::ChunkExtensionsTooLarge | Error::TooManyFields)
    );
    assert!(ended == trailers || strict, "{ended:?} here, {trailers:?} plainly, {wrong:?}");
}

/// The data of a chunked body as far as they are well-formed, and how many trailers it has if all of it is.
pub fn plainly_decoded(mut rest: &[u8]) -> (Vec<u8>, Option<usize>) {
    let mut data = Vec::new();
    loop {
        let Some((line, after)) = line(rest) else { return (data, None) };
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let text = str::from_utf8(digits).unwrap_or_default();
        let is_size = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_size || !is_visible(&line[digits.len()..]) {
            return (data, None);
        }
        let size = u64::from_str_radix(text, 16).expect("sixteen hexadecimal digits fit");
        if size == 0 {
            return (data, trailers(after));
        }
        let length = after.len().min(usize::try_from(size).unwrap_or(usize::MAX));
        data.extend_from_slice(&after[..length]);
        match after[length..].strip_prefix(b"\r\n") {
            Some(next) if length as u64 == size => rest = next,
            _ => return (data, None),
        }
    }
}

fn trailers(mut rest: &[u8]) -> Option<usize> {
    let mut count = 0;
    loop {
        let (line, after) = line(rest)?;
        if line.is_empty() {
            return Some(count);
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let is_name =
            colon > 0 && line[..colon].iter().all(|byte| gannet_proto::scan::naive::is_token(*byte));
        if !is_name || !is_visible(&line[colon..]) {
            return None;
        }
        (count, rest) = (count + 1, after);
    }
}

/// A line that ends in CRLF and has neither CR nor LF within.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    bytes[end..].strip_prefix(b"\r\n").map(|after| (&bytes[..end], after))
}

fn is_visible(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| gannet_proto::scan::naive::is_value(*byte))
}

/// A connection: sixteen bytes of decisions, then what the peer sends. The decisions say how much arrives at a time and
/// how each request is answered, possibly before it is whole. A client must be able to read every answer.
pub fn pipeline(input: &[u8]) {
    let Some((decisions, sent)) = input.split_at_checked(16) else { return };
    let mut server = Server::new(decisions);
    for piece in sent.chunks(1 + usize::from(decisions[0])) {
        server.receive(piece);
    }
    let mut plain = Listener::new(Connection::new(Limits::default()));
    plain.receive(sent);
    server.compare(&plain.said);
}

/// A server that answers as it is told.
struct Server {
    connection: Connection,
    kept: Vec<u8>,
    head: Head,
    spare: Head,
    decisions: Vec<u8>,
    requests: Vec<Method>,
    over: bool,
}

impl Server {
    fn new(decisions: &[u8]) -> Server {
        let (connection, decisions) = (Connection::new(Limits::default()), decisions[1..].to_vec());
        let (head, spare) = (Head::default(), Head::default());
        Server { connection, kept: Vec::new(), head, spare, decisions, requests: Vec::new(), over: false }
    }

    fn decide(&mut self) -> u8 {
        self.decisions.rotate_left(1);
        self.decisions[0]
    }

    fn receive(&mut self, piece: &[u8]) {
        self.kept.extend_from_slice(piece);
        while !self.over {
            let head = if self.connection.responded() { &mut self.spare } else { &mut self.head };
            let consumed = match self.connection.handle(&self.kept, head) {
                Ok(Event::Need { consumed }) => {
                    self.kept.drain(..consumed);
                    return;
                }
                Ok(Event::Head { consumed }) => {
                    self.requests.push(self.head.method);
                    self.answer();
                    consumed
                }
                Ok(Event::Data { end, .. }) => end,
                Ok(Event::End { consumed }) => {
                    self.over = !self.connection.keep_alive();
                    if !self.over {
                        self.connection.next();
                    }
                    consumed
                }
                Err(_) => return self.over = true,
            };
            self.kept.drain(..consumed);
        }
    }

    /// Answers as decided, and reads the answer as a client would.
    fn answer(&mut self) {
        let (decision, length) = (self.decide(), usize::from(self.decide()));
        let statuses =
            [Status::OK, Status::NO_CONTENT, Status::NOT_MODIFIED, Status::RESET_CONTENT, Status::NOT_FOUND];
        let status = statuses[usize::from(decision) % statuses.len()];
        if decision & 0x40 != 0 {
            self.connection.close();
        }
        let mut out = Vec::new();
        let known = (decision & 0x80 != 0).then_some(length as u64);
        let head = ResponseToSend { status, fields: b"X: y\r\n", length: known, date: Some(DATE) };
        let framing = self.connection.respond(head, &mut out);
        let content = vec![decision; length];
        let sent =
            !matches!(framing, Framing::None | Framing::Upgrade) && self.push(&content, decision, &mut out);
        if framing == Framing::Upgrade {
            return self.over = true;
        }
        self.connection.finish(b"X-End: z\r\n", &mut out).expect("all that was promised was sent");
        read_as_a_client(
            &out,
            self.head.method,
            self.connection.keep_alive(),
            if sent { &content } else { b"" },
        );
    }

    fn push(&mut self, content: &[u8], decision: u8, out: &mut Vec<u8>) -> bool {
        for piece in content.chunks(1 + usize::from(decision & 0x3f)) {
            self.connection.push(piece.len(), out).expect("the content is as long as promised");
            out.extend_from_slice(piece);
            self.connection.pushed(out);
        }
        true
    }

    /// The requests are those of a server that answers plainly, as far as this one went on.
    fn compare(&self, said: &[Said]) {
        let plain: Vec<&str> = said
            .iter()
            .filter_map(|said| if let Said::Head(request) = said { Some(&request.method[..]) } else { None })
            .collect();
        let ours: Vec<&str> = self.requests.iter().map(|method| method.as_str().unwrap_or("")).collect();
        assert!(ours.len() <= plain.len());
        assert!(
            ours.iter().zip(&plain).all(|(ours, plain)| ours.is_empty() || ours == plain),
            "{ours:?} {plain:?}"
        );
    }
}

/// Reads one response with httparse and by RFC 9112 section 6.3, and checks that it is what was sent.
fn read_as_a_client(response: &[u8], method: Method, keep_alive: bool, content: &[u8]) {
    let mut room = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Response::new(&mut room);
    let Ok(httparse::Status::Complete(end)) = head.parse(response) else { panic!("a whole response head") };
    let field = |name: &str| head.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    let status = head.code.expect("a parsed head has a code");
    let body = &response[end..];
    if method == Method::Head || [204, 205, 304].contains(&status) {
        assert_eq!(body, b"");
        assert!(status != 204 || field("content-length").is_none());
    } else if let Some(length) = field("content-length") {
        assert_eq!(length.value, content.len().to_string().as_bytes());
        assert_eq!(body, content);
    } else if field("transfer-encoding").is_some() {
        assert_eq!(plainly_decoded(body), (content.to_vec(), Some(1)));
    } else {
        assert!(!keep_alive && body == content);
    }
    assert!(field("transfer-encoding").is_none() || field("content-length").is_none());
    assert!(keep_alive || field("connection").is_some_and(|option| option.value == b"close"));
}
