//! A strict witness of one connection: it sees what the client writes and what the server says, and whatever RFC 9113 does not allow a server to
//! say is a failure.

use std::collections::BTreeMap;

use gannet_proto::h2::hpack::{Decoder, List};

use super::frames::{ACK, END_HEADERS, END_STREAM, PREFACE, kind, setting};

type Result<T> = std::result::Result<T, String>;

/// Field lines.
pub type Lines = Vec<(String, String)>;

/// One response, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub interims: Vec<(u16, Lines)>,
    pub status: u16,
    pub fields: Lines,
    pub body: Vec<u8>,
    pub trailers: Lines,
    pub complete: bool,
    /// The code with which the server reset the stream.
    pub reset: Option<u32>,
    /// The lengths of its DATA frames.
    pub pieces: Vec<usize>,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    pub fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }
}

fn find<'a>(lines: &'a Lines, name: &str) -> Option<&'a str> {
    let mut found = lines.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let first = found.next();
    assert!(found.next().is_none(), "{name} is there once");
    first
}

/// A stream, as the client may use it.
#[derive(Clone, Debug, Default)]
struct Seen {
    method: String,
    /// What the server may send on it.
    window: i64,
    /// The client reset it: what was on its way still comes.
    was_reset: bool,
}

/// What was seen of one connection.
#[derive(Debug)]
pub struct Witness {
    pub answers: BTreeMap<u32, Answer>,
    /// Streams that were promised: on which, and the fields.
    pub promises: BTreeMap<u32, (u32, Lines)>,
    /// The server's SETTINGS.
    pub settings: Vec<(u16, u32)>,
    /// Last streams and codes of its GOAWAYs.
    pub go_aways: Vec<(u32, u32)>,
    /// What its GOAWAYs said besides.
    pub reasons: Vec<String>,
    /// PINGs it has answered.
    pub pongs: Vec<[u8; 8]>,
    /// SETTINGS it has sent, and acknowledged.
    pub told: usize,
    pub acknowledged: usize,
    /// What it lets the client send, by stream; 0 is the connection.
    pub opened: BTreeMap<u32, u64>,
    /// What the client has sent, by stream; 0 is the connection.
    uploaded: BTreeMap<u32, u64>,
    /// The streams of DATA frames, in their order.
    pub order: Vec<u32>,
    seen: BTreeMap<u32, Seen>,
    window: i64,
    /// Initial windows that the client has set, of which the server has acknowledged none yet but the first.
    initial: Vec<i64>,
    decoder: Decoder,
    /// Sizes of its dynamic table that the client has set, by its SETTINGS that are not acknowledged.
    tables: Vec<Option<u32>>,
    said: Vec<u8>,
    written: Vec<u8>,
    began: bool,
    /// A header block that has begun.
    block: Option<(u8, u8, u32, Vec<u8>)>,
    client_decoder: Decoder,
    /// A header block of the client's that has begun.
    asking: Vec<u8>,
    pushes: bool,
    max_frame: usize,
}

impl Default for Witness {
    fn default() -> Witness {
        let mut client_decoder = Decoder::new(4096);
        client_decoder.set_max_size(65_536);
        Witness {
            answers: BTreeMap::new(),
            promises: BTreeMap::new(),
            settings: Vec::new(),
            go_aways: Vec::new(),
            reasons: Vec::new(),
            pongs: Vec::new(),
            told: 0,
            acknowledged: 0,
            uploaded: BTreeMap::new(),
            opened: BTreeMap::new(),
            order: Vec::new(),
            seen: BTreeMap::new(),
            window: 65_535,
            initial: vec![65_535],
            decoder: Decoder::new(4096),
            tables: Vec::new(),
            said: Vec::new(),
            written: Vec::new(),
            began: false,
            block: None,
            client_decoder,
            asking: Vec::new(),
            pushes: true,
            max_frame: 16_384,
        }
    }
}

impl Witness {
    /// Stream 1 is there already: its request came by HTTP/1.1.
    pub fn upgraded(method: &str) -> Witness {
        let mut witness = Witness::default();
        witness.seen.insert(1, Seen { method: method.into(), window: 65_535, was_reset: false });
        witness
    }

