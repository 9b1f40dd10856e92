//! The client's side of one connection without its socket: requests in, frames out, and the other way round.
//!
//! It looks at what it must and no more: of a response that its status is 200, how many bytes its DATA frames bring, and
//! that its stream ends. Its other fields are not decoded. It never allows more than the protocol's own limits do by
//! default, but for windows as wide as a browser's, which no response here fills.

use std::collections::VecDeque;

use super::{
    super::LoadError,
    frame::{self, Frame, HEADER_BYTES, PAYLOAD_LIMIT_BYTES, PREFACE, flag, kind, setting},
    request::Blocks,
};

/// What a server may send of one response, and of all, before it must wait: as Chromium allows it.
const STREAM_WINDOW_BYTES: u32 = 6 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 15 * 1024 * 1024;
/// The window that a connection begins with (RFC 9113, 6.9.2).
const INITIAL_WINDOW_BYTES: u32 = 65_535;
/// The dynamic table that a peer has unless it says otherwise (RFC 9113, 6.5.2).
const DEFAULT_TABLE_BYTES: u32 = 4096;
/// The statuses that are in the static table, from its eighth entry on (RFC 7541, appendix A).
const STATUSES: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
const FIRST_STATUS: u8 = 0x80 | 8;

/// A connection's streams; each carries a tag from its request to its response's end.
pub struct Streams<T> {
    blocks: Blocks,
    /// The length of every body, if it is known.
    body_bytes: Option<u64>,
    outgoing: Vec<u8>,
    /// Those that have begun, from `oldest` on; none is left of one that has ended.
    under_way: VecDeque<Option<Stream<T>>>,
    oldest: u32,
    open: usize,
    /// How many the server allows.
    open_limit: usize,
    /// Requests beyond that.
    waiting: VecDeque<T>,
    /// The DATA frame under way.
    data: Option<Frame>,
    /// The beginning of a frame whose end has not come.
    cut: Vec<u8>,
    /// What has come since the connection's window was last opened.
    taken_bytes: u32,
    is_greeted: bool,
}

/// A request that has been sent.
struct Stream<T> {
    tag: T,
    is_headed: bool,
    received_bytes: u64,
}

