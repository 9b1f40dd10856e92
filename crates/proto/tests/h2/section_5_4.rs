//! RFC 9113 sections 5.4, 6.4 and 6.8: how streams and connections end before their time.

use crate::end::{Said, client, server};
use crate::raw::*;
use gannet_proto::h2::{Error, ErrorCode};
use gannet_proto::{BodyLength, Method, Status};

#[test]
fn section_5_4_1_the_last_stream_that_was_dealt_with_is_told_with_the_error() {
    let mut end = server();
    end.receive(&all(&[get_on(1), get_on(7)]));
    end.receive(&frame(PING, 0, 1, &[0; 8]));
    let goaway = end.sent().pop().expect("the peer is told");
    assert_eq!((goaway.number(), goaway.payload[7]), (7, 1));
    assert_eq!(&goaway.payload[8..], Error::NotStreamZero.message().as_bytes());
}

#[test]
fn section_5_4_2_a_stream_error_is_no_answer_to_a_reset() {
    let mut end = server();
    end.receive(&all(&[post_on(1), reset(1, 8), reset(1, 8)]));
    end.release(1);
    end.receive(&reset(1, 8));
    assert_eq!(end.sent(), []);
}

#[test]
fn section_5_4_2_nothing_is_sent_on_a_stream_behind_its_reset() {
    let mut end = server();
    end.receive(&all(&[get_on(1), reset(1, 8)]));
    let key = end.key(1);
    end.connection.inform(key, Status::EARLY_HINTS, b"", &mut end.out);
    end.begin(1, Some(5));
    assert!(end.connection.push(key, 0, true, &mut end.out).is_err());
    assert_eq!(end.connection.finish(key, b"", &mut end.out), Ok(()));
    end.connection.reset(key, ErrorCode::CANCEL, &mut end.out);
    assert_eq!(end.sent(), []);
}

#[test]
fn section_6_4_rst_stream_belongs_to_a_stream() {
    assert_eq!(server().wrong(&reset(0, 8)), Error::StreamZero);
}

#[test]
fn section_6_4_unknown_codes_are_told_as_they_are() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(end.one(&reset(1, 0xdead)), Said::Reset { stream: 1, error: ErrorCode(0xdead), fault: None });
}

#[test]
fn section_6_4_a_reset_of_ours_is_sent_once_and_ends_both_halves() {
    let mut end = server();
    end.receive(&post_on(1));
    let key = end.key(1);
    end.connection.reset(key, ErrorCode::REFUSED_STREAM, &mut end.out);
    end.connection.reset(key, ErrorCode::REFUSED_STREAM, &mut end.out);
    assert_eq!(end.sent(), frames(&reset(1, 7)));
    assert!(end.connection.receiving_ended(key) && end.connection.sending_ended(key));
    assert_eq!(end.connection.room(key), 0);
}

#[test]
fn section_8_1_a_server_that_has_answered_may_ask_for_no_more_of_the_request() {
    let mut end = server();
    end.receive(&post_on(1));
    end.answer(1, Status::OK, b"enough");
    end.sent();
    end.reset(1, ErrorCode::NO_ERROR);
    assert_eq!(end.sent(), frames(&reset(1, 0)));
    assert_eq!(end.receive(&data(1, b"late")), []);
}

#[test]
fn section_6_8_a_graceful_end_says_goaway_twice() {
    let mut end = server();
    end.receive(&get_on(1));
    end.connection.go_away(&mut end.out);
    assert_eq!(end.sent(), frames(&goaway(0x7fff_ffff, 0)));
    assert!(matches!(end.one(&get_on(3)), Said::Head { stream: 3, .. }));
    assert!(!end.connection.is_draining());
    end.connection.close(&mut end.out);
    assert_eq!(end.sent(), frames(&goaway(3, 0)));
    assert!(end.connection.is_draining());
}

#[test]
fn section_6_8_streams_beyond_the_last_one_are_ignored_but_count() {
    let mut end = server();
    end.receive(&post_on(1));
    end.connection.close(&mut end.out);
    end.sent();
    let indexing = [&post()[..], b"\x40\x01x\x01y"].concat();
    let late = all(&[frame(HEADERS, END_HEADERS, 3, &indexing), data(3, b"content"), last_data(3, b"")]);
    assert_eq!((end.receive(&late), end.sent()), (vec![], vec![]));
    // The table has gone on, and so does the stream that was there.
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xbe");
    let lines = vec![("x".to_owned(), "y".to_owned())];
    assert_eq!(end.one(&trailers), Said::Trailers { stream: 1, lines });
    end.connection.close(&mut end.out);
    assert_eq!(end.sent(), frames(&goaway(1, 0)), "what is said once does not grow");
}

#[test]
fn section_6_8_goaway_belongs_to_the_connection_and_what_it_says_behind_its_code_is_skipped() {
    assert_eq!(server().wrong(&frame(GOAWAY, 0, 1, &[0; 8])), Error::NotStreamZero);
    let said = [&1_u32.to_be_bytes()[..], &11_u32.to_be_bytes(), b"debug"].concat();
    let mut end = server();
    assert_eq!(
        end.one(&frame(GOAWAY, 0, 0, &said)),
        Said::GoAway { last_stream: 1, error: ErrorCode::ENHANCE_YOUR_CALM }
    );
    assert!(matches!(end.one(&get_on(1)), Said::Head { .. }));
}

#[test]
fn section_6_8_a_client_begins_no_request_behind_the_servers_goaway() {
    let mut end = client();
    end.get();
    end.receive(&goaway(1, 0));
    assert_eq!(end.connection.may_request(), 0);
    assert!(end.connection.is_draining() && end.connection.is_open(end.key(1)));
    assert!(matches!(end.one(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &ok())), Said::Head { .. }));
}

#[test]
fn section_6_8_a_later_goaway_may_not_name_a_later_stream() {
    let mut end = client();
    end.receive(&all(&[goaway(0x7fff_ffff, 0), goaway(3, 0)]));
    assert_eq!(end.wrong(&goaway(5, 0)), Error::LastStreamIncreased);
}

#[test]
fn a_reset_by_the_server_is_told_with_its_code() {
    let mut end = client();
    end.ask(Method::Post, BodyLength::Chunked);
    let refused = Said::Reset { stream: 1, error: ErrorCode::REFUSED_STREAM, fault: None };
    assert_eq!(end.one(&reset(1, 7)), refused);
    end.release(1);
    assert_eq!(end.connection.streams(), 0);
}