    /// The client wrote this. What it breaks is its own affair: only what the server may do then is learned.
    pub fn wrote(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        if !self.began {
            if self.written.len() < PREFACE.len() || !self.written.starts_with(PREFACE) {
                return;
            }
            self.written.drain(..PREFACE.len());
            self.began = true;
        }
        while let Some((kind, flags, stream, payload)) = next(&mut self.written) {
            match kind {
                kind::HEADERS | kind::CONTINUATION => {
                    let mut block = std::mem::take(&mut self.asking);
                    block.extend_from_slice(&payload);
                    if flags & END_HEADERS != 0 {
                        self.asked(flags, stream, &block);
                    } else {
                        self.asking = block;
                    }
                }
                kind::DATA => {
                    *self.uploaded.entry(0).or_default() += payload.len() as u64;
                    *self.uploaded.entry(stream).or_default() += payload.len() as u64;
                }
                kind::SETTINGS if flags & ACK == 0 => self.set(&payload),
                kind::WINDOW_UPDATE if payload.len() == 4 => {
                    let by = i64::from(number(&payload) & 0x7fff_ffff);
                    match self.seen.get_mut(&stream) {
                        _ if stream == 0 => self.window += by,
                        Some(seen) => seen.window += by,
                        None => {}
                    }
                }
                kind::RST_STREAM => {
                    if let Some(seen) = self.seen.get_mut(&stream) {
                        seen.was_reset = true;
                    }
                }
                _ => {}
            }
        }
    }

    fn asked(&mut self, flags: u8, stream: u32, payload: &[u8]) {
        let window = self.initial.iter().copied().max().unwrap_or(0);
        let mut list = List::new(60_000, 1000);
        let is_plain = flags & 0x28 == 0;
        if is_plain && self.client_decoder.decode(payload, &mut list).is_err() || stream == 0 {
            return;
        }
        let method = lines(&list).into_iter().find(|(name, _)| name == ":method");
        let seen =
            Seen { method: method.map(|(_, value)| value).unwrap_or_default(), window, was_reset: false };
        self.seen.entry(stream).or_insert(seen);
    }

    fn set(&mut self, payload: &[u8]) {
        let mut initial = *self.initial.last().expect("there is one at first");
        let mut table = None;
        for entry in payload.chunks_exact(6) {
            match u16::from_be_bytes([entry[0], entry[1]]) {
                setting::INITIAL_WINDOW_SIZE => initial = i64::from(number(&entry[2..])),
                setting::ENABLE_PUSH => self.pushes = number(&entry[2..]) == 1,
                1 => table = Some(number(&entry[2..])),
                5 => self.max_frame = number(&entry[2..]) as usize,
                _ => {}
            }
        }
        // Until it is acknowledged either may hold: the larger one is what a stream may have.
        let by = initial - self.initial.last().expect("there is one at first");
        if by > 0 {
            self.seen.values_mut().for_each(|seen| seen.window += by);
        }
        self.initial.push(initial);
        self.tables.push(table);
    }

    /// The server said this.
    pub fn heard(&mut self, bytes: &[u8]) -> Result<()> {
        self.said.extend_from_slice(bytes);
        while let Some((kind, flags, stream, payload)) = next(&mut self.said) {
            self.frame(kind, flags, stream, &payload)
                .map_err(|wrong| format!("{wrong}: type {kind}, flags {flags}, stream {stream}"))?;
        }
        Ok(())
    }

    /// Whether the client has said its preface.
    pub fn has_begun(&self) -> bool {
        self.began
    }

