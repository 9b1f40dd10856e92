//! What a client is going to say, and what it has to be told.

use std::time::Duration;

use gannet_core::Bytes;
use gannet_engine::sim::Random;

use crate::content::content;
use crate::reader::Asked;

/// A client's requests, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    pub requests: Vec<Planned>,
    pub manners: Manners,
}

/// One request, and its answer.
#[derive(Clone, Debug)]
pub struct Planned {
    pub id: u64,
    pub head: Vec<u8>,
    /// The body as it is sent: framed.
    pub body: Vec<u8>,
    /// The body is sent when it is asked for.
    pub waits: bool,
    pub asked: Asked,
    pub expected: Expected,
}

/// What the answer has to be.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    pub status: u16,
    /// The body; nothing: whatever.
    pub body: Option<Bytes>,
    /// The request's number is in the answer.
    pub named: bool,
    /// The request's trailer comes back, as a field or as a trailer.
    pub check: bool,
    pub closes: Closes,
    /// The handler fails after it began to answer.
    pub fails: bool,
    /// What is said again after an upgrade.
    pub conversation: Option<Bytes>,
}

/// Whether the server ends the connection after the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Closes {
    #[default]
    Never,
    Perhaps,
    Always,
}

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Manners {
    /// When it connects.
    pub arrives: Duration,
    /// Requests it sends ahead of their answers, and one.
    pub depth: usize,
    /// Bytes it writes at a time, at most.
    pub write: usize,
    /// Bytes it reads at a time, at most.
    pub read: usize,
    /// How often it pauses after doing something, and for how long at most.
    pub pause: f64,
    pub pause_at_most: Duration,
    pub ending: Ending,
}

/// How a client leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// With its last answer.
    Leaves,
    /// It ends its half with its last answer, and waits for the server's end.
    Ends,
    /// It waits until the server has had enough.
    Stays,
    /// After so many bytes of its requests it misbehaves.
    Breaks { after: usize, how: Break },
}

/// What a client does that has had enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// Closes.
    Vanishes,
    /// Resets the connection.
    Resets,
    /// Ends its half, and reads on.
    Ends,
    /// Says nothing more, and reads on.
    FallsSilent,
    /// Says nothing more, and reads nothing more.
    FallsAsleep,
    /// Goes on writing, and reads nothing more.
    StopsReading,
}

/// Bytes of bodies that the server discards to keep a connection: beyond, it may close.
pub const DISCARDED: usize = 1000;

/// Into so many pieces, more or less, a client cuts what it says, and what it hears.
const PIECES: usize = 100;

