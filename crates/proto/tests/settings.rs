//! What SETTINGS do, and when (RFC 9113, 4.3.1 and 6.5.3).

use gannet_proto::h2::hpack::{Blocks, Decoder, List};
use gannet_proto::h2::{Client, Event, Limits, RequestToSend, ResponseToSend, Server};
use gannet_proto::{BodyLength, Head, Method, ResponseHead, Status};

const REQUEST: RequestToSend<'_> = RequestToSend {
    method: Method::Post,
    method_text: "POST",
    scheme: "http",
    authority: "a",
    path: "/",
    protocol: None,
    fields: b"",
    body: BodyLength::Chunked,
    accepts_trailers: true,
};

const RESPONSE: ResponseToSend<'_> =
    ResponseToSend { status: Status::OK, fields: b"X-A: b\r\n", length: None, date: None };

/// A client that has made a request, and a server that has read it; both know each other's settings.
struct Pair {
    client: Client,
    server: Server,
    blocks: Blocks,
}

impl Pair {
    fn new(clients: u32, servers: u32) -> (Pair, gannet_proto::h2::StreamKey) {
        let with = |bytes| Limits { header_table_bytes: bytes, ..Limits::default() };
        let (mut client, mut server) = (Client::new(with(clients), 1), Server::new(with(servers), 1));
        let (mut said, mut answer) = (Vec::new(), Vec::new());
        client.start(&mut said);
        server.start(&mut answer);
        client.request(REQUEST, &mut said).expect("a first one is always taken");
        let mut pair = Pair { client, server, blocks: Blocks::new(1) };
        let key = pair.hear(&said, &mut answer).expect("it is a request");
        said.clear();
        let mut head = ResponseHead::default();
        let event = pair.client.handle(&answer, &mut head, &mut said).expect("it is in order");
        assert_eq!(event, Event::Need { consumed: answer.len() });
        assert_eq!(pair.hear(&said, &mut answer), None);
        (pair, key)
    }

    /// The server hears what the client has said; gives the stream of a request in it.
    fn hear(&mut self, said: &[u8], answer: &mut Vec<u8>) -> Option<gannet_proto::h2::StreamKey> {
        let (mut at, mut found) = (0, None);
        loop {
            match self.server.handle(&said[at..], &mut Head::default(), answer).expect("it is in order") {
                Event::Need { .. } => return found,
                Event::Head { stream, consumed, .. } => {
                    found = Some(stream);
                    at += consumed;
                }
                Event::Trailers { consumed, .. } => at += consumed,
                event => panic!("{event:?} is not what was said"),
            }
        }
    }
}

/// Decodes the first header block of what was said, by a table that was of 4096 bytes and has just become smaller.
fn assert_says_so(said: &[u8], size: u32) {
    let mut decoder = Decoder::new(4096);
    decoder.set_max_size(size);
    let mut list = List::new(1000, 10);
    let length = usize::from(u16::from_be_bytes([said[1], said[2]]));
    decoder.decode(&said[9..9 + length], &mut list).expect("the table's size is said");
    assert!(!list.fields.is_empty());
}

#[test]
fn a_servers_next_block_says_that_the_table_shrinks_be_it_a_response_or_an_interim_one() {
    for size in [0, 100, 4095] {
        let (mut pair, key) = Pair::new(size, 4096);
        let mut out = Vec::new();
        pair.server.respond(key, RESPONSE, &mut pair.blocks, &mut out);
        assert_says_so(&out, size);
        let (mut pair, key) = Pair::new(size, 4096);
        out.clear();
        let whole = ResponseToSend { length: Some(1), ..RESPONSE };
        assert!(pair.server.respond_whole(key, whole, b"x", &mut pair.blocks, &mut out));
        assert_says_so(&out, size);
        let (mut pair, key) = Pair::new(size, 4096);
        out.clear();
        pair.server.inform(key, Status::EARLY_HINTS, b"X-A: b\r\n", &mut out);
        assert_says_so(&out, size);
    }
}

#[test]
fn a_clients_next_block_says_that_the_table_shrinks_also_if_it_is_trailers() {
    for size in [0, 100, 4095] {
        let (mut pair, key) = Pair::new(4096, size);
        let mut said = Vec::new();
        pair.client.finish(key, b"X-Check: 1\r\n", &mut said).expect("all was sent");
        assert_says_so(&said, size);
        pair.hear(&said, &mut Vec::new());
    }
}

#[test]
fn a_stream_that_is_opened_while_settings_come_in_pieces_has_the_window_that_they_say() {
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 100];
    for cut in 0..=settings.len() {
        let mut client = Client::new(Limits::default(), 1);
        let (mut out, mut head) = (Vec::new(), ResponseHead::default());
        client.start(&mut out);
        let mut hear = |client: &mut Client, bytes: &[u8]| match client.handle(bytes, &mut head, &mut out) {
            Ok(Event::Need { consumed }) => consumed,
            other => panic!("{other:?} is not what was said"),
        };
        let at = hear(&mut client, &settings[..cut]);
        let key = client.request(REQUEST, &mut Vec::new()).expect("a first one is always taken");
        hear(&mut client, &settings[at..]);
        assert_eq!(client.room(key), 100, "cut at {cut}");
    }
}

#[test]
fn a_table_that_may_grow_does_not_before_its_settings_are_acknowledged() {
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 32, 0];
    for cut in 0..=settings.len() {
        let mut client = Client::new(Limits { header_table_bytes: 8192, ..Limits::default() }, 1);
        let (mut out, mut head) = (Vec::new(), ResponseHead::default());
        client.start(&mut out);
        let mut hear = |client: &mut Client, bytes: &[u8]| match client.handle(bytes, &mut head, &mut out) {
            Ok(Event::Need { consumed }) => consumed,
            other => panic!("{other:?} is not what was said"),
        };
        let at = hear(&mut client, &settings[..cut]);
        let mut said = Vec::new();
        client.request(REQUEST, &mut said).expect("a first one is always taken");
        let updates = said[9] & 0xe0 == 0x20;
        assert_eq!(updates, at == settings.len(), "cut at {cut}");
    }
}