    /// Whether the server said whole frames.
    pub fn is_between_frames(&self) -> bool {
        self.said.is_empty() && self.block.is_none()
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
        ensure(payload.len() <= self.max_frame, "a frame is too large")?;
        ensure(self.block.is_none() || kind == kind::CONTINUATION, "a header block is interrupted")?;
        if self.settings.is_empty() && self.pongs.is_empty() && self.order.is_empty() {
            ensure(kind == kind::SETTINGS || self.answers.is_empty(), "SETTINGS come first")?;
        }
        match kind {
            kind::DATA => self.data(flags, stream, payload),
            kind::HEADERS => self.header_block(kind, flags, stream, payload.to_vec()),
            kind::PUSH_PROMISE => self.header_block(kind, flags, stream, payload.to_vec()),
            kind::CONTINUATION => {
                let (kind, first, of, mut block) = self.block.take().ok_or("a CONTINUATION of nothing")?;
                ensure(of == stream, "a CONTINUATION of another stream")?;
                block.extend_from_slice(payload);
                self.header_block(kind, first | (flags & END_HEADERS), stream, block)
            }
            kind::RST_STREAM => {
                ensure(payload.len() == 4, "RST_STREAM has 4 bytes")?;
                ensure(self.seen.contains_key(&stream), "an idle stream is reset")?;
                let answer = self.answers.entry(stream).or_default();
                ensure(answer.reset.is_none(), "a stream is reset twice")?;
                answer.reset = Some(number(payload));
                Ok(())
            }
            kind::SETTINGS => self.settings(flags, stream, payload),
            kind::PING => {
                ensure(flags & ACK != 0 && stream == 0, "the server asks for no PING")?;
                self.pongs.push(payload.try_into().map_err(|_| "a PING has 8 bytes")?);
                Ok(())
            }
            kind::GOAWAY => {
                ensure(stream == 0 && payload.len() >= 8, "a GOAWAY is of the connection")?;
                let last = number(payload);
                ensure(
                    self.go_aways.last().is_none_or(|before| before.0 >= last),
                    "last streams do not grow",
                )?;
                self.go_aways.push((last, number(&payload[4..])));
                self.reasons.push(String::from_utf8_lossy(&payload[8..]).into_owned());
                Ok(())
            }
            kind::WINDOW_UPDATE => {
                let by = number(payload);
                ensure(
                    payload.len() == 4 && by > 0 && by >> 31 == 0,
                    "a window is opened, and not by nothing",
                )?;
                ensure(
                    stream == 0 || self.seen.contains_key(&stream),
                    "the window of a stream that is idle",
                )?;
                *self.opened.entry(stream).or_default() += u64::from(by);
                Ok(())
            }
            _ => Err("a frame of a type that the server does not send".into()),
        }
    }

    fn settings(&mut self, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
        ensure(stream == 0 && payload.len().is_multiple_of(6), "SETTINGS are of the connection")?;
        if flags & ACK == 0 {
            let entry = |entry: &[u8]| (u16::from_be_bytes([entry[0], entry[1]]), number(&entry[2..]));
            self.told += 1;
            self.settings.extend(payload.chunks_exact(6).map(entry));
            return Ok(());
        }
        self.acknowledged += 1;
        ensure(payload.is_empty(), "an acknowledgement says nothing")?;
        ensure(self.initial.len() > 1, "SETTINGS are acknowledged that were not sent")?;
        if let Some(size) = self.tables.remove(0) {
            self.decoder.set_max_size(size);
        }
        let before = self.initial.remove(0);
        if self.initial[0] < before {
            let by = before - self.initial[0];
            self.seen.values_mut().for_each(|seen| seen.window -= by);
        }
        Ok(())
    }

    fn data(&mut self, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
        ensure(flags & 8 == 0, "the server does not pad")?;
        let seen = self.seen.get_mut(&stream).ok_or("content of a stream that is idle")?;
        let length = payload.len() as i64;
        seen.window -= length;
        self.window -= length;
        ensure(seen.window >= 0 || length == 0, "a stream's window is overrun")?;
        ensure(self.window >= 0, "the connection's window is overrun")?;
        let answer = self.answers.get_mut(&stream).ok_or("content before a head")?;
        ensure(
            answer.status >= 200 && !answer.complete && answer.reset.is_none(),
            "content out of its place",
        )?;
        ensure(!payload.is_empty() || flags & END_STREAM != 0, "an empty frame that ends nothing")?;
        answer.body.extend_from_slice(payload);
        answer.pieces.push(payload.len());
        answer.complete = flags & END_STREAM != 0;
        self.order.push(stream);
        self.check_length(stream)
    }

    /// What a response said of its length is true (RFC 9113, 8.1.1).
    fn check_length(&self, stream: u32) -> Result<()> {
        let answer = &self.answers[&stream];
        let Some(length) = answer.field("content-length") else { return Ok(()) };
        let length: usize = length.parse().map_err(|_| "content-length is a number")?;
        let has_none = self.seen[&stream].method == "HEAD" || answer.status == 304;
        ensure(answer.body.len() <= length, "more content than was said")?;
        ensure(!answer.complete || has_none || answer.body.len() == length, "less content than was said")
    }

