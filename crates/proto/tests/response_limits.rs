//! Every row of the table of limits that a response can meet: what lies within passes, one more does not.

mod common;

use common::asker::{Told, answered, answered_in_pieces, plain};
use gannet_proto::limits::{Row, TABLE};
use gannet_proto::{Limits, Method};

/// The limits under test, a response that reaches one of them exactly, and one that goes one beyond.
struct Case {
    limits: Limits,
    within: String,
    beyond: String,
}

/// The case of the row of this name. A row without a case fails here.
fn case(name: &str) -> Case {
    let limits = Limits::default();
    let response = |size: &dyn Fn(usize) -> String, most: usize| (size(most), size(most + 1));
    let (limits, (within, beyond)) = match name {
        "head_bytes" => (Limits { head_bytes: 200, ..limits }, response(&head_of, 200)),
        "fields" => (Limits { fields: 5, ..limits }, response(&fields_of, 5)),
        "chunk_extension_bytes" => {
            (Limits { chunk_extension_bytes: 9, ..limits }, response(&extensions_of, 9))
        }
        "trailer_bytes" => (Limits { trailer_bytes: 30, ..limits }, response(&trailers_of, 30)),
        "interim_responses" => (Limits { interim_responses: 3, ..limits }, response(&interim_of, 3)),
        _ => panic!("the limit {name} has no test"),
    };
    Case { limits, within, beyond }
}

fn head_of(bytes: usize) -> String {
    let around = "HTTP/1.1 204 \r\nX: \r\n\r\n".len();
    format!("HTTP/1.1 204 \r\nX: {}\r\n\r\n", "x".repeat(bytes - around))
}

fn fields_of(count: usize) -> String {
    format!("HTTP/1.1 204 \r\n{}\r\n", "X: y\r\n".repeat(count))
}

const CHUNKED: &str = "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n";

fn extensions_of(bytes: usize) -> String {
    format!("{CHUNKED}1;{}\r\nx\r\n0;a\r\n\r\n", "e".repeat(bytes - 3))
}

fn trailers_of(bytes: usize) -> String {
    format!("{CHUNKED}1\r\nx\r\n0\r\nX: {}\r\n\r\n", "t".repeat(bytes - "X: \r\n\r\n".len()))
}

fn interim_of(count: usize) -> String {
    format!("{}HTTP/1.1 204 \r\n\r\n", "HTTP/1.1 103 \r\nLink: </a>\r\n\r\n".repeat(count))
}

/// The rows that responses can go beyond.
fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(|row| row.response.is_some())
}

fn told(limits: Limits, response: &str) -> Vec<Told> {
    answered(limits, plain(Method::Get), response.as_bytes()).told
}

#[test]
fn a_response_that_reaches_a_limit_is_accepted() {
    for row in rows() {
        let case = case(row.name);
        let told = told(case.limits, &case.within);
        assert!(matches!(told.last(), Some(Told::End { .. })), "{}: {told:?}", row.name);
    }
}

#[test]
fn what_a_response_has_beyond_a_limit_is_the_error_of_its_row() {
    for row in rows() {
        let case = case(row.name);
        let wrong = row.response.map(Told::Wrong);
        assert_eq!(told(case.limits, &case.beyond).last(), wrong.as_ref(), "{}", row.name);
    }
}

#[test]
fn a_limit_of_responses_is_met_at_the_same_byte_however_they_are_cut() {
    for row in rows() {
        let case = case(row.name);
        for response in [&case.within, &case.beyond] {
            let told = told(case.limits, response);
            for cut in 0..response.len() {
                let (before, after) = response.as_bytes().split_at(cut);
                let cut_told = answered_in_pieces(case.limits, plain(Method::Get), [before, after]).told;
                assert_eq!(cut_told, told, "{} cut at {cut}", row.name);
            }
        }
    }
}

#[test]
fn each_request_has_its_interim_responses_to_itself() {
    let limits = Limits { interim_responses: 3, ..Limits::default() };
    let mut asker = answered(limits, plain(Method::Get), interim_of(3).as_bytes());
    asker.client.next();
    asker.client.request(plain(Method::Get), &mut Vec::new());
    let mut again = common::asker::Asker::listening(asker.client);
    again.receive(interim_of(3).as_bytes());
    assert!(matches!(again.told.last(), Some(Told::End { .. })), "{:?}", again.told);
}
