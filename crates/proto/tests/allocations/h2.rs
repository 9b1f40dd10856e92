//! HTTP/2 allocates nothing in its steady state either, and an idle connection holds little.

use super::{ALLOCATIONS, HELD_BYTES};
use gannet_proto::h2::{
    Blocks, Client, Event, Framing, Limits, RequestToSend, ResponseToSend, Server, StreamKey,
};
use gannet_proto::{BodyLength, Head, Method, ResponseHead, Status};

const FEW_FIELDS: &[u8] = b"Accept: */*\r\nUser-Agent: test\r\n";

/// As a browser asks.
const BROWSER_FIELDS: &[u8] = b"Cache-Control: max-age=0\r\n\
    Sec-CH-UA: \"Chromium\";v=\"146\", \"Not-A.Brand\";v=\"24\"\r\n\
    Sec-CH-UA-Mobile: ?0\r\n\
    Sec-CH-UA-Platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Sec-Fetch-Site: none\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9\r\n\
    Cookie: session=0123456789abcdef\r\n";

const DATE: &[u8; 29] = b"Sun, 06 Nov 1994 08:49:37 GMT";

/// Both ends of a connection, and what is on its way between them.
struct Pair {
    client: Client,
    server: Server,
    head: Head,
    response: ResponseHead,
    blocks: Blocks,
    there: Vec<u8>,
    back: Vec<u8>,
    asked: u32,
    fields: &'static [u8],
}

impl Pair {
    fn new() -> Pair {
        let (client, server) = (Client::new(Limits::default(), 7), Server::new(Limits::default(), 7));
        let (head, response) = (Head::default(), ResponseHead::default());
        let (blocks, there, back) = (Blocks::new(7), Vec::new(), Vec::new());
        let mut pair =
            Pair { client, server, head, response, blocks, there, back, asked: 0, fields: FEW_FIELDS };
        pair.client.start(&mut pair.there);
        pair.server.start(&mut pair.back);
        pair
    }

    /// A request with content, whose path is another one each time if it is to be; content and trailers come back.
    fn exchange(&mut self, varied: bool, whole: bool) {
        self.asked += 1;
        let mut path = *b"/page/000000";
        if varied {
            path[6..].iter_mut().enumerate().for_each(|(place, digit)| {
                *digit = b'0' + (self.asked / 10_u32.pow(place as u32) % 10) as u8;
            });
        }
        let request = RequestToSend {
            method: Method::Post,
            method_text: "",
            scheme: "http",
            authority: "a.example",
            path: core::str::from_utf8(&path).expect("digits"),
            protocol: None,
            fields: self.fields,
            body: BodyLength::Chunked,
            accepts_trailers: true,
        };
        let stream = self.client.request(request, &mut self.there).expect("the server takes a request");
        self.client.push(stream, 5, false, &mut self.there).expect("the length is not said");
        self.there.extend_from_slice(b"hello");
        self.client.finish(stream, b"X-Sum: 1\r\n", &mut self.there).expect("the length is not said");
        self.serve(whole);
        self.listen();
        self.client.release(stream);
    }

    fn serve(&mut self, whole: bool) {
        let (mut at, mut asked) = (0, None);
        loop {
            let event =
                self.server.handle(&self.there[at..], &mut self.head, &mut self.back).expect("in order");
            at += match event {
                Event::Need { consumed } => {
                    assert_eq!(at + consumed, self.there.len());
                    break;
                }
                Event::Head { stream, consumed, .. } => {
                    asked = Some(stream);
                    consumed
                }
                Event::Data { stream, start, end, consumed, .. } => {
                    self.server.consumed(stream, end - start);
                    consumed
                }
                Event::Trailers { consumed, .. } => consumed,
                other => panic!("{other:?}"),
            };
        }
        self.there.clear();
        self.answer(asked.expect("a request came"), whole);
        self.server.update_windows(&mut self.back);
    }

    fn answer(&mut self, stream: StreamKey, whole: bool) {
        let length = whole.then_some(13);
        let head = ResponseToSend { status: Status::OK, fields: b"X: y\r\n", length, date: Some(DATE) };
        let content = b"Hello, world!";
        if whole {
            let sent = self.server.respond_whole(stream, head, content, &mut self.blocks, &mut self.back);
            assert!(sent, "the windows allow it");
        } else {
            let framing = self.server.respond(stream, head, &mut self.blocks, &mut self.back);
            assert_eq!(framing, Framing::Chunked);
            self.server.push(stream, content.len(), false, &mut self.back).expect("it has a body");
            self.back.extend_from_slice(content);
            self.server.finish(stream, b"X-Sum: 2\r\n", &mut self.back).expect("it has a body");
        }
        self.server.release(stream);
    }

    fn listen(&mut self) {
        let mut at = 0;
        loop {
            let event =
                self.client.handle(&self.back[at..], &mut self.response, &mut self.there).expect("in order");
            at += match event {
                Event::Need { .. } => break,
                Event::Data { stream, start, end, consumed, .. } => {
                    self.client.consumed(stream, end - start);
                    consumed
                }
                Event::Head { consumed, .. } | Event::Trailers { consumed, .. } => consumed,
                other => panic!("{other:?}"),
            };
        }
        self.back.clear();
        self.client.update_windows(&mut self.there);
    }
}

#[test]
fn an_exchange_of_http_2_allocates_nothing_after_the_first_ones_at_either_end() {
    for varied in [false, true] {
        let mut pair = Pair::new();
        let before = ALLOCATIONS.get();
        (0..500).for_each(|round| pair.exchange(varied, round % 2 == 0));
        let first = ALLOCATIONS.get();
        assert!(first > before, "the counter counts: the first exchanges make room");
        (0..20_000).for_each(|round| pair.exchange(varied, round % 2 == 0));
        assert_eq!(ALLOCATIONS.get(), first, "varied: {varied}");
    }
}

#[test]
fn a_connection_that_idles_after_each_exchange_works_in_the_memory_that_it_gave_up() {
    for fields in [FEW_FIELDS, BROWSER_FIELDS] {
        let mut pair = Pair { fields, ..Pair::new() };
        let round = |pair: &mut Pair, index: usize| {
            pair.exchange(index.is_multiple_of(3), index.is_multiple_of(2));
            let (near, far) = (pair.client.idle(), pair.server.idle());
            // Whose memory it was does not matter.
            pair.client.resume(far);
            pair.server.resume(near);
        };
        (0..500).for_each(|index| round(&mut pair, index));
        let first = ALLOCATIONS.get();
        (0..5_000).for_each(|index| round(&mut pair, index));
        assert_eq!(ALLOCATIONS.get(), first, "{} bytes of fields", fields.len());
    }
}

#[test]
fn an_idle_connection_of_http_2_holds_less_than_two_kibibytes_beside_its_dynamic_table() {
    let mut pair = Pair::new();
    (0..100).for_each(|round| pair.exchange(false, round % 2 == 0));
    drop(pair.server.idle());
    let before = HELD_BYTES.get();
    let Pair { server, .. } = pair;
    let size = size_of::<Server>() as isize;
    drop(server);
    let held = before - HELD_BYTES.get();
    assert!(size + held < 2048, "{size} + {held}");
}
