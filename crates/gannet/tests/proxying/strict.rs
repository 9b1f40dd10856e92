//! How a server reads requests that forgives nothing: written for these tests alone, and sharing no code with what it is to judge.

/// A request, whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    pub method: String,
    pub target: String,
    pub host: String,
    pub body: Vec<u8>,
}

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A request, and how many bytes it takes.
    Whole(Whole, usize),
    /// What may become one. Whether the client waits to be asked for its body.
    Unfinished { waits: bool },
    /// What must not reach a server.
    Wrong(String),
}

enum Framing {
    Length(usize),
    Chunked,
}

/// Reads the first request.
pub fn next(bytes: &[u8]) -> Next {
    read(bytes).unwrap_or_else(Next::Wrong)
}

fn read(bytes: &[u8]) -> Result<Next, String> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(Next::Unfinished { waits: false }) };
    // Bytes beyond ASCII may stand in values; here they are replaced before anybody looks.
    let head = String::from_utf8_lossy(&bytes[..end]);
    let lines = lines(&head)?;
    let (method, target) = request_line(lines[0])?;
    let fields: Vec<(String, &str)> = lines[1..].iter().map(|line| field(line)).collect::<Result<_, _>>()?;
    let all = |name: &str| {
        fields.iter().filter(|(other, _)| other == name).map(|(_, value)| *value).collect::<Vec<&str>>()
    };
    let [host] = all("host")[..] else { return Err(format!("Host: {:?}", all("host"))) };
    for name in ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"] {
        if !all(name).is_empty() {
            return Err(format!("{name} is for one connection"));
        }
    }
    let framing = match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => Framing::Length(0),
        ([length], []) => Framing::Length(plain_number(length)?),
        ([], ["chunked"]) => Framing::Chunked,
        other => return Err(format!("framed in several ways: {other:?}")),
    };
    let rest = &bytes[end + 4..];
    let waits = all("expect") == ["100-continue"] && rest.is_empty();
    let body = match framing {
        Framing::Length(length) => rest.get(..length).map(|body| (body.to_vec(), length)),
        Framing::Chunked => chunks(rest)?,
    };
    let Some((body, length)) = body else { return Ok(Next::Unfinished { waits }) };
    let whole = Whole { method: method.into(), target: target.into(), host: host.into(), body };
    Ok(Next::Whole(whole, end + 4 + length))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn lines(text: &str) -> Result<Vec<&str>, String> {
    let lines: Vec<&str> = text.split("\r\n").collect();
    let is_control = |byte: u8| (byte < 0x20 && byte != b'\t') || byte == 0x7f;
    match lines.iter().find(|line| line.bytes().any(is_control)) {
        Some(line) => Err(format!("a control byte in {line:?}")),
        None => Ok(lines),
    }
}

fn is_token(text: &str) -> bool {
    let is = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is)
}

fn request_line(line: &str) -> Result<(&str, &str), String> {
    let parts: Vec<&str> = line.split(' ').collect();
    let &[method, target, "HTTP/1.1"] = &parts[..] else { return Err(format!("no request line: {line:?}")) };
    let is_plain = target.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'#');
    let has_form = target.starts_with('/') || (target == "*" && method == "OPTIONS");
    if is_token(method) && is_plain && has_form {
        Ok((method, target))
    } else {
        Err(format!("no request line: {line:?}"))
    }
}

fn field(line: &str) -> Result<(String, &str), String> {
    match line.split_once(':') {
        Some((name, value)) if is_token(name) => {
            let value = value.strip_prefix(' ').ok_or_else(|| format!("no space in {line:?}"))?;
            let is_trimmed = value == value.trim_matches([' ', '\t']);
            is_trimmed
                .then(|| (name.to_ascii_lowercase(), value))
                .ok_or_else(|| format!("spaces in {line:?}"))
        }
        _ => Err(format!("no field: {line:?}")),
    }
}

/// A number written in the one way there is.
fn plain_number(text: &str) -> Result<usize, String> {
    let number: u64 = text.parse().map_err(|_| format!("no length: {text:?}"))?;
    if number.to_string() == text {
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    } else {
        Err(format!("a length written otherwise: {text:?}"))
    }
}

/// A body in chunks and how many bytes it takes; none if it is not whole.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(length) = find(&bytes[at..], b"\r\n") else { return Ok(None) };
        let digits = String::from_utf8_lossy(&bytes[at..at + length]).into_owned();
        let is_plain =
            (1..=16).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(&digits, 16).ok().filter(|_| is_plain);
        let size = size.ok_or_else(|| format!("no chunk size: {digits:?}"))?;
        at += length + 2;
        if size == 0 {
            break;
        }
        let Some(data) = bytes.get(at..at.saturating_add(size).saturating_add(2)) else { return Ok(None) };
        let data = data.strip_suffix(b"\r\n").ok_or("a chunk without its end")?;
        body.extend(data);
        at += size + 2;
    }
    loop {
        let Some(length) = find(&bytes[at..], b"\r\n") else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes[at..at + length]);
        let line = lines(&text)?[0];
        at += length + 2;
        if length == 0 {
            return Ok(Some((body, at)));
        }
        let (name, _) = field(line)?;
        if ["host", "content-length", "transfer-encoding", "authorization"].contains(&&*name) {
            return Err(format!("{name} is no trailer"));
        }
    }
}

#[test]
fn what_is_not_strict_is_wrong() {
    let whole =
        |bytes: &str| matches!(next(bytes.as_bytes()), Next::Whole(_, length) if length == bytes.len());
    let wrong = |bytes: &str| matches!(next(bytes.as_bytes()), Next::Wrong(_));
    assert!(whole("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert!(whole("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
    assert!(whole("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"));
    for bytes in [
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 02\r\n\r\nhi",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhi\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiX\r\n0\r\n\r\n",
    ] {
        assert!(wrong(bytes), "{bytes:?}: {:?}", next(bytes.as_bytes()));
    }
    let unfinished = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n";
    assert_eq!(next(unfinished.as_bytes()), Next::Unfinished { waits: false });
}
