//! RFC 9113 section 5.1: the states of streams, their identifiers, how many there may be.

use crate::end::{Said, client, server, server_with};
use crate::raw::*;
use gannet_proto::h2::{Error, ErrorCode, Limits};
use gannet_proto::{BodyLength, Method, Status};

#[test]
fn section_5_1_idle_anything_but_headers_and_priority_is_a_connection_error() {
    for bytes in [data(1, b"x"), reset(1, 8), window_update(1, 1)] {
        assert_eq!(server().wrong(&bytes), Error::IdleStream, "{bytes:?}");
        assert_eq!(client().wrong(&bytes), Error::IdleStream, "{bytes:?}");
    }
    assert_eq!(server().receive(&frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 0])), []);
    assert_eq!(client().wrong(&frame(HEADERS, END_HEADERS, 1, &ok())), Error::IdleStream);
}

#[test]
fn section_5_1_open_the_peer_may_send_anything() {
    let mut end = server();
    end.receive(&post_on(1));
    let said = end.receive(&all(&[
        data(1, b"a"),
        window_update(1, 5),
        frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 0]),
        frame(0xfe, 0, 1, b"x"),
        last_data(1, b"b"),
    ]));
    assert_eq!(said, [Said::Data { stream: 1, content: b"ab".to_vec(), ended: true },]);
}

#[test]
fn section_5_1_half_closed_remote_data_and_headers_are_stream_errors_of_stream_closed() {
    for bytes in [data(1, b"x"), last_data(1, b""), get_on(1), frame(HEADERS, END_HEADERS, 1, &get())] {
        let mut end = server();
        end.receive(&get_on(1));
        assert_eq!(end.stream_error(1, &bytes), ErrorCode::STREAM_CLOSED, "{bytes:?}");
        // The connection goes on, header compression, too.
        assert!(matches!(end.receive(&get_on(3))[..], [Said::Head { stream: 3, .. }]));
    }
}

#[test]
fn section_5_1_half_closed_remote_the_peer_may_still_open_the_window_and_reset() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(end.receive(&window_update(1, 1)), []);
    assert_eq!(end.receive(&frame(PRIORITY, 0, 1, &[0; 5])), []);
    let reset_by_peer = Said::Reset { stream: 1, error: ErrorCode::CANCEL, fault: None };
    assert_eq!(end.one(&reset(1, 8)), reset_by_peer);
}

#[test]
fn section_5_1_half_closed_local_the_peer_may_send_anything() {
    let mut end = server();
    end.receive(&post_on(1));
    end.answer(1, Status::OK, b"done");
    assert_eq!(end.receive(&window_update(1, 9)), []);
    let said = end.receive(&all(&[data(1, b"still"), last_data(1, b" here")]));
    assert_eq!(said, [Said::Data { stream: 1, content: b"still here".to_vec(), ended: true }]);
    end.release(1);
}

#[test]
fn section_5_1_closed_behind_its_end_data_and_headers_are_connection_errors_of_stream_closed() {
    for bytes in [data(1, b"x"), get_on(1)] {
        for released in [true, false] {
            let mut end = server();
            end.receive(&post_on(1));
            end.answer(1, Status::OK, b"done");
            end.receive(&last_data(1, b""));
            if released {
                end.release(1);
            }
            assert_eq!(end.wrong(&bytes), Error::StreamClosed, "{bytes:?}");
        }
    }
}

#[test]
fn section_5_1_closed_window_updates_priorities_and_resets_are_ignored() {
    let mut end = server();
    end.receive(&get_on(1));
    end.answer(1, Status::OK, b"done");
    end.sent();
    for bytes in [window_update(1, 9), window_update(1, 0), reset(1, 8), frame(PRIORITY, 0, 1, &[0; 5])] {
        assert_eq!(end.receive(&bytes), []);
    }
    assert_eq!(end.sent(), []);
}

#[test]
fn section_5_1_closed_by_our_reset_what_was_on_its_way_is_ignored_but_counts() {
    for release_first in [true, false] {
        let mut end = server();
        end.receive(&post_on(1));
        let key = end.key(1);
        end.connection.reset(key, ErrorCode::CANCEL, &mut end.out);
        if release_first {
            end.release(1);
        }
        // Trailers that put an entry into the dynamic table.
        let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x40\x01x\x01y");
        let late = all(&[data(1, &[0; 16_000]), window_update(1, 1), reset(1, 8), trailers]);
        assert_eq!(end.receive(&late), []);
        let Said::Head { lines, .. } =
            end.one(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &[&get()[..], b"\xbe"].concat()))
        else {
            panic!("a request");
        };
        assert_eq!(lines.last(), Some(&("x".to_owned(), "y".to_owned())));
        // What came counts against the connection's window, and is given back.
        end.sent();
        for _ in 0..3 {
            assert_eq!(end.receive(&data(1, &[0; 16_384])), []);
        }
        end.receive(&post_on(5));
        for piece in 0..32 {
            end.receive(&data(5, &[0; 16_384]));
            end.connection.consumed(end.key(5), 16_384);
            end.connection.update_windows(&mut end.out);
            assert!(!end.over, "piece {piece}");
        }
    }
}

