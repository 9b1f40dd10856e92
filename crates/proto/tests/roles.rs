//! Both roles on one connection: what the client writes the server reads, what the server writes the client reads, cut anyhow, one
//! exchange behind the other.

mod common;

use common::DATE;
use common::asker::plain;
use gannet_proto::h1::{Client, ClientEvent, Connection, Event, Framing, RequestToSend, ResponseToSend};
use gannet_proto::{BodyLength, Head, Limits, Method, ResponseBody, ResponseHead, Status};
use proptest::prelude::*;

/// What one side sends, and the other is to find.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Message {
    fields: String,
    content: Vec<u8>,
    trailers: String,
}

#[derive(Clone, Debug)]
struct Exchange {
    method: Method,
    target: String,
    request: Message,
    request_body: Body,
    closes: bool,
    interim: usize,
    status: Status,
    response: Message,
    known: bool,
    piece: usize,
    server_closes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Body {
    None,
    Known,
    Chunked,
}

fn lines() -> impl Strategy<Value = String> {
    prop::collection::vec("X-[A-Za-z0-9]{1,8}: [!-~]([ -~]{0,20}[!-~])?\r\n", 0..4)
        .prop_map(|lines| lines.concat())
}

fn message() -> impl Strategy<Value = Message> {
    (lines(), prop::collection::vec(any::<u8>(), 0..400), lines())
        .prop_map(|(fields, content, trailers)| Message { fields, content, trailers })
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let methods = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete, Method::Other];
    let statuses =
        [200, 204, 205, 206, 299, 304, 404, 500, 599].map(|code| Status::new(code).expect("three digits"));
    let asked = (
        prop::sample::select(methods.to_vec()),
        "/[a-z0-9/%.?=&-]{0,30}",
        message(),
        prop::sample::select(vec![Body::None, Body::Known, Body::Chunked]),
        prop::bool::weighted(0.1),
    );
    let answered = (
        0..4_usize,
        prop::sample::select(statuses.to_vec()),
        message(),
        any::<bool>(),
        1..200_usize,
        prop::bool::weighted(0.1),
    );
    (asked, answered).prop_map(|(asked, answered)| {
        let (method, target, request, request_body, closes) = asked;
        let (interim, status, response, known, piece, server_closes) = answered;
        Exchange {
            method,
            target,
            request,
            request_body,
            closes,
            interim,
            status,
            response,
            known,
            piece,
            server_closes,
        }
    })
}

/// The two ends of a connection, and what lies between them.
struct Pair {
    client: Client,
    connection: Connection,
    cut: usize,
}

impl Pair {
    /// The bytes of the request.
    fn ask(&mut self, exchange: &Exchange) -> Vec<u8> {
        let mut out = Vec::new();
        let fields = format!("Host: a.example\r\n{}", exchange.request.fields);
        let content = &exchange.request.content;
        let body = match exchange.request_body {
            Body::None => BodyLength::None,
            Body::Known => BodyLength::Known(content.len() as u64),
            Body::Chunked => BodyLength::Chunked,
        };
        let head = RequestToSend {
            target: &exchange.target,
            fields: fields.as_bytes(),
            body,
            accepts_trailers: true,
            closes: exchange.closes,
            ..plain(exchange.method)
        };
        self.client.request(head, &mut out);
        if body != BodyLength::None {
            for piece in content.chunks(exchange.piece) {
                self.client.push(piece.len(), &mut out).expect("the content is as long as promised");
                out.extend_from_slice(piece);
                self.client.pushed(&mut out);
            }
        }
        self.client.finish(exchange.request.trailers.as_bytes(), &mut out).expect("all was sent");
        assert!(self.client.writing_ended());
        out
    }

    /// The server reads the request, and finds what was sent.
    fn serve(&mut self, exchange: &Exchange, bytes: &[u8]) {
        let (mut head, mut spare) = (Head::default(), Head::default());
        let (mut start, mut end, mut content, mut has_head) = (0, 0, Vec::new(), false);
        let sent = exchange.request_body;
        loop {
            let input = &bytes[start..end];
            match self
                .connection
                .handle(input, if has_head { &mut spare } else { &mut head })
                .expect("it is in order")
            {
                Event::Need { consumed } => {
                    assert!(end < bytes.len(), "the request is whole");
                    (start, end) = (start + consumed, (end + self.cut).min(bytes.len()));
                }
                Event::Head { consumed } => {
                    assert_eq!(head.method, exchange.method);
                    assert_eq!(head.method_str(input), plain(exchange.method).method_text);
                    assert_eq!(head.target.of(input), exchange.target.as_bytes());
                    let fields = rendered(&head.fields, input);
                    assert!(fields.starts_with(&format!(
                        "Host: a.example\r\n{}TE: trailers\r\n",
                        exchange.request.fields
                    )));
                    assert!(head.connection_options(input).any(|option| option == b"te"));
                    (start, has_head) = (start + consumed, true);
                }
                Event::Data { start: from, end: to } => {
                    content.extend_from_slice(&input[from..to]);
                    start += to;
                }
                Event::End { consumed } => {
                    assert_eq!(start + consumed, bytes.len());
                    let trailers = if sent == Body::Chunked { &exchange.request.trailers[..] } else { "" };
                    assert_eq!(rendered(&spare.fields, input), trailers);
                    assert_eq!(content, if sent == Body::None { &[][..] } else { &exchange.request.content });
                    return;
                }
            }
        }
    }

