//! What the fuzz target `h2_frames` does with its input: any frames, cut anyhow, against the server's end of a connection, whose user does anything that it may.

use gannet_proto::h2::hpack::{Blocks, put_static};
use gannet_proto::h2::{ErrorCode, Event, Limits, PREFACE, RequestToSend, ResponseToSend, Server, StreamKey};
use gannet_proto::{BodyLength, Head, Method, Status};
use std::collections::BTreeMap;

/// Bytes from which decisions are made; zeros when there are no more.
pub struct Choices<'a>(pub &'a [u8]);

impl<'a> Choices<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn number(&mut self) -> u32 {
        // Small ones, large ones, and those at the edges.
        match self.byte() {
            byte @ 0..=199 => u32::from(byte) % 64,
            byte @ 200..=219 => u32::from(byte - 200) * 1000,
            220..=229 => u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()]),
            230..=239 => 0x7fff_ffff,
            byte => 65_530 + u32::from(byte - 240),
        }
    }

    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let length = usize::from(self.byte()).min(most).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }
}

/// The server's end, and what its user knows of it.
struct Rig {
    server: Server,
    limits: Limits,
    head: Head,
    blocks: Blocks,
    /// The client's bytes that are not done with.
    input: Vec<u8>,
    out: Vec<u8>,
    open: BTreeMap<u32, Open>,
    /// The next identifier that the client has not used.
    next: u32,
    failed: bool,
}

/// A stream that was told and not released.
#[derive(Default)]
struct Open {
    slot: u32,
    unread: usize,
    ended: bool,
    was_reset: bool,
    responded: bool,
    finished: bool,
}

