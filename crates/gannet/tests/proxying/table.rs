//! The table: what is asked, and what is answered wherever and however it is asked.

use gannet::BackendChoice;

use crate::cases::{self, Case, Talk};
use crate::client::{Answer, Client, Protocol, Speaks};
use crate::common::on_each_backend;
use crate::places::Places;

on_each_backend! {
    every_case_is_answered_alike_in_every_place_over_every_protocol_in_clear_text_and_over_tls,
}

/// What the same is asked over, in each place.
const SPEAKS: [Speaks; 6] = [
    Speaks { protocol: Protocol::Http1, tls: None },
    Speaks { protocol: Protocol::Http1, tls: Some(&rustls::version::TLS12) },
    Speaks { protocol: Protocol::Http1, tls: Some(&rustls::version::TLS13) },
    Speaks { protocol: Protocol::Http2, tls: None },
    Speaks { protocol: Protocol::Http2, tls: Some(&rustls::version::TLS12) },
    Speaks { protocol: Protocol::Http2, tls: Some(&rustls::version::TLS13) },
];

/// How much a client that reads as it sends has on its way.
const PIECE_BYTES: usize = 32 * 1024;

fn every_case_is_answered_alike_in_every_place_over_every_protocol_in_clear_text_and_over_tls(
    backend: BackendChoice,
) {
    let places = Places::new(backend);
    let cases = cases::all();
    let mut first: Vec<Option<Vec<Vec<String>>>> = cases.iter().map(|_| None).collect();
    for place in &places.all {
        for speaks in SPEAKS {
            let mut client = None;
            for (case, first) in cases.iter().zip(&mut first) {
                if case.is_of_http_1_alone && speaks.protocol != Protocol::Http1 {
                    continue;
                }
                let upgrades = matches!(case.talk, Talk::Upgrades { .. });
                let is_websocket = matches!(case.talk, Talk::Upgrades { protocol: "websocket", .. });
                let is_offered = place.takes_any_offer || is_websocket || speaks.protocol == Protocol::Http2;
                if upgrades && !is_offered {
                    continue;
                }
                let here = format!("{}, {}, {speaks:?}", case.name, place.name);
                // One connection for all, until a case ends it.
                let mut connected = client.take().unwrap_or_else(|| places.client(place, speaks));
                let answers = converse(&mut connected, case);
                case.check(&answers, speaks.protocol, &here);
                let heads: Vec<Vec<String>> = answers.iter().map(comparable).collect();
                assert_eq!(&heads, first.get_or_insert_with(|| heads.clone()), "{here}");
                // What HTTP/1.1 upgrades is a connection.
                let is_used_up = speaks.protocol == Protocol::Http1 && upgrades;
                if case.ends {
                    assert_eq!(connected.rest(), b"", "{here}");
                } else if !is_used_up {
                    client = Some(connected);
                }
            }
        }
    }
}

/// Says what the case says, and gives what was answered.
fn converse(client: &mut Client, case: &Case) -> Vec<Answer> {
    match &case.talk {
        Talk::Sends(bytes) => {
            client.send(bytes);
            case.expected.iter().map(|_| client.answer()).collect()
        }
        Talk::AsksForHead(bytes) => {
            client.send(bytes);
            vec![client.head()]
        }
        Talk::WaitsToBeAsked { head, body } => {
            client.send(head);
            let interim = client.head();
            client.send(body);
            vec![interim, client.answer()]
        }
        Talk::ReadsAsItSends { head, body } => {
            client.send(head);
            let mut pieces = body.chunks(PIECE_BYTES);
            client.send(pieces.next().expect("a body"));
            let mut answer = client.head();
            answer.body.extend(client.take(PIECE_BYTES));
            for piece in pieces {
                client.send(piece);
                answer.body.extend(client.take(piece.len()));
            }
            vec![answer]
        }
        Talk::Dribbles(bytes) => {
            for piece in bytes.chunks(7) {
                client.send(piece);
            }
            case.expected.iter().map(|_| client.answer()).collect()
        }
        Talk::Upgrades { head, words, .. } => {
            client.send(head);
            let mut answer = client.head();
            assert!(matches!(answer.status, 101 | 200), "{}", answer.head);
            for word in words {
                client.send(word);
                answer.body.extend(client.take(word.len()));
            }
            client.end_conversation();
            vec![answer]
        }
    }
}

/// What of a response has to be the same everywhere: all but when it was made, what is drawn by lot, and what is the connection's.
fn comparable(answer: &Answer) -> Vec<String> {
    let fields =
        answer.head.lines().skip(1).chain(answer.trailers.lines()).filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value));
    let fields = fields.filter(|(name, _)| name != "date" && !cases::OF_THE_CONNECTION.contains(&&**name));
    let value = |value: &str| value.split_once("boundary=").map_or(value, |(begin, _)| begin).to_owned();
    let mut lines: Vec<String> = fields.map(|(name, text)| format!("{name}: {}", value(text))).collect();
    lines.sort();
    lines
}