impl<T: Copy> Streams<T> {
    /// Says what a client says first.
    pub fn new(blocks: Blocks, body_bytes: Option<u64>) -> Streams<T> {
        let mut outgoing = PREFACE.to_vec();
        let told = [(setting::ENABLE_PUSH, 0), (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES)];
        let told: Vec<u8> = told
            .iter()
            .flat_map(|(name, value)| name.to_be_bytes().into_iter().chain(value.to_be_bytes()))
            .collect();
        frame::put(&mut outgoing, kind::SETTINGS, 0, 0, &told);
        let more = CONNECTION_WINDOW_BYTES - INITIAL_WINDOW_BYTES;
        frame::put(&mut outgoing, kind::WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
        Streams {
            blocks,
            body_bytes,
            outgoing,
            under_way: VecDeque::new(),
            oldest: 1,
            open: 0,
            open_limit: usize::MAX,
            waiting: VecDeque::new(),
            data: None,
            cut: Vec::new(),
            taken_bytes: 0,
            is_greeted: false,
        }
    }

    /// Whether the server has told its settings.
    pub fn is_greeted(&self) -> bool {
        self.is_greeted
    }

    /// What is to be sent now; [`Streams::sent`] tells that it has been.
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// All that was outgoing has been sent.
    pub fn sent(&mut self) {
        self.outgoing.clear();
    }

    /// Begins a request; beyond what the server allows it waits until another has ended.
    pub fn ask(&mut self, tag: T) {
        if self.open == self.open_limit {
            self.waiting.push_back(tag);
            return;
        }
        let id = self.oldest + 2 * self.under_way.len() as u32;
        let block = if id == 1 { &self.blocks.first } else { &self.blocks.next };
        frame::put(&mut self.outgoing, kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, id, block);
        self.under_way.push_back(Some(Stream { tag, is_headed: false, received_bytes: 0 }));
        self.open += 1;
    }

    /// Takes what has come, and adds the tags of the requests whose responses end with it.
    pub fn take(&mut self, bytes: &[u8], ended: &mut Vec<T>) -> Result<(), LoadError> {
        if self.cut.is_empty() {
            return self.walk(bytes, ended);
        }
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(bytes);
        self.walk(&joined, ended)
    }

    fn walk(&mut self, mut bytes: &[u8], ended: &mut Vec<T>) -> Result<(), LoadError> {
        loop {
            if let Some(frame) = self.data {
                bytes = self.content(frame, bytes, ended)?;
                if self.data.is_some() {
                    return Ok(());
                }
            }
            let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { break };
            let frame = Frame::read(*header);
            if frame.length > PAYLOAD_LIMIT_BYTES {
                return Err(LoadError::Frame("longer than it was allowed to be"));
            }
            if frame.kind == kind::DATA {
                if frame.has(flag::PADDED) {
                    return Err(LoadError::Frame("padded"));
                }
                self.data = Some(frame);
                bytes = rest;
                continue;
            }
            let Some((payload, rest)) = rest.split_at_checked(frame.length) else { break };
            self.frame(frame, payload, ended)?;
            bytes = rest;
        }
        self.cut.extend_from_slice(bytes);
        Ok(())
    }

    /// Counts what is there of a DATA frame, and returns what lies behind it.
    fn content<'a>(
        &mut self,
        mut frame: Frame,
        bytes: &'a [u8],
        ended: &mut Vec<T>,
    ) -> Result<&'a [u8], LoadError> {
        let (content, rest) = bytes.split_at(frame.length.min(bytes.len()));
        frame.length -= content.len();
        self.data = (frame.length > 0).then_some(frame);
        let limit = self.body_bytes.unwrap_or(u64::MAX);
        let stream = self.stream(frame.stream)?;
        stream.received_bytes += content.len() as u64;
        if !stream.is_headed || stream.received_bytes > limit {
            return Err(LoadError::Frame("of content that nobody waits for"));
        }
        self.taken_bytes += content.len() as u32;
        if self.taken_bytes >= CONNECTION_WINDOW_BYTES / 2 {
            frame::put(&mut self.outgoing, kind::WINDOW_UPDATE, 0, 0, &self.taken_bytes.to_be_bytes());
            self.taken_bytes = 0;
        }
        if self.data.is_none() && frame.has(flag::END_STREAM) {
            self.end(frame.stream, ended)?;
        }
        Ok(rest)
    }

    fn frame(&mut self, frame: Frame, payload: &[u8], ended: &mut Vec<T>) -> Result<(), LoadError> {
        let code = || payload.last_chunk().map_or(0, |code| u32::from_be_bytes(*code));
        match frame.kind {
            kind::HEADERS => self.head(frame, payload, ended)?,
            kind::SETTINGS if !frame.has(flag::ACK) => self.settings(payload)?,
            kind::PING if !frame.has(flag::ACK) => {
                frame::put(&mut self.outgoing, kind::PING, flag::ACK, 0, payload);
            }
            kind::RST_STREAM => return Err(LoadError::Reset { code: code() }),
            kind::GOAWAY => {
                let code = payload.get(4..).and_then(|rest| rest.first_chunk()).copied();
                return Err(LoadError::GoAway { code: code.map_or(0, u32::from_be_bytes) });
            }
            kind::PUSH_PROMISE => return Err(LoadError::Unasked),
            kind::CONTINUATION => return Err(LoadError::Frame("of a head that is in pieces")),
            // No request here has a body that a window could hold up.
            _ => {}
        }
        Ok(())
    }

    fn settings(&mut self, payload: &[u8]) -> Result<(), LoadError> {
        for (name, value) in frame::settings(payload) {
            match name {
                setting::HEADER_TABLE_SIZE if value < DEFAULT_TABLE_BYTES => {
                    return Err(LoadError::Frame(
                        "that wants a smaller header table than requests here fill",
                    ));
                }
                setting::MAX_CONCURRENT_STREAMS => self.open_limit = value as usize,
                _ => {}
            }
        }
        self.is_greeted = true;
        frame::put(&mut self.outgoing, kind::SETTINGS, flag::ACK, 0, &[]);
        Ok(())
    }

    fn head(&mut self, frame: Frame, payload: &[u8], ended: &mut Vec<T>) -> Result<(), LoadError> {
        if !frame.has(flag::END_HEADERS) || frame.has(flag::PADDED) {
            return Err(LoadError::Frame("of a head that is in pieces or padded"));
        }
        let start = if frame.has(flag::PRIORITY) { 5 } else { 0 };
        check(payload.get(start..).unwrap_or_default())?;
        let stream = self.stream(frame.stream)?;
        if std::mem::replace(&mut stream.is_headed, true) {
            return Err(LoadError::Frame("with a second head"));
        }
        if frame.has(flag::END_STREAM) { self.end(frame.stream, ended) } else { Ok(()) }
    }

    /// The stream, if it is one that was begun and has not ended.
    fn stream(&mut self, id: u32) -> Result<&mut Stream<T>, LoadError> {
        let index = self.index(id).ok_or(LoadError::Unasked)?;
        self.under_way[index].as_mut().ok_or(LoadError::Unasked)
    }

    fn index(&self, id: u32) -> Option<usize> {
        let index = (id.checked_sub(self.oldest)? / 2) as usize;
        (id % 2 == 1 && index < self.under_way.len()).then_some(index)
    }

    fn end(&mut self, id: u32, ended: &mut Vec<T>) -> Result<(), LoadError> {
        let index = self.index(id).ok_or(LoadError::Unasked)?;
        let stream = self.under_way[index].take().ok_or(LoadError::Unasked)?;
        if let Some(expected) = self.body_bytes.filter(|expected| *expected != stream.received_bytes) {
            return Err(LoadError::Length { expected, length: Some(stream.received_bytes) });
        }
        while self.under_way.pop_front_if(|stream| stream.is_none()).is_some() {
            self.oldest += 2;
        }
        self.open -= 1;
        ended.push(stream.tag);
        if let Some(tag) = self.waiting.pop_front() {
            self.ask(tag);
        }
        Ok(())
    }
}