/// Whatever clients and users do: nothing panics, what is answered is bounded by what came, no stream is told that is not there, and nothing is held beyond
/// the limits.
pub fn h2_frames(input: &[u8]) {
    let mut choices = Choices(input);
    let limits = Limits {
        streams: u32::from(choices.byte() % 8) + 1,
        pushed_streams: u32::from(choices.byte() % 3),
        stream_window_bytes: choices.number().min(200_000),
        connection_window_bytes: choices.number().min(200_000),
        header_list_bytes: 2000,
        header_block_bytes: 3000,
        continuations: 5,
        remembered_resets: 2,
        ..Limits::default()
    };
    let server = Server::new(limits, 1);
    let mut rig = Rig {
        server,
        limits,
        head: Head::default(),
        blocks: Blocks::new(1),
        input: Vec::new(),
        out: Vec::new(),
        open: BTreeMap::new(),
        next: 1,
        failed: false,
    };
    rig.server.start(&mut rig.out);
    if choices.byte() < 250 {
        rig.input.extend_from_slice(PREFACE);
        rig.input.extend_from_slice(&frame(4, 0, 0, &[]));
    }
    while !choices.is_empty() && !rig.failed {
        match choices.byte() {
            0..=149 => rig.say(&mut choices),
            150..=199 => rig.hear(usize::MAX),
            200..=209 => rig.hear(usize::from(choices.byte())),
            _ => rig.act(&mut choices),
        }
        rig.check();
    }
    if !rig.failed {
        rig.hear(usize::MAX);
    }
    check_frames(&rig.out);
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Whole frames, none too large.
fn check_frames(mut out: &[u8]) {
    while !out.is_empty() {
        let length = u32::from_be_bytes([0, out[0], out[1], out[2]]) as usize;
        assert!(length <= 0xff_ffff && out.len() >= 9 + length, "a frame is cut off");
        out = &out[9 + length..];
    }
}

impl Rig {
    /// The client says one more frame, or something like it.
    fn say(&mut self, choices: &mut Choices<'_>) {
        let stream = match choices.byte() {
            byte @ 0..=99 => self.next.saturating_sub(u32::from(byte % 8) * 2),
            100..=199 => {
                self.next += 2;
                self.next - 2
            }
            byte => u32::from(byte - 200),
        };
        let (flags, number) = (choices.byte(), choices.number());
        let said = match choices.byte() % 16 {
            0..=3 => frame(1, flags & 0x2d | 4, stream, &request(choices)),
            4 => frame(1, flags & 1, stream, &request(choices)),
            5 => frame(9, flags & 4, stream, choices.bytes(20)),
            6 | 7 => frame(0, flags & 9, stream, &vec![7; number.min(17_000) as usize]),
            8 => frame(8, 0, stream, &number.to_be_bytes()),
            9 => frame(8, 0, 0, &number.to_be_bytes()),
            10 => {
                let identifier = u16::from(choices.byte() % 10).to_be_bytes();
                frame(4, 0, 0, &[&identifier[..], &number.to_be_bytes()].concat())
            }
            11 => frame(4, 1, 0, &[]),
            12 => frame(3, 0, stream, &number.to_be_bytes()),
            13 => frame(6, flags & 1, 0, &[1; 8]),
            14 => frame(16, 0, 0, &[&stream.to_be_bytes()[..], choices.bytes(10)].concat()),
            _ => frame(choices.byte(), flags, stream, choices.bytes(40)),
        };
        self.input.extend_from_slice(&said);
    }

    /// The server receives so much of what was said.
    fn hear(&mut self, most: usize) {
        let given = most.min(self.input.len());
        let given_bytes = self.input[..given].to_vec();
        let mut at = 0;
        loop {
            let before = self.out.len();
            let event = self.server.handle(&given_bytes[at..], &mut self.head, &mut self.out);
            let answered = self.out.len() - before;
            match event {
                Ok(event) => {
                    let consumed = self.told(event, &given_bytes[at..]);
                    // The largest answer beside what it answers: an RST_STREAM to HEADERS without fields.
                    assert!(answered <= consumed * 2 + 17, "{answered} bytes for {consumed}: {event:?}");
                    at += consumed;
                    if matches!(event, Event::Need { .. }) {
                        break;
                    }
                }
                Err(error) => {
                    self.server.fail(error, &mut self.out);
                    self.failed = true;
                    return;
                }
            }
        }
        assert!(given < self.input.len() || given - at < 64 + 17_000, "what is needed is bounded");
        self.input.drain(..at);
    }

    fn told(&mut self, event: Event, input: &[u8]) -> usize {
        match event {
            Event::Head { stream, consumed, ended } | Event::Refused { stream, consumed, ended, .. } => {
                let slot_is_free = self.open.values().all(|open| open.slot != stream.slot);
                assert!(slot_is_free && stream.id % 2 == 1, "a slot is used twice");
                let open = Open { slot: stream.slot, ended, ..Open::default() };
                assert!(self.open.insert(stream.id, open).is_none(), "a stream is told twice");
                consumed
            }
            Event::Data { stream, start, end, consumed, ended } => {
                assert!(start <= end && end <= input.len() && (end > start || ended));
                let open = self.open.get_mut(&stream.id).expect("it was told");
                assert!(!open.ended && !open.was_reset, "content behind the end");
                open.unread += end - start;
                open.ended = ended;
                consumed
            }
            Event::Trailers { stream, consumed } => {
                let open = self.open.get_mut(&stream.id).expect("it was told");
                assert!(!std::mem::replace(&mut open.ended, true), "trailers behind the end");
                consumed
            }
            Event::Reset { stream, consumed, .. } => {
                let open = self.open.get_mut(&stream.id).expect("it was told");
                assert!(!std::mem::replace(&mut open.was_reset, true), "a stream is reset twice");
                consumed
            }
            Event::Need { consumed }
            | Event::Window { consumed, .. }
            | Event::Priority { consumed, .. }
            | Event::GoAway { consumed, .. } => consumed,
            Event::Interim { .. } => panic!("a client sends no interim response"),
        }
    }

    /// The server's user does something that it may.
    fn act(&mut self, choices: &mut Choices<'_>) {
        let place = usize::from(choices.byte());
        let Some((&id, _)) = self.open.iter().nth(place % self.open.len().max(1)) else {
            return self.act_on_connection(choices);
        };
        let key = StreamKey { id, slot: self.open[&id].slot };
        match choices.byte() % 10 {
            0 | 1 => self.respond(key, choices),
            2 => self.push(key, choices.number() as usize, choices.byte() < 50),
            3 => {
                let open = self.open.get_mut(&id).expect("it is there");
                if open.responded && !open.finished && !open.was_reset {
                    open.finished = self.server.finish(key, b"x: y\r\n", &mut self.out).is_ok();
                }
            }
            4 => {
                self.server.reset(key, ErrorCode::CANCEL, &mut self.out);
                // One that has ended is not.
                let was_reset = !self.server.is_open(key);
                self.open.get_mut(&id).expect("it is there").was_reset = was_reset;
            }
            5 | 6 => {
                if self.server.receiving_ended(key) && self.server.sending_ended(key) {
                    self.server.release(key);
                    self.open.remove(&id);
                }
            }
            7 => {
                let open = self.open.get_mut(&id).expect("it is there");
                let taken = open.unread.min(choices.number() as usize);
                open.unread -= taken;
                match choices.byte() % 4 {
                    0 => self.server.discarded(key, taken),
                    _ => self.server.consumed(key, taken),
                }
            }
            8 => self.promise(key),
            _ => self.act_on_connection(choices),
        }
    }

    fn respond(&mut self, key: StreamKey, choices: &mut Choices<'_>) {
        let open = self.open.get_mut(&key.id).expect("it is there");
        if open.responded || open.was_reset {
            return;
        }
        let length = u64::from(choices.number() % 20_000);
        let status = if choices.byte() < 30 { Status::NO_CONTENT } else { Status::OK };
        let head = ResponseToSend { status, fields: b"X-A: b\r\n", length: Some(length), date: None };
        match choices.byte() {
            0..=99 => {
                let content = vec![1; length as usize];
                let (blocks, out) = (&mut self.blocks, &mut self.out);
                let whole = self.server.respond_whole(key, head, &content, blocks, out);
                (open.responded, open.finished) = (whole, whole);
            }
            100..=109 => self.server.inform(key, Status::EARLY_HINTS, b"X-A: b\r\n", &mut self.out),
            byte => {
                let length = (byte < 180).then_some(length);
                let head = ResponseToSend { length, ..head };
                self.server.respond(key, head, &mut self.blocks, &mut self.out);
                open.responded = true;
            }
        }
    }

    fn push(&mut self, key: StreamKey, length: usize, end: bool) {
        let open = self.open.get_mut(&key.id).expect("it is there");
        let length = length.min(self.server.room(key));
        if open.responded && !open.was_reset && (length > 0 || end) {
            let begun = self.server.push(key, length, end, &mut self.out);
            if begun.is_ok() {
                self.out.extend(std::iter::repeat_n(9, length));
                open.finished |= end;
            }
        }
    }

    fn promise(&mut self, key: StreamKey) {
        let request = RequestToSend {
            method: Method::Get,
            method_text: "GET",
            scheme: "http",
            authority: "a",
            path: "/",
            fields: b"",
            body: BodyLength::None,
            protocol: None,
            accepts_trailers: false,
        };
        if let Some(key) = self.server.promise(key, request, &mut self.out) {
            self.open.insert(key.id, Open { slot: key.slot, ended: true, ..Open::default() });
        }
    }

    fn act_on_connection(&mut self, choices: &mut Choices<'_>) {
        match choices.byte() % 8 {
            0..=4 => self.server.update_windows(&mut self.out),
            5 => self.server.refill(),
            6 => self.server.go_away(&mut self.out),
            _ => self.server.close(&mut self.out),
        }
    }

    fn check(&self) {
        let most = (self.limits.streams + self.limits.pushed_streams) as usize;
        assert!(self.server.streams() <= most, "{} streams", self.server.streams());
        assert_eq!(self.server.streams(), self.open.len(), "each is told, or it is not there");
        let unread: usize = self.open.values().map(|open| open.unread).sum();
        let window = self.limits.connection_window_bytes.max(65_535) as usize;
        assert!(unread <= window, "{unread} bytes are unread, of {window} that may be");
        for (id, open) in &self.open {
            let key = StreamKey { id: *id, slot: open.slot };
            let window = self.limits.stream_window_bytes.max(65_535) as usize;
            assert!(open.unread <= window, "{} bytes of a stream are unread", open.unread);
            assert_eq!(self.server.is_open(key), !open.was_reset);
            assert!(!open.ended || self.server.receiving_ended(key));
        }
    }
}

/// A header block: a request, more or less.
fn request(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut block = Vec::new();
    let methods: [&[u8]; 5] = [b"GET", b"POST", b"HEAD", b"CONNECT", b"OPTIONS"];
    let kind = choices.byte();
    for (number, (name, value)) in [
        (&b":method"[..], methods[usize::from(kind) % 5]),
        (b":scheme", b"http"),
        (b":path", b"/a?b"),
        (b":authority", b"a"),
    ]
    .into_iter()
    .enumerate()
    {
        // Now and then one is missing.
        if kind < 250 || usize::from(kind) % 4 != number {
            put_static(name, value, &mut block);
        }
    }
    if kind > 200 {
        put_static(b":protocol", b"echo", &mut block);
    }
    let fields: [(&[u8], &[u8]); 7] = [
        (b"content-length", b"5"),
        (b"expect", b"100-continue"),
        (b"priority", b"u=1"),
        (b"te", b"gzip"),
        (b"cookie", b"a=b"),
        (b"x", &[b'y'; 300]),
        (b"host", b"a"),
    ];
    for bit in 0..usize::from(choices.byte() % 16) {
        let (name, value) = fields[bit % fields.len()];
        if choices.byte() & 1 == 1 {
            put_static(name, value, &mut block);
        }
    }
    if choices.byte() > 240 {
        block.extend_from_slice(choices.bytes(30));
    }
    block
}
