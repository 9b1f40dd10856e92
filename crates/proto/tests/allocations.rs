//! Nothing is allocated once a connection's buffers have grown: counted, not measured.

use gannet_proto::h1::{Client, ClientEvent, Connection, Event, RequestToSend, ResponseToSend};
use gannet_proto::h2::hpack::{
    Blocks, Decoder, Encoder, INITIAL_SIZE, List, put_date, put_length, put_status,
};
use gannet_proto::{BodyLength, Head, Limits, Method, ResponseHead, Status};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[path = "allocations/h2.rs"]
mod h2;
#[path = "allocations/ws.rs"]
mod ws;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that are allocated and not freed.
    static HELD_BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's doing; counting touches a cell of this thread that needs no
// allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        HELD_BYTES.set(HELD_BYTES.get() + layout.size() as isize);
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD_BYTES.set(HELD_BYTES.get() - layout.size() as isize);
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        HELD_BYTES.set(HELD_BYTES.get() + size as isize - layout.size() as isize);
        // SAFETY: our caller's promise is the system allocator's condition.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const REQUESTS: [&[u8]; 3] = [
    b"GET /a?b HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
];

struct Exchange {
    connection: Connection,
    head: Head,
    spare: Head,
    out: Vec<u8>,
}

impl Exchange {
    /// One request, read in pieces of this size, and its answer, framed in this way.
    fn run(&mut self, request: &[u8], piece: usize, length: Option<u64>) {
        let (mut start, mut end, mut has_head) = (0, 0, false);
        self.out.clear();
        loop {
            let head = if has_head { &mut self.spare } else { &mut self.head };
            match self.connection.handle(&request[start..end], head).expect("the request is in order") {
                Event::Need { consumed } => {
                    (start, end) = (start + consumed, (end + piece).min(request.len()));
                }
                Event::Head { consumed } => {
                    (start, has_head) = (start + consumed, true);
                    self.answer(length);
                }
                Event::Data { end, .. } => start += end,
                Event::End { consumed } => {
                    assert_eq!(start + consumed, request.len());
                    return self.connection.next();
                }
            }
        }
    }

    fn answer(&mut self, length: Option<u64>) {
        let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
        let head = ResponseToSend { status: Status::OK, fields: b"X: y\r\n", length, date: Some(date) };
        self.connection.respond(head, &mut self.out);
        self.connection.push(5, &mut self.out).expect("five bytes were promised");
        self.out.extend_from_slice(b"hello");
        self.connection.pushed(&mut self.out);
        self.connection.finish(b"", &mut self.out).expect("five bytes were sent");
    }

    fn run_all(&mut self) {
        for request in REQUESTS {
            for (piece, length) in [(1, Some(5)), (7, None), (1000, Some(5)), (1000, None)] {
                self.run(request, piece, length);
            }
        }
    }
}

#[test]
fn an_exchange_allocates_nothing_after_the_first() {
    let connection = Connection::new(Limits::default());
    let mut exchange =
        Exchange { connection, head: Head::default(), spare: Head::default(), out: Vec::new() };
    let before = ALLOCATIONS.get();
    exchange.run_all();
    let first = ALLOCATIONS.get();
    assert!(first > before, "the counter counts: the first exchanges make room");
    (0..10).for_each(|_| exchange.run_all());
    assert_eq!(ALLOCATIONS.get(), first);
}

const RESPONSES: [&[u8]; 3] = [
    b"HTTP/1.1 204 No Content\r\nServer: test\r\nX: y\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
];

struct Asking {
    client: Client,
    head: ResponseHead,
    spare: ResponseHead,
    out: Vec<u8>,
}

impl Asking {
    /// One request, framed in this way, and its answer, which comes in pieces of this size.
    fn run(&mut self, response: &[u8], piece: usize, body: BodyLength) {
        let (mut start, mut end, mut has_head) = (0, 0, false);
        self.ask(body);
        loop {
            let head = if has_head { &mut self.spare } else { &mut self.head };
            match self.client.handle(&response[start..end], head).expect("the response is in order") {
                ClientEvent::Need { consumed } => {
                    (start, end) = (start + consumed, (end + piece).min(response.len()));
                }
                ClientEvent::Interim { consumed } => start += consumed,
                ClientEvent::Head { consumed } => (start, has_head) = (start + consumed, true),
                ClientEvent::Data { end, .. } => start += end,
                ClientEvent::End { consumed } => {
                    assert_eq!(start + consumed, response.len());
                    return self.client.next();
                }
            }
        }
    }

    fn ask(&mut self, body: BodyLength) {
        self.out.clear();
        let (method, method_text, fields) = (Method::Post, "POST", &b"Host: a\r\n"[..]);
        let head = RequestToSend {
            method,
            method_text,
            target: "/a?b",
            fields,
            body,
            upgrade: false,
            accepts_trailers: true,
            closes: false,
        };
        self.client.request(head, &mut self.out);
        if body != BodyLength::None {
            self.client.push(5, &mut self.out).expect("five bytes were promised");
            self.out.extend_from_slice(b"hello");
            self.client.pushed(&mut self.out);
        }
        self.client.finish(b"", &mut self.out).expect("five bytes were sent");
    }