/// A response's block begins with its status (RFC 9113, 8.3), but for new sizes of the dynamic table (RFC 7541, 6.3).
fn check(mut block: &[u8]) -> Result<(), LoadError> {
    while let [0x20..=0x3f, rest @ ..] = block {
        // A size of 31 and more goes on in bytes of which the last has no first bit (RFC 7541, 5.1).
        let more = rest.iter().position(|byte| byte & 0x80 == 0).map_or(rest.len(), |last| last + 1);
        block = if block[0] == 0x3f { &rest[more..] } else { rest };
    }
    let first = block.first().copied();
    if first == Some(FIRST_STATUS) {
        return Ok(());
    }
    let index = first.and_then(|first| first.checked_sub(FIRST_STATUS)).map(usize::from);
    let line = match index.and_then(|index| STATUSES.get(index)) {
        Some(status) => status.to_string(),
        None => format!("a head that begins with {first:x?}"),
    };
    Err(LoadError::Status { expected: STATUSES[0], line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(body_bytes: u64) -> Streams<u64> {
        let blocks = Blocks::new("localhost:1", "/", false).unwrap();
        Streams::new(blocks, Some(body_bytes))
    }

    fn put(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::put(&mut bytes, kind, flags, stream, payload);
        bytes
    }

    fn head(stream: u32, flags: u8) -> Vec<u8> {
        put(kind::HEADERS, flag::END_HEADERS | flags, stream, &[0x88, 0xbe])
    }

    fn response(stream: u32) -> Vec<u8> {
        [head(stream, 0), put(kind::DATA, flag::END_STREAM, stream, b"hello")].concat()
    }

    /// What is outgoing, as frames with their payloads.
    fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u32, Vec<u8>)> {
        let mut frames = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
            let Frame { length, kind, flags, stream } = Frame::read(*header);
            frames.push((kind, flags, stream, rest[..length].to_vec()));
            bytes = &rest[length..];
        }
        frames
    }

    #[test]
    fn a_client_begins_with_its_preface_and_answers_settings_and_pings() {
        let mut streams = streams(5);
        let rest = streams.outgoing().strip_prefix(PREFACE).unwrap();
        let kinds: Vec<u8> = frames(rest).iter().map(|frame| frame.0).collect();
        assert_eq!(kinds, [kind::SETTINGS, kind::WINDOW_UPDATE]);
        streams.sent();
        let greeting = [
            put(kind::SETTINGS, 0, 0, b"\0\x03\0\0\0\x64"),
            put(kind::WINDOW_UPDATE, 0, 0, b"\0\0\x01\0"),
            put(kind::PING, 0, 0, b"12345678"),
            put(kind::SETTINGS, flag::ACK, 0, b""),
        ];
        assert!(!streams.is_greeted());
        streams.take(&greeting.concat(), &mut Vec::new()).unwrap();
        assert!(streams.is_greeted());
        let expected =
            [(kind::SETTINGS, flag::ACK, 0, Vec::new()), (kind::PING, flag::ACK, 0, b"12345678".to_vec())];
        assert_eq!(frames(streams.outgoing()), expected);
    }

    #[test]
    fn responses_in_any_order_and_cut_at_every_byte_end_once() {
        let bytes = [response(5), response(1), response(3)].concat();
        for cut in 0..=bytes.len() {
            let (mut streams, mut ended) = (streams(5), Vec::new());
            [10, 11, 12].into_iter().for_each(|tag| streams.ask(tag));
            streams.take(&bytes[..cut], &mut ended).unwrap();
            streams.take(&bytes[cut..], &mut ended).unwrap();
            assert_eq!(ended, [12, 10, 11], "cut at {cut}");
            assert_eq!((streams.open, streams.under_way.len(), streams.oldest), (0, 0, 7));
        }
    }

    #[test]
    fn a_response_byte_by_byte_ends_once() {
        let (mut streams, mut ended) = (streams(5), Vec::new());
        streams.ask(1);
        response(1).iter().for_each(|byte| streams.take(&[*byte], &mut ended).unwrap());
        assert_eq!(ended, [1]);
    }

    #[test]
    fn requests_beyond_what_the_server_allows_wait() {
        let (mut streams, mut ended) = (streams(5), Vec::new());
        streams.take(&put(kind::SETTINGS, 0, 0, b"\0\x03\0\0\0\x02"), &mut ended).unwrap();
        streams.sent();
        [10, 11, 12].into_iter().for_each(|tag| streams.ask(tag));
        let asked = |streams: &Streams<u64>| -> Vec<u32> {
            frames(streams.outgoing()).iter().map(|frame| frame.2).collect()
        };
        assert_eq!(asked(&streams), [1, 3]);
        streams.sent();
        streams.take(&response(3), &mut ended).unwrap();
        assert_eq!((asked(&streams), &ended[..]), (vec![5], &[11][..]));
        streams.take(&[response(5), response(1)].concat(), &mut ended).unwrap();
        assert_eq!(ended, [11, 12, 10]);
    }

    #[test]
    fn the_first_request_alone_fills_the_table() {
        let mut streams = streams(5);
        streams.sent();
        [1, 2].into_iter().for_each(|tag| streams.ask(tag));
        let blocks: Vec<Vec<u8>> = frames(streams.outgoing()).into_iter().map(|frame| frame.3).collect();
        assert_eq!(blocks, [streams.blocks.first.clone(), streams.blocks.next.clone()]);
    }

    #[test]
    fn the_window_of_the_connection_is_opened_when_half_of_it_is_used() {
        let (mut streams, mut ended) = (streams(1 << 40), Vec::new());
        streams.ask(1);
        streams.take(&head(1, 0), &mut ended).unwrap();
        streams.sent();
        let frame = put(kind::DATA, 0, 1, &[0; PAYLOAD_LIMIT_BYTES]);
        let half = CONNECTION_WINDOW_BYTES as usize / 2 / PAYLOAD_LIMIT_BYTES;
        (0..half - 1).for_each(|_| streams.take(&frame, &mut ended).unwrap());
        assert!(streams.outgoing().is_empty());
        streams.take(&frame, &mut ended).unwrap();
        let update = ((half * PAYLOAD_LIMIT_BYTES) as u32).to_be_bytes().to_vec();
        assert_eq!(frames(streams.outgoing()), [(kind::WINDOW_UPDATE, 0, 0, update)]);
    }

    #[test]
    fn whatever_is_no_complete_200_is_an_error() {
        let go_away = put(kind::GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\x0bmore");
        for (bytes, expected) in [
            (put(kind::HEADERS, flag::END_HEADERS, 1, &[0x8d]), "\"404\" and not 200"),
            (put(kind::HEADERS, flag::END_HEADERS, 1, &[0x48, 3]), "begins with Some(48)"),
            (head(1, flag::END_STREAM), "a body of 0 bytes, not 5"),
            (
                [head(1, 0), put(kind::DATA, flag::END_STREAM, 1, b"hell")].concat(),
                "a body of 4 bytes, not 5",
            ),
            ([head(1, 0), put(kind::DATA, 0, 1, b"hello!")].concat(), "nobody waits for"),
            (put(kind::DATA, flag::END_STREAM, 1, b"hello"), "nobody waits for"),
            ([response(1), response(1)].concat(), "nobody asked for"),
            (response(3), "nobody asked for"),
            (put(kind::RST_STREAM, 0, 1, b"\0\0\0\x07"), "error 7"),
            (go_away, "error 11"),
            (put(kind::SETTINGS, 0, 0, b"\0\x01\0\0\0\0"), "smaller header table"),
            (put(kind::DATA, 0, 1, &[0; PAYLOAD_LIMIT_BYTES + 1]), "longer than"),
        ] {
            let mut streams = streams(5);
            streams.ask(1);
            let error = streams.take(&bytes, &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_status_behind_new_table_sizes_is_seen() {
        for block in
            [&[0x88][..], &[0x20, 0x88], &[0x3f, 0xe1, 0x1f, 0x88], &[0x20, 0x3f, 0x80, 0x01, 0x88, 0xbe]]
        {
            check(block).unwrap();
        }
        for block in [&[][..], &[0x3f, 0xe1], &[0x20], &[0xbe, 0x88]] {
            assert!(check(block).is_err());
        }
    }
}
