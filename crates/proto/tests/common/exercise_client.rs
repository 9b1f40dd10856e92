//! What the fuzz target `client` does with its input, as [`exercise`](super::exercise) has it for the server's role.

use super::asker::{Asker, Response, Told, plain};
use super::exercise::plainly_decoded;
use gannet_proto::h1::{Client, RequestToSend, ResponseError};
use gannet_proto::scan::Level;
use gannet_proto::{BodyLength, Limits, Method, ResponseBody, Version};

/// A server: the first byte says what it is asked, and whether it closes behind the rest, which is what it sends. What
/// that is depends neither on cuts nor on the CPU; httparse agrees with what is accepted, and a decoder that sees all of the body at once
/// finds the same in it.
pub fn client(input: &[u8]) {
    let Some((choice, sent)) = input.split_first() else { return };
    let (request, closes) = (request(*choice), choice & 0x80 != 0);
    let hear = |level: Level, size: usize| {
        let mut asker = Asker::new(Client::new(Limits::default()).with_level(level), request);
        sent.chunks(size).for_each(|piece| asker.receive(piece));
        if closes {
            asker.end();
        }
        asker
    };
    let whole = hear(Level::BASELINE, sent.len().max(1));
    for level in Level::available() {
        for size in [1, 7, sent.len().max(1)] {
            let other = hear(level, size);
            assert_eq!(other.told, whole.told, "by {size} with {}", level.name());
            assert_eq!(
                other.client.keep_alive(),
                whole.client.keep_alive(),
                "by {size} with {}",
                level.name()
            );
        }
    }
    compare_with_httparse(sent, whole.told.first(), closes);
    compare_body(sent, request, &whole);
}

fn request(choice: u8) -> RequestToSend<'static> {
    match choice & 7 {
        0 => plain(Method::Head),
        1 => plain(Method::Connect),
        2 => RequestToSend { upgrade: true, fields: b"Host: a\r\nUpgrade: x\r\n", ..plain(Method::Get) },
        3 => RequestToSend { body: BodyLength::Chunked, ..plain(Method::Post) },
        4 => RequestToSend { closes: true, ..plain(Method::Get) },
        _ => plain(Method::Get),
    }
}

/// Whatever we accept httparse accepts as the same response; whatever it rejects we do not accept.
fn compare_with_httparse(bytes: &[u8], ours: Option<&Told>, closes: bool) {
    let mut room = [httparse::EMPTY_HEADER; 256];
    let mut theirs = httparse::Response::new(&mut room);
    let parsed = theirs.parse(bytes);
    match (ours, parsed) {
        (Some(Told::Head(response) | Told::Interim(response)), Ok(httparse::Status::Complete(_))) => {
            assert_eq!(theirs.code, Some(response.status));
            assert_eq!(theirs.version, Some(u8::from(response.version == Version::Http11)));
            // It has no reason phrases beyond ASCII.
            let reason = if response.reason.is_ascii() { &response.reason[..] } else { b"" };
            assert_eq!(theirs.reason.map(str::as_bytes), Some(reason));
            let fields: Vec<_> =
                theirs.headers.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
            let ours: Vec<_> = response.fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            assert_eq!(fields, ours);
        }
        (Some(Told::Head(response) | Told::Interim(response)), other) => {
            panic!("accepted {response:?}, which to httparse is {other:?}")
        }
        (Some(Told::Wrong(ResponseError::NoResponse | ResponseError::IncompleteHead)), theirs) => {
            assert!(closes && !matches!(theirs, Ok(httparse::Status::Complete(_))), "{theirs:?} to httparse");
        }
        (Some(Told::Wrong(_)), _) | (None, Ok(httparse::Status::Partial)) => {}
        (None, Err(httparse::Error::Version)) => {}
        (ours, theirs) => panic!("{ours:?} here, {theirs:?} to httparse"),
    }
}

/// What follows the final head is its body by RFC 9112 section 6.3.
fn compare_body(sent: &[u8], request: RequestToSend<'_>, asker: &Asker) {
    let mut rest = sent;
    for told in &asker.told {
        match told {
            Told::Interim(_) => rest = after_head(rest),
            Told::Head(response) => return has_body(response, after_head(rest), request.method, asker),
            Told::Body(_) | Told::End { .. } => panic!("a body follows a head"),
            Told::Wrong(_) => return,
        }
    }
}

fn after_head(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head ends in a blank line");
    &bytes[end + 4..]
}

fn has_body(response: &Response, rest: &[u8], method: Method, asker: &Asker) {
    let content: &[u8] = asker
        .told
        .iter()
        .find_map(|told| if let Told::Body(body) = told { Some(&body[..]) } else { None })
        .unwrap_or_default();
    let is_bodiless = method == Method::Head
        || matches!(response.status, 100..=199 | 204 | 304)
        || (method == Method::Connect && matches!(response.status, 200..=299));
    assert_eq!(is_bodiless, response.body == ResponseBody::None);
    let end = match response.body {
        ResponseBody::None => 0,
        ResponseBody::Known(length) => rest.len().min(usize::try_from(length).unwrap_or(usize::MAX)),
        ResponseBody::UntilClose => rest.len(),
        ResponseBody::Chunked => {
            let (data, trailers) = plainly_decoded(rest);
            assert_eq!(content, data);
            let ended = asker.told.iter().any(|told| matches!(told, Told::End { .. }));
            assert!(!ended || trailers.is_some(), "a body has ended that has not");
            return;
        }
    };
    assert_eq!(content, &rest[..end]);
    let kept = asker.client.keep_alive();
    assert!(!kept || end == rest.len(), "a connection is kept on which something is left over");
}
