//! What a client of HTTP/2 is going to ask, and what it has to be told.

use std::time::Duration;

use gannet_core::{Bytes, Method};
use gannet_engine::sim::Random;

use super::frames::code;
use crate::content::content;
use crate::plan::{Break, Ending, Manners};
use crate::simulation::LARGEST;

/// A client's requests, and how it behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    pub requests: Vec<Planned>,
    pub manners: Manners,
    /// Bytes that it is sent on a stream, and on all of them, before it says that it took them.
    pub window: u32,
    pub connection_window: u32,
    /// Of its dynamic table for what it is told.
    pub table_bytes: u32,
    /// What it says when it breaks off, where it is nonsense that it says.
    pub nonsense: Vec<u8>,
}

/// One request, and its answer.
#[derive(Clone, Debug)]
pub struct Planned {
    pub id: u64,
    pub method: Method,
    pub target: String,
    pub protocol: Option<&'static str>,
    pub fields: String,
    pub body: Bytes,
    /// Nothing follows the head.
    pub is_bodiless: bool,
    /// The length is told.
    pub told: bool,
    /// The body ends with a trailer.
    pub trailers: bool,
    /// The body is sent when it is asked for.
    pub waits: bool,
    /// The body is sent in pieces of at most so many bytes.
    pub piece: usize,
    /// It has had enough after so many bytes of the answer.
    pub enough: Option<usize>,
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
    /// The stream is reset with this code, at some point.
    pub reset: Option<u32>,
    /// Interim responses come first, so many.
    pub hints: usize,
}

impl Plan {
    /// A client that does everything right; every one of its requests has to be answered. No body has more than `most` bytes.
    pub fn proper(client: u64, most: usize, random: &mut Random) -> Plan {
        let count = random.magnitude(1..=24);
        let requests: Vec<Planned> =
            (0..count).map(|number| Planned::draw(client * 1000 + number as u64 + 1, most, random)).collect();
        let says = requests.iter().map(|request| request.body.len() + request.fields.len() + 200);
        let says: usize = says.sum();
        let hears: usize = requests.iter().map(Planned::hears).sum();
        let manners = Manners {
            arrives: Duration::from_millis(random.range(0..=20) as u64),
            depth: random.magnitude(1..=24),
            write: random.magnitude(says / 100 + 1..=64 * 1024),
            read: random.magnitude(hears / 100 + 1..=64 * 1024),
            pause: *random.pick(&[0.0, 0.0, 0.05, 0.5]),
            pause_at_most: Duration::from_millis(random.magnitude(1..=20) as u64),
            ending: *random.pick(&[
                Ending::Leaves,
                Ending::Leaves,
                Ending::Ends,
                Ending::Ends,
                Ending::Stays,
            ]),
        };
        let windows = [65_535, 65_535, 1_000_000, 2048];
        Plan {
            requests,
            manners,
            window: *random.pick(&windows),
            connection_window: *random.pick(&[65_535, 1_000_000]),
            table_bytes: *random.pick(&[4096, 0, 100, 65_536]),
            nonsense: Vec::new(),
        }
    }

    /// A client that begins well and then does not behave.
    pub fn improper(client: u64, most: usize, random: &mut Random) -> Plan {
        let mut plan = Plan::proper(client, most, random);
        let whole: usize = plan.requests.iter().map(|request| request.body.len() + 60).sum();
        for request in &mut plan.requests {
            if random.chance(0.3) {
                request.enough = Some(random.magnitude(0..=20_000));
            }
        }
        if random.chance(0.8) {
            let hows = [
                Break::Vanishes,
                Break::Resets,
                Break::Ends,
                Break::FallsSilent,
                Break::FallsAsleep,
                Break::StopsReading,
            ];
            let how = *random.pick(&hows);
            plan.manners.ending = Ending::Breaks { after: random.range(0..=whole), how };
            if how == Break::Ends && random.chance(0.7) {
                plan.nonsense = nonsense(random);
            }
        }
        plan.manners.pause_at_most *= *random.pick(&[1, 10, 300]);
        plan.window = *random.pick(&[65_535, 2048, 100, 0]);
        plan
    }
}

/// What no client may say.
fn nonsense(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![0; random.magnitude(1..=2000)];
    random.fill(&mut bytes);
    if random.chance(0.7) && bytes.len() > 9 {
        // Something like a frame.
        (bytes[0], bytes[1]) = (0, 0);
        bytes[3] = (random.range(0..=17)) as u8;
        (bytes[5], bytes[6], bytes[7]) = (0, 0, 0);
    }
    bytes
}

impl Planned {
    fn hears(&self) -> usize {
        200 + self.expected.body.as_ref().map_or(0, Bytes::len)
    }

    /// Any request.
    fn draw(id: u64, most: usize, random: &mut Random) -> Planned {
        match random.range(0..=21) {
            0..=3 => Planned::get(id, "plain", size(most, random), "", random),
            4..=6 => {
                let (ms, yields) = (random.magnitude(0..=300), random.magnitude(0..=20));
                Planned::get(id, "later", size(most, random), &format!("&ms={ms}&yields={yields}"), random)
            }
            7 => Planned::get(id, "large", random.range(0..=most), "", random),
            8 => Planned::get(id, "file", size(most, random), "", random),
            9 | 10 => Planned::produced(id, most, random),
            11..=15 => Planned::post(id, most, random),
            16 => Planned::broken(id, random),
            17 => {
                let path = *random.pick(&["panic", "panic-later"]);
                let mut request = Planned::get(id, path, 0, &format!("&ms={}", random.range(0..=9)), random);
                request.expected = Expected { status: 500, ..Expected::default() };
                request
            }
            18 => Planned::unanswerable(id, most, random),
            19 => Planned::hinted(id, random),
            20 => Planned::malformed(id, random),
            _ => Planned::tunnel(id, most, random),
        }
    }

