//! The table: what is asked, and what is answered wherever and however it is asked.

use gannet::BackendChoice;

use crate::cases::{self, Case, Talk};
use crate::common::on_each_backend;
use crate::places::{Places, SPEAKS};
use crate::wire::{Answer, Client};

on_each_backend! {
    every_case_is_answered_alike_in_every_place_over_clear_text_and_tls,
}

/// How much a client that reads as it sends has on its way.
const PIECE_BYTES: usize = 32 * 1024;

fn every_case_is_answered_alike_in_every_place_over_clear_text_and_tls(backend: BackendChoice) {
    let places = Places::new(backend);
    let cases = cases::all();
    let mut first: Vec<Vec<String>> = Vec::new();
    for place in &places.all {
        for speaks in SPEAKS {
            let mut client = None;
            for (number, case) in cases.iter().enumerate() {
                let here = format!("{}, {}, {speaks:?}", case.name, place.name);
                // One connection for all, until a case ends it.
                let mut connected = client.take().unwrap_or_else(|| places.client(place, speaks));
                let answers = converse(&mut connected, case);
                case.check(&answers, &here);
                let heads: Vec<String> = answers.iter().map(comparable).collect();
                match first.get(number) {
                    Some(expected) => assert_eq!(&heads, expected, "{here}"),
                    None => first.push(heads),
                }
                if case.ends {
                    assert_eq!(connected.rest(), b"", "{here}");
                } else {
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
            bytes.chunks(7).for_each(|piece| client.send(piece));
            case.expected.iter().map(|_| client.answer()).collect()
        }
        Talk::Upgrades { head, words } => {
            client.send(head);
            let mut answer = client.head();
            for word in words {
                client.send(word);
                answer.body.extend(client.take(word.len()));
            }
            vec![answer]
        }
    }
}

/// What of a response has to be the same everywhere: all but when it was made, and what is drawn by lot.
fn comparable(answer: &Answer) -> String {
    let lines = answer.head.lines().filter(|line| !line.starts_with("Date: "));
    let lines = lines.map(|line| line.split_once("boundary=").map_or(line, |(begin, _)| begin));
    lines.map(|line| format!("{line}\n")).chain([answer.trailers.clone()]).collect()
}