    fn header_block(&mut self, kind: u8, flags: u8, stream: u32, block: Vec<u8>) -> Result<()> {
        if flags & END_HEADERS == 0 {
            self.block = Some((kind, flags, stream, block));
            return Ok(());
        }
        let promised = if kind == kind::PUSH_PROMISE { 4 } else { 0 };
        let mut list = List::new(60_000, 1000);
        self.decoder
            .decode(&block[promised..], &mut list)
            .map_err(|error| format!("a header block: {error:?}"))?;
        let lines = lines(&list);
        for (name, value) in &lines {
            ensure(name.bytes().all(|byte| !byte.is_ascii_uppercase()), "names are in lower case")?;
            let connection = ["connection", "transfer-encoding", "upgrade", "keep-alive"];
            ensure(!connection.contains(&name.as_str()), "no field of HTTP/1.1's connections")?;
            ensure(value.trim() == value, "no whitespace around values")?;
        }
        match kind {
            kind::PUSH_PROMISE => self.promised(stream, number(&block), lines),
            _ => self.head(stream, lines, flags & END_STREAM != 0),
        }
    }

    fn promised(&mut self, on: u32, stream: u32, lines: Lines) -> Result<()> {
        ensure(self.pushes, "promises are not taken")?;
        let seen = self.seen.get(&on).ok_or("a promise on a stream that is idle")?;
        ensure(
            stream.is_multiple_of(2) && self.promises.keys().all(|before| *before < stream),
            "promised streams grow",
        )?;
        let answer = self.answers.get(&on);
        ensure(
            answer.is_none_or(|answer| !answer.complete && answer.reset.is_none()),
            "a promise in its time",
        )?;
        let window = self.initial.iter().copied().max().unwrap_or(0);
        let was_reset = seen.was_reset;
        self.seen.insert(stream, Seen { method: "GET".into(), window, was_reset });
        self.promises.insert(stream, (on, lines));
        Ok(())
    }

    fn head(&mut self, stream: u32, mut lines: Lines, ends: bool) -> Result<()> {
        ensure(self.seen.contains_key(&stream), "an answer that nobody asked for")?;
        let answer = self.answers.entry(stream).or_default();
        ensure(!answer.complete && answer.reset.is_none(), "fields behind the end")?;
        answer.complete = ends;
        if answer.status >= 200 {
            ensure(ends && lines.iter().all(|(name, _)| !name.starts_with(':')), "trailers end a stream")?;
            answer.trailers = lines;
            return self.check_length(stream);
        }
        ensure(lines.first().is_some_and(|(name, _)| name == ":status"), "the status comes first")?;
        let status: u16 = lines.remove(0).1.parse().map_err(|_| "a status is a number")?;
        ensure(lines.iter().all(|(name, _)| !name.starts_with(':')), "there is no other pseudo-field")?;
        ensure(
            (200..600).contains(&status) || (100..200).contains(&status) && status != 101 && !ends,
            "a status",
        )?;
        if status < 200 {
            answer.interims.push((status, lines));
            return Ok(());
        }
        (answer.status, answer.fields) = (status, lines);
        self.check_length(stream)
    }

    /// How much of a body the client may send on a stream now.
    pub fn room(&self, stream: u32) -> usize {
        let initial =
            self.settings.iter().find(|(identifier, _)| *identifier == setting::INITIAL_WINDOW_SIZE);
        let of = |stream: u32, initial: u64| {
            let opened = self.opened.get(&stream).copied().unwrap_or(0);
            initial + opened - self.uploaded.get(&stream).copied().unwrap_or(0)
        };
        of(0, 65_535).min(of(stream, initial.map_or(65_535, |(_, window)| u64::from(*window)))) as usize
    }
}

fn lines(list: &List) -> Lines {
    let text = |span: gannet_proto::Span| String::from_utf8_lossy(span.of(&list.text)).into_owned();
    list.fields.iter().map(|line| (text(line.name), text(line.value))).collect()
}

fn ensure(holds: bool, wrong: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(wrong.into()) }
}

pub fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Takes a whole frame out, if there is one.
fn next(bytes: &mut Vec<u8>) -> Option<(u8, u8, u32, Vec<u8>)> {
    if bytes.len() < 9 {
        return None;
    }
    let length = number(&[0, bytes[0], bytes[1], bytes[2]]) as usize;
    if bytes.len() < 9 + length {
        return None;
    }
    let (kind, flags, stream) = (bytes[3], bytes[4], number(&bytes[5..9]) & 0x7fff_ffff);
    let payload = bytes[9..9 + length].to_vec();
    bytes.drain(..9 + length);
    Some((kind, flags, stream, payload))
}