#[test]
fn section_5_1_closed_by_our_reset_more_than_its_window_is_a_connection_error() {
    let mut end = server();
    end.receive(&post_on(1));
    end.reset(1, ErrorCode::CANCEL);
    assert_eq!(end.receive(&times(3, &data(1, &[0; 16_384]))), []);
    assert_eq!(end.wrong(&data(1, &[0; 16_384])), Error::ResetWindowExceeded);
}

#[test]
fn section_5_1_closed_by_the_peers_reset_more_of_it_is_a_connection_error() {
    for bytes in [data(1, b"x"), get_on(1)] {
        for released in [true, false] {
            let mut end = server();
            end.receive(&all(&[post_on(1), reset(1, 8)]));
            if released {
                end.release(1);
            }
            assert_eq!(end.wrong(&bytes), Error::StreamClosed);
        }
    }
}

#[test]
fn section_5_1_1_streams_of_clients_have_odd_identifiers() {
    assert_eq!(server().wrong(&get_on(2)), Error::InvalidStreamIdentifier);
    assert_eq!(server().wrong(&get_on(0)), Error::StreamZero);
    let mut end = client();
    assert_eq!([end.get(), end.get(), end.get()], [1, 3, 5]);
}

#[test]
fn section_5_1_1_a_stream_id_that_does_not_increase_is_a_connection_error() {
    let mut end = server();
    end.receive(&get_on(5));
    assert_eq!(end.wrong(&get_on(3)), Error::InvalidStreamIdentifier);
    let mut end = server();
    end.receive(&all(&[get_on(1), get_on(9)]));
    assert_eq!(end.wrong(&get_on(7)), Error::InvalidStreamIdentifier);
}

#[test]
fn section_5_1_1_streams_that_were_left_out_are_closed() {
    let mut end = server();
    end.receive(&get_on(5));
    assert_eq!(end.receive(&window_update(1, 1)), []);
    assert_eq!(end.wrong(&data(3, b"x")), Error::StreamClosed);
}

#[test]
fn section_5_1_1_identifiers_run_out_and_no_request_is_begun_then() {
    let mut end = server();
    assert!(matches!(end.one(&get_on(0x7fff_ffff)), Said::Head { stream: 0x7fff_ffff, .. }));
    end.answer(0x7fff_ffff, Status::OK, b"");
    assert_eq!(end.wrong(&get_on(1)), Error::InvalidStreamIdentifier);
}

#[test]
fn section_5_1_2_a_stream_beyond_our_limit_is_refused_until_another_is_released() {
    let mut end = server_with(Limits { streams: 2, ..Limits::default() });
    end.receive(&all(&[get_on(1), post_on(3)]));
    assert_eq!(end.refusal(5, &get_on(5)), ErrorCode::REFUSED_STREAM);
    end.answer(1, Status::OK, b"");
    assert!(matches!(end.one(&get_on(7)), Said::Head { stream: 7, .. }));
    // One that was reset counts until its handler has let go of it.
    end.receive(&reset(3, 8));
    assert_eq!(end.refusal(9, &get_on(9)), ErrorCode::REFUSED_STREAM);
    end.release(3);
    assert!(matches!(end.one(&get_on(11)), Said::Head { stream: 11, .. }));
}

#[test]
fn section_5_1_2_content_for_a_refused_stream_is_discarded() {
    let mut end = server_with(Limits { streams: 0, ..Limits::default() });
    assert_eq!(end.refusal(1, &post_on(1)), ErrorCode::REFUSED_STREAM);
    assert_eq!(end.receive(&all(&[data(1, &[0; 1000]), last_data(1, b"x")])), []);
}

#[test]
fn section_5_1_2_a_client_keeps_to_the_servers_limit() {
    let mut end = client();
    end.receive(&settings(&[(3, 2)]));
    assert_eq!((end.get(), end.get(), end.connection.may_request()), (1, 3, 0));
    end.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &ok()));
    assert_eq!(end.connection.may_request(), 0, "a stream counts until it is released");
    end.release(1);
    assert_eq!(end.ask(Method::Post, BodyLength::Chunked), 5);
    end.receive(&settings(&[(3, 1)]));
    assert_eq!(end.connection.may_request(), 0);
}

#[test]
fn section_5_3_2_a_stream_that_is_to_depend_on_itself_is_an_error() {
    let prioritized = [&[0, 0, 0, 1, 16][..], &get()].concat();
    let flags = END_HEADERS | END_STREAM | PRIORITIZED;
    assert_eq!(server().wrong(&frame(HEADERS, flags, 1, &prioritized)), Error::SelfDependency);
    assert_eq!(server().wrong(&frame(PRIORITY, 0, 7, &[0x80, 0, 0, 7, 16])), Error::SelfDependency);
}

#[test]
fn section_5_3_2_priorities_of_rfc_7540_are_ignored() {
    let prioritized = [&[0, 0, 0, 9, 16][..], &get()].concat();
    let flags = END_HEADERS | END_STREAM | PRIORITIZED;
    assert!(matches!(server().one(&frame(HEADERS, flags, 1, &prioritized)), Said::Head { .. }));
    assert_eq!(server().receive(&frame(PRIORITY, 0, 77, &[0, 0, 0, 7, 16])), []);
}