    fn of(id: u64, method: Method, target: String, expected: Expected) -> Planned {
        Planned {
            id,
            method,
            target,
            protocol: None,
            fields: String::new(),
            body: Bytes::new(),
            is_bodiless: true,
            told: true,
            trailers: false,
            waits: false,
            piece: 1,
            enough: None,
            expected,
        }
    }

    fn get(id: u64, path: &str, length: usize, more: &str, random: &mut Random) -> Planned {
        let head = random.chance(0.1);
        let target = format!("/{path}?id={id}&length={length}{more}");
        let body = if head { Bytes::new() } else { content(id, length) };
        let expected = Expected { status: 200, body: Some(body), named: true, ..Expected::default() };
        let mut request = Planned::of(id, if head { Method::Head } else { Method::Get }, target, expected);
        request.fields = format!("X-Number: {}\r\npriority: u={}\r\n", id % 3, random.range(0..=7));
        request
    }

    fn produced(id: u64, most: usize, random: &mut Random) -> Planned {
        let length = size(most, random);
        let piece = random.magnitude(length / 50 + 1..=70_000);
        let ms = if random.chance(0.3) { random.range(1..=5) } else { 0 };
        let (told, trailers) = (random.range(0..=1), random.range(0..=1));
        let more = format!("&piece={piece}&ms={ms}&told={told}&trailers={trailers}");
        let mut request = Planned::get(id, "produced", length, &more, random);
        // What says that it has no content ends with its head.
        let ends = told == 1 && length == 0;
        request.expected.check = trailers == 1 && request.method != Method::Head && !ends;
        request
    }

    fn post(id: u64, most: usize, random: &mut Random) -> Planned {
        let path =
            *random.pick(&["collect", "collect", "echo", "echo", "slowly", "ignore", "ignore-later", "drop"]);
        let length = size(most, random);
        let body = content(id, length);
        let said = random.range(0..=200);
        let target = format!("/{path}?id={id}&length={said}&ms={}", random.range(0..=20));
        let mut expected = Expected { status: 200, named: true, ..Expected::default() };
        let trailers = random.chance(0.3);
        expected.check = trailers && matches!(path, "collect" | "echo");
        expected.body = Some(match path {
            "ignore" | "ignore-later" => content(id, said),
            "drop" => Bytes::new(),
            _ => body.clone(),
        });
        let waits = random.chance(0.15) && length > 0;
        Planned {
            body,
            is_bodiless: false,
            told: random.chance(0.5),
            trailers,
            waits,
            fields: if waits { "expect: 100-continue\r\n".into() } else { String::new() },
            piece: random.magnitude(length / 50 + 1..=length.max(1) + 1),
            ..Planned::of(id, Method::Post, target, expected)
        }
    }

    /// The handler fails after it began to answer.
    fn broken(id: u64, random: &mut Random) -> Planned {
        let mut request = Planned::get(id, "broken", random.range(1..=5000), "", random);
        if request.method != Method::Head {
            request.expected.reset = Some(code::INTERNAL_ERROR);
        }
        request
    }

    /// What the site does not have, or not so.
    fn unanswerable(id: u64, most: usize, random: &mut Random) -> Planned {
        let (long, fields) = ("x".repeat(9000), format!("x-long: {}\r\n", "y".repeat(40_000)));
        let cases = [
            (Method::Get, "/nothing", "", 404),
            (Method::Delete, "/plain", "", 405),
            (Method::Options, "/plain", "", 204),
            (Method::Get, long.as_str(), "", 414),
            (Method::Get, "/plain", fields.as_str(), 431),
        ];
        // A head that is long takes its time on a network that is slow.
        let cases = if most < LARGEST { &cases[..3] } else { &cases[..] };
        let (method, target, fields, status) = *random.pick(cases);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let expected = Expected { status, ..Expected::default() };
        Planned { fields: fields.into(), ..Planned::of(id, method, target, expected) }
    }

    /// Interim responses come before the answer.
    fn hinted(id: u64, random: &mut Random) -> Planned {
        let hints = random.range(1..=3);
        let target = format!("/hints?id={id}&hints={hints}&ms={}", random.range(0..=20));
        let expected = Expected { status: 200, named: true, hints, ..Expected::default() };
        Planned::of(id, Method::Get, target, expected)
    }

    fn malformed(id: u64, random: &mut Random) -> Planned {
        let fields = *random.pick(&["te: gzip\r\n", "a b: 1\r\n", "host: b\r\n", "content-length: 5\r\n"]);
        let expected = Expected { reset: Some(code::PROTOCOL_ERROR), ..Expected::default() };
        Planned { fields: fields.into(), ..Planned::of(id, Method::Get, format!("/plain?id={id}"), expected) }
    }

    /// A conversation in which everything is said again.
    fn tunnel(id: u64, most: usize, random: &mut Random) -> Planned {
        let body = content(id, size(most, random));
        let expected = Expected { status: 200, body: Some(body.clone()), named: true, ..Expected::default() };
        Planned {
            protocol: Some("echo"),
            piece: random.magnitude(body.len() / 50 + 1..=body.len().max(1) + 1),
            body,
            is_bodiless: false,
            told: false,
            ..Planned::of(id, Method::Connect, format!("/upgrade?id={id}"), expected)
        }
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