/// What makes requests that no server may accept, with the status that says so.
const MALFORMED: [(&str, u16); 16] = [
    ("GET /plain HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET /plain HTTP/1.1\r\n\r\n", 400),
    ("GET  /plain HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /plain HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("GET /plain HTTP/1.1\nHost: a\n\n", 400),
    ("GET /plain HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("GET /plain HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
    ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    (
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
    ("POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefg\r\n0\r\n\r\n", 400),
    ("POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    ("POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("POST /collect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n", 400),
    ("POST /collect HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\nContent-Length: 3\r\n\r\nabc", 417),
    ("\r\n\r\n\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n", 400),
];

impl Plan {
    /// A client that does everything right; every one of its requests has to be answered. No body has more than `most` bytes.
    pub fn proper(client: u64, most: usize, random: &mut Random) -> Plan {
        let count = random.magnitude(1..=12);
        let mut requests: Vec<Planned> = Vec::new();
        for number in 0..count {
            let request = Planned::draw(client * 1000 + number as u64 + 1, most, random);
            let last = request.expected.closes == Closes::Always;
            requests.push(request);
            if last {
                break;
            }
        }
        let pauses = [0.0, 0.0, 0.05, 0.5];
        let says: usize = requests.iter().map(Planned::bytes).sum();
        let hears: usize = requests.iter().map(|request| request.expected.bytes()).sum();
        let manners = Manners {
            arrives: Duration::from_millis(random.range(0..=20) as u64),
            depth: random.magnitude(1..=16),
            // However little at a time: it comes to an end.
            write: random.magnitude(says / PIECES + 1..=64 * 1024),
            read: random.magnitude(hears / PIECES + 1..=64 * 1024),
            pause: *random.pick(&pauses),
            pause_at_most: Duration::from_millis(random.magnitude(1..=20) as u64),
            ending: *random.pick(&[
                Ending::Leaves,
                Ending::Leaves,
                Ending::Ends,
                Ending::Ends,
                Ending::Stays,
            ]),
        };
        Plan { requests, manners }
    }

    /// The same, asking for a WebSocket where it asks for another protocol: to an upstream of HTTP/2 nothing else is passed on.
    pub fn by_websocket(mut self) -> Plan {
        let upgrades = self.requests.iter_mut().filter(|request| request.expected.conversation.is_some());
        for request in upgrades {
            let head = String::from_utf8_lossy(&request.head);
            let asks = "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            request.head = head.replace("Upgrade: echo\r\n", asks).into();
        }
        self
    }

    /// A client that begins well and then does not behave.
    pub fn improper(client: u64, most: usize, random: &mut Random) -> Plan {
        let mut plan = Plan::proper(client, most, random);
        let whole: usize = plan.requests.iter().map(Planned::bytes).sum();
        let how = *random.pick(&[
            Break::Vanishes,
            Break::Resets,
            Break::Ends,
            Break::FallsSilent,
            Break::FallsAsleep,
            Break::StopsReading,
        ]);
        plan.manners.ending = Ending::Breaks { after: random.range(0..=whole), how };
        plan.manners.pause_at_most *= *random.pick(&[1, 10, 300]);
        plan
    }
}

impl Planned {
    /// How many bytes there are to send.
    fn bytes(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// Any request.
    fn draw(id: u64, most: usize, random: &mut Random) -> Planned {
        match random.range(0..=20) {
            0..=3 => Planned::get(id, "plain", size(most, random), "", random),
            4..=6 => {
                let (ms, yields) = (random.magnitude(0..=300), random.magnitude(0..=20));
                Planned::get(id, "later", size(most, random), &format!("&ms={ms}&yields={yields}"), random)
            }
            7 => Planned::get(id, "large", random.range(0..=most), "", random),
            8 => Planned::get(id, "file", size(most, random), "", random),
            9 | 10 => Planned::produced(id, most, random),
            11..=15 => Planned::post(id, most, random),
            16 => Planned::get(id, "broken", random.range(1..=5000), "", random).failing(),
            17 => {
                let path = *random.pick(&["panic", "panic-later"]);
                let mut request = Planned::get(id, path, 0, &format!("&ms={}", random.range(0..=9)), random);
                request.expected = Expected { status: 500, ..request.expected.unnamed() };
                request
            }
            18 => Planned::unanswerable(id, random),
            19 => Planned::upgrade(id, most, random),
            _ => Planned::malformed(id, random),
        }
    }

    fn get(id: u64, path: &str, length: usize, more: &str, random: &mut Random) -> Planned {
        let head = random.chance(0.1);
        let method = if head { "HEAD" } else { "GET" };
        let target = format!("/{path}?id={id}&length={length}{more}");
        let body = if head { Bytes::new() } else { content(id, length) };
        let expected = Expected { status: 200, body: Some(body), named: true, ..Expected::default() };
        Planned::new(id, method, &target, "", head, expected, random)
    }

    /// Puts version and persistence around a request without a body.
    fn new(
        id: u64,
        method: &str,
        target: &str,
        fields: &str,
        head: bool,
        expected: Expected,
        random: &mut Random,
    ) -> Planned {
        let (version, connection, closes) = match random.range(0..=30) {
            0 => ("1.0", "", Closes::Always),
            1 => ("1.0", "Connection: keep-alive\r\n", Closes::Never),
            2 => ("1.1", "Connection: close\r\n", Closes::Always),
            _ => ("1.1", "", Closes::Never),
        };
        let text = format!("{method} {target} HTTP/{version}\r\nHost: a.example\r\n{connection}{fields}\r\n");
        let asked = Asked { head, http10: version == "1.0" };
        let closes = if expected.closes == Closes::Never { closes } else { expected.closes };
        let expected = Expected { closes, ..expected };
        Planned { id, head: text.into(), body: Vec::new(), waits: false, asked, expected }
    }

    fn produced(id: u64, most: usize, random: &mut Random) -> Planned {
        let length = size(most, random);
        let piece = random.magnitude(length / 50 + 1..=70_000);
        let ms = if random.chance(0.3) { random.range(1..=5) } else { 0 };
        let (told, trailers) = (random.range(0..=1), random.range(0..=1));
        let more = format!("&piece={piece}&ms={ms}&told={told}&trailers={trailers}");
        let mut request = Planned::get(id, "produced", length, &more, random);
        request.expected.check = told == 0 && trailers == 1 && !request.asked.head && !request.asked.http10;
        if request.asked.http10 && told == 0 && !request.asked.head {
            request.expected.closes = Closes::Always; // only the connection's end says where the body ends
        }
        request
    }

    fn post(id: u64, most: usize, random: &mut Random) -> Planned {
        let path = *random.pick(&["collect", "collect", "echo", "echo", "slowly", "ignore", "ignore-later"]);
        let length = size(most, random);
        let body = content(id, length);
        let chunked = random.chance(0.5);
        let waits = random.chance(0.15);
        let (framed, check) = if chunked { chunked_body(id, &body, random) } else { (body.to_vec(), false) };
        let ignored = path.starts_with("ignore");
        let mut expected = Expected { status: 200, named: true, ..Expected::default() };
        expected.check = check && matches!(path, "collect" | "echo");
        if ignored && (waits || framed.len() > DISCARDED) {
            expected.closes = Closes::Perhaps;
        }
        let said = random.range(0..=200);
        expected.body = Some(if ignored { content(id, said) } else { body });
        let target = format!("/{path}?id={id}&length={said}&ms={}", random.range(0..=20));
        let framing = match chunked {
            true => "Transfer-Encoding: chunked\r\n".to_owned(),
            false => format!("Content-Length: {length}\r\n"),
        };
        let expect = if waits { "Expect: 100-continue\r\n" } else { "" };
        let close = random.chance(0.05);
        let connection = if close { "Connection: close\r\n" } else { "" };
        if close {
            expected.closes = Closes::Always;
        }
        let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\n{connection}{framing}{expect}\r\n");
        Planned { id, head: head.into(), body: framed, waits, asked: Asked::default(), expected }
    }

    /// The handler fails: what was said before comes at most, and the connection ends.
    fn failing(mut self) -> Planned {
        // A response to HTTP/1.0 that fails cannot be told from one that does not.
        if self.asked.http10 {
            let head = String::from_utf8_lossy(&self.head).replace("HTTP/1.0", "HTTP/1.1");
            (self.asked.http10, self.head, self.expected.closes) = (false, head.into_bytes(), Closes::Never);
        }
        // For HEAD the body that fails is not pulled.
        if !self.asked.head {
            (self.expected.fails, self.expected.closes) = (true, Closes::Always);
        }
        self
    }

    /// What the site does not have.
    fn unanswerable(id: u64, random: &mut Random) -> Planned {
        let cases = [("GET", "/nothing", 404), ("DELETE", "/plain", 405), ("OPTIONS", "/plain", 204)];
        let (method, path, status) = *random.pick(&cases);
        let expected = Expected { status, ..Expected::default() };
        Planned::new(id, method, path, "", false, expected, random)
    }

    fn upgrade(id: u64, most: usize, random: &mut Random) -> Planned {
        let said = content(id, size(most, random));
        let head = format!(
            "GET /upgrade?id={id} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        );
        let expected = Expected {
            status: 101,
            body: Some(Bytes::new()),
            named: true,
            closes: Closes::Always,
            conversation: Some(said.clone()),
            ..Expected::default()
        };
        Planned {
            id,
            head: head.into(),
            body: said.to_vec(),
            waits: false,
            asked: Asked::default(),
            expected,
        }
    }

    fn malformed(id: u64, random: &mut Random) -> Planned {
        let (text, status) = *random.pick(&MALFORMED);
        let expected = Expected { status, closes: Closes::Always, ..Expected::default() };
        Planned { id, head: text.into(), body: Vec::new(), waits: false, asked: Asked::default(), expected }
    }
}

impl Expected {
    /// How many bytes there are to read, without heads.
    fn bytes(&self) -> usize {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        length(&self.body) + length(&self.conversation)
    }

    fn unnamed(self) -> Expected {
        Expected { named: false, body: None, ..self }
    }
}

/// The size of a body: small ones as common as large ones, now and then none at all.
fn size(most: usize, random: &mut Random) -> usize {
    match random.range(0..=9) {
        0 => 0,
        1 => random.magnitude(1..=most),
        _ => random.magnitude(1..=most.min(9000)),
    }
}

/// A body in chunks, with extensions and trailers; and whether there is a trailer.
fn chunked_body(id: u64, body: &[u8], random: &mut Random) -> (Vec<u8>, bool) {
    let most = random.magnitude(body.len() / 100 + 1..=body.len().max(1) + 1);
    let mut framed = Vec::with_capacity(body.len() + 100);
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.range(1..=most).min(rest.len()));
        let extension = *random.pick(&["", "", "", ";a", ";a=b", "; a=\"b c\""]);
        framed.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
        framed.extend_from_slice(piece);
        framed.extend_from_slice(b"\r\n");
        rest = after;
    }
    let check = random.chance(0.3);
    let trailers = if check { format!("X-Check: {id}\r\n") } else { String::new() };
    framed.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    (framed, check)
}
