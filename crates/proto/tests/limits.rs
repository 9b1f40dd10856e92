//! Every row of the table of limits: what lies within passes, one more does not, and the row's status answers it.

mod common;

use common::{Said, pieces, whole};
use gannet_proto::Limits;
use gannet_proto::h1::Error;
use gannet_proto::limits::{Row, TABLE};

/// The limits under test, a message that reaches one of them exactly, and one that goes one beyond.
struct Case {
    limits: Limits,
    within: Vec<u8>,
    beyond: Vec<u8>,
}

/// The case of the row of this name. A row without a case fails here.
fn case(name: &str) -> Case {
    let limits = Limits::default();
    let message = |size: &dyn Fn(usize) -> String, most: usize| (size(most).into(), size(most + 1).into());
    let (limits, (within, beyond)) = match name {
        "head_bytes" => (Limits { head_bytes: 200, ..limits }, message(&head_of, 200)),
        "method_bytes" => (Limits { method_bytes: 7, ..limits }, message(&method_of, 7)),
        "target_bytes" => (Limits { target_bytes: 20, ..limits }, message(&target_of, 20)),
        "fields" => (Limits { fields: 5, ..limits }, message(&fields_of, 5)),
        "empty_lines" => (Limits { empty_lines: 4, ..limits }, message(&empty_lines_of, 4)),
        "chunk_extension_bytes" => {
            (Limits { chunk_extension_bytes: 9, ..limits }, message(&extensions_of, 9))
        }
        "trailer_bytes" => (Limits { trailer_bytes: 30, ..limits }, message(&trailers_of, 30)),
        _ => panic!("the limit {name} has no test"),
    };
    Case { limits, within, beyond }
}

/// The rows that requests can go beyond.
fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(|row| row.request.is_some())
}

fn wrong(said: &Said) -> Option<Error> {
    if let Said::Wrong(error) = said { Some(*error) } else { None }
}

fn head_of(bytes: usize) -> String {
    let around = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".len();
    format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(bytes - around))
}

fn method_of(bytes: usize) -> String {
    format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(bytes))
}

fn target_of(bytes: usize) -> String {
    format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "?".repeat(bytes - 2))
}

fn fields_of(count: usize) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count - 1))
}

fn empty_lines_of(count: usize) -> String {
    format!("{}GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n".repeat(count))
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Extensions over two chunks: they count together, from the semicolon on.
fn extensions_of(bytes: usize) -> String {
    format!("{CHUNKED}1;{}\r\nx\r\n0;a\r\n\r\n", "e".repeat(bytes - 3))
}

fn trailers_of(bytes: usize) -> String {
    format!("{CHUNKED}1\r\nx\r\n0\r\nX: {}\r\n\r\n", "t".repeat(bytes - "X: \r\n\r\n".len()))
}

#[test]
fn what_reaches_a_limit_is_accepted() {
    for row in rows() {
        let case = case(row.name);
        let said = whole(case.limits, &case.within);
        assert!(matches!(said.last(), Some(Said::End { .. })), "{}: {said:?}", row.name);
    }
}

#[test]
fn what_goes_beyond_a_limit_gets_the_error_of_its_row() {
    for row in rows() {
        let case = case(row.name);
        assert_eq!(whole(case.limits, &case.beyond).last().map(wrong), Some(row.request), "{}", row.name);
    }
}

#[test]
fn a_limit_is_met_at_the_same_byte_however_the_message_is_cut() {
    for row in rows() {
        let case = case(row.name);
        for message in [&case.within, &case.beyond] {
            let said = whole(case.limits, message);
            for cut in 0..message.len() {
                let (before, after) = message.split_at(cut);
                assert_eq!(pieces(case.limits, [before, after]), said, "{} cut at {cut}", row.name);
            }
        }
    }
}

#[test]
fn empty_lines_count_as_part_of_the_head_however_they_are_cut_off() {
    let limits = Limits { head_bytes: 100, ..Limits::default() };
    for (bytes, fits) in [(96, true), (97, false)] {
        let message = format!("\r\n\r\n{}", head_of(bytes)).into_bytes();
        let said = whole(limits, &message);
        assert_eq!(matches!(said.last(), Some(Said::End { .. })), fits);
        for cut in 0..message.len() {
            let (before, after) = message.split_at(cut);
            assert_eq!(pieces(limits, [before, after]), said, "cut at {cut}");
        }
    }
}

#[test]
fn the_trailers_of_a_request_have_the_number_of_fields_to_themselves() {
    let limits = Limits { fields: 3, ..Limits::default() };
    let message = |count: usize| format!("{CHUNKED}0\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert!(matches!(whole(limits, message(3).as_bytes()).last(), Some(Said::End { .. })));
    let said = whole(limits, message(4).as_bytes());
    assert_eq!(said.last(), Some(&Said::Wrong(Error::TooManyFields)));
}

#[test]
fn a_head_as_large_as_offsets_go_is_read() {
    let limits = Limits { head_bytes: u16::MAX, ..Limits::default() };
    let most = usize::from(u16::MAX);
    assert!(matches!(whole(limits, head_of(most).as_bytes()).last(), Some(Said::End { .. })));
    let said = whole(limits, head_of(most + 1).as_bytes());
    assert_eq!(said.last(), Some(&Said::Wrong(Error::HeadTooLarge)));
}

#[test]
fn trailers_behind_the_largest_extensions_are_read_at_once() {
    let limits = Limits { chunk_extension_bytes: u32::MAX, trailer_bytes: u16::MAX, ..Limits::default() };
    let (extension, trailer) = ("e".repeat(16_383), "t".repeat(32_768 - "X: \r\n\r\n".len()));
    let message = format!("{CHUNKED}0;{extension}\r\nX: {trailer}\r\n\r\n");
    let said = whole(limits, message.as_bytes());
    let Some(Said::End { trailers, .. }) = said.last() else { panic!("{:?}", said.last()) };
    assert_eq!(trailers[0].1.len(), trailer.len());
}