    /// The bytes of the response, and how it is framed.
    fn answer(&mut self, exchange: &Exchange) -> (Vec<u8>, Framing) {
        let mut out = Vec::new();
        for _ in 0..exchange.interim {
            self.connection.inform(Status::EARLY_HINTS, b"Link: </a>\r\n", &mut out);
        }
        if exchange.server_closes {
            self.connection.close();
        }
        let Message { fields, content, trailers } = &exchange.response;
        let length = exchange.known.then_some(content.len() as u64);
        let head =
            ResponseToSend { status: exchange.status, fields: fields.as_bytes(), length, date: Some(DATE) };
        let framing = self.connection.respond(head, &mut out);
        if framing != Framing::None {
            for piece in content.chunks(exchange.piece) {
                self.connection.push(piece.len(), &mut out).expect("the content is as long as promised");
                out.extend_from_slice(piece);
                self.connection.pushed(&mut out);
            }
        }
        self.connection.finish(trailers.as_bytes(), &mut out).expect("all was sent");
        (out, framing)
    }

    /// The client reads the response, and finds what was sent.
    fn hear(&mut self, exchange: &Exchange, bytes: &[u8], framing: Framing) {
        let (mut head, mut spare) = (ResponseHead::default(), ResponseHead::default());
        let (mut start, mut end, mut content, mut has_head, mut interim) = (0, 0, Vec::new(), false, 0);
        loop {
            let input = &bytes[start..end];
            match self
                .client
                .handle(input, if has_head { &mut spare } else { &mut head })
                .expect("it is in order")
            {
                ClientEvent::Need { consumed } => {
                    assert!(end < bytes.len(), "the response is whole");
                    (start, end) = (start + consumed, (end + self.cut).min(bytes.len()));
                }
                ClientEvent::Interim { consumed } => {
                    assert_eq!(
                        (head.status, head.field(input, "link")),
                        (Status::EARLY_HINTS, Some(&b"</a>"[..]))
                    );
                    (start, interim) = (start + consumed, interim + 1);
                }
                ClientEvent::Head { consumed } => {
                    assert_eq!(head.status, exchange.status);
                    assert_eq!(head.reason.of(input), exchange.status.reason().as_bytes());
                    assert!(rendered(&head.fields, input).ends_with(&exchange.response.fields));
                    self.has_framing(exchange, &head, framing);
                    (start, has_head) = (start + consumed, true);
                }
                ClientEvent::Data { start: from, end: to } => {
                    content.extend_from_slice(&input[from..to]);
                    start += to;
                }
                ClientEvent::End { consumed } => {
                    assert_eq!((start + consumed, interim), (bytes.len(), exchange.interim));
                    let trailers =
                        if framing == Framing::Chunked { &exchange.response.trailers[..] } else { "" };
                    assert_eq!(rendered(&spare.fields, input), trailers);
                    let sent = if framing == Framing::None { &[][..] } else { &exchange.response.content };
                    assert_eq!(content, sent);
                    return;
                }
            }
        }
    }

    fn has_framing(&self, exchange: &Exchange, head: &ResponseHead, framing: Framing) {
        let expected = match framing {
            Framing::Length(length) => ResponseBody::Known(length),
            Framing::Chunked => ResponseBody::Chunked,
            Framing::None if exchange.status.code() == 205 && exchange.method != Method::Head => {
                ResponseBody::Known(0)
            }
            Framing::None => ResponseBody::None,
            other => panic!("an HTTP/1.1 response is not framed by {other:?}"),
        };
        assert_eq!(head.body, expected);
        let tells = exchange.known && !matches!(exchange.status.code(), 204 | 205 | 304);
        assert!(!tells || head.content_length == Some(exchange.response.content.len() as u64));
    }
}

fn rendered(fields: &[gannet_proto::Field], bytes: &[u8]) -> String {
    let text = |span: gannet_proto::Span| str::from_utf8(span.of(bytes)).expect("the fields are text");
    fields.iter().map(|field| format!("{}: {}\r\n", text(field.name), text(field.value))).collect()
}

proptest! {
    #[test]
    fn each_role_reads_what_the_other_writes(
        exchanges in prop::collection::vec(exchange(), 1..5),
        cut in 1..100_usize,
    ) {
        let (client, connection) = (Client::new(Limits::default()), Connection::new(Limits::default()));
        let mut pair = Pair { client, connection, cut };
        for exchange in exchanges {
            let request = pair.ask(&exchange);
            pair.serve(&exchange, &request);
            let (response, framing) = pair.answer(&exchange);
            pair.hear(&exchange, &response, framing);
            prop_assert_eq!(pair.client.keep_alive(), pair.connection.keep_alive());
            prop_assert_eq!(pair.client.keep_alive(), !exchange.closes && !exchange.server_closes);
            if !pair.client.keep_alive() {
                break;
            }
            pair.client.next();
            pair.connection.next();
        }
    }
}