    fn run_all(&mut self) {
        for response in RESPONSES {
            for (piece, body) in
                [(1, BodyLength::None), (7, BodyLength::Known(5)), (1000, BodyLength::Chunked)]
            {
                self.run(response, piece, body);
            }
        }
    }
}

#[test]
fn a_client_s_exchange_allocates_nothing_after_the_first() {
    let client = Client::new(Limits::default());
    let (head, spare) = (ResponseHead::default(), ResponseHead::default());
    let mut asking = Asking { client, head, spare, out: Vec::new() };
    let before = ALLOCATIONS.get();
    asking.run_all();
    let first = ALLOCATIONS.get();
    assert!(first > before, "the counter counts: the first exchanges make room");
    (0..10).for_each(|_| asking.run_all());
    assert_eq!(ALLOCATIONS.get(), first);
}

#[test]
fn a_client_and_the_head_that_it_reads_take_no_more_than_a_cache_line_and_a_half() {
    assert!(size_of::<Client>() <= 96, "{}", size_of::<Client>());
    assert!(size_of::<ResponseHead>() <= 96, "{}", size_of::<ResponseHead>());
}

#[test]
fn a_connection_takes_no_more_than_a_cache_line_and_a_half() {
    assert!(size_of::<Connection>() <= 96, "{}", size_of::<Connection>());
    assert!(size_of::<Head>() <= 96, "{}", size_of::<Head>());
}

/// Both ends of the header compression of a connection, and the cache of a worker.
struct Compression {
    encoder: Encoder,
    decoder: Decoder,
    list: List,
    blocks: Blocks,
    out: Vec<u8>,
}

impl Compression {
    /// A request whose path differs from all others, so that entries come and are evicted, and which carries strings that are coded; and its response.
    fn run(&mut self, number: u32) {
        let digits = [100, 10, 1].map(|unit| b'0' + (number / unit % 10) as u8);
        let fields: [(&[u8], &[u8]); 6] = [
            (b":method", b"GET"),
            (b":path", &digits),
            (b"X-Differs", &digits),
            (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"),
            (b"Authorization", b"Bearer 0123456789abcdef"),
            (b"\xc3\xa4", b"\x00\x01\xff"),
        ];
        self.out.clear();
        self.encoder.begin(&mut self.out);
        fields.iter().for_each(|(name, value)| self.encoder.field(name, value, &mut self.out));
        assert_eq!(self.decoder.decode(&self.out, &mut self.list), Ok(()));
        assert_eq!(self.list.fields.len(), fields.len());
        self.out.clear();
        put_status(Status::NOT_FOUND, &mut self.out);
        put_length(u64::from(number), &mut self.out);
        put_date(b"Sun, 06 Nov 1994 08:49:37 GMT", &mut self.out);
        self.blocks.put(b"Content-Type: text/html\r\nServer: gannet\r\n", &mut self.out);
        self.blocks.put(
            if number.is_multiple_of(2) { b"X-Even: yes\r\n" } else { b"X-Even: no\r\n" },
            &mut self.out,
        );
    }
}

#[test]
fn header_compression_allocates_nothing_once_its_tables_have_been_full() {
    let (encoder, decoder) = (Encoder::new(1), Decoder::new(INITIAL_SIZE));
    let (list, blocks) = (List::new(16_384, 100), Blocks::new(1));
    let mut compression = Compression { encoder, decoder, list, blocks, out: Vec::new() };
    let before = ALLOCATIONS.get();
    (0..300).for_each(|number| compression.run(number));
    let first = ALLOCATIONS.get();
    assert!(first > before, "the counter counts: the tables make room");
    (300..1000).for_each(|number| compression.run(number));
    assert_eq!(ALLOCATIONS.get(), first);
}

#[test]
fn header_compression_that_is_not_in_use_holds_no_memory() {
    let before = ALLOCATIONS.get();
    let (mut encoder, mut decoder, mut list) =
        (Encoder::new(1), Decoder::new(INITIAL_SIZE), List::new(16_384, 100));
    let mut blocks = Blocks::new(1);
    blocks.put(b"", &mut Vec::new());
    encoder.set_max_size(65_536, 4096);
    encoder.begin(&mut Vec::new());
    decoder.set_max_size(65_536);
    assert_eq!(decoder.decode(b"", &mut list), Ok(()));
    assert_eq!(ALLOCATIONS.get(), before);
    assert!(
        size_of::<Encoder>() <= 176 && size_of::<Decoder>() <= 112,
        "{} {}",
        size_of::<Encoder>(),
        size_of::<Decoder>()
    );
}
