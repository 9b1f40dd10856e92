//! RFC 9113 sections 5.2 and 6.9: flow control, both ways.

use crate::end::{Said, client, server, server_with};
use crate::raw::*;
use gannet_proto::h2::{Error, ErrorCode, Framing, Limits, Misuse};
use gannet_proto::{BodyLength, Method};

/// Windows of 100 bytes a stream, and of the least there is for the connection.
fn small() -> Limits {
    Limits { stream_window_bytes: 100, connection_window_bytes: 65_535, ..Limits::default() }
}

#[test]
fn section_5_2_the_streams_window_may_be_filled_and_not_exceeded() {
    let mut end = server_with(small());
    end.receive(&post_on(1));
    assert!(matches!(end.one(&data(1, &[0; 100])), Said::Data { .. }));
    assert_eq!(end.stream_error(1, &data(1, b"x")), ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn section_5_2_the_connections_window_may_be_filled_and_not_exceeded() {
    let limits = Limits { connection_window_bytes: 65_535, ..Limits::default() };
    let mut end = server_with(limits);
    end.receive(&all(&[post_on(1), post_on(3)]));
    end.receive(&all(&[
        data(1, &[0; 16_384]),
        data(1, &[0; 16_384]),
        data(3, &[0; 16_384]),
        data(3, &[0; 16_383]),
    ]));
    assert!(!end.over);
    assert_eq!(end.wrong(&data(1, b"x")), Error::WindowExceeded);
}

#[test]
fn section_5_2_padding_counts_and_is_given_back() {
    let mut end = server_with(small());
    end.receive(&post_on(1));
    let padded = |content: usize, padding: u8| {
        let payload = [vec![padding], vec![b'x'; content], vec![0; usize::from(padding)]].concat();
        frame(DATA, PADDED, 1, &payload)
    };
    assert!(matches!(end.one(&padded(20, 79)), Said::Data { .. }));
    end.connection.update_windows(&mut end.out);
    let sent = end.sent();
    assert_eq!((sent[0].kind, sent[0].stream, sent[0].number()), (WINDOW_UPDATE, 1, 80));
    assert!(matches!(end.one(&padded(20, 59)), Said::Data { .. }));
    assert_eq!(end.stream_error(1, &data(1, b"x")), ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn section_5_2_windows_are_opened_again_when_half_of_them_was_taken() {
    let mut end = server_with(small());
    end.receive(&all(&[post_on(1), data(1, &[0; 100])]));
    end.connection.update_windows(&mut end.out);
    assert_eq!(end.sent(), [], "nothing was taken");
    end.connection.consumed(end.key(1), 50);
    end.connection.update_windows(&mut end.out);
    assert_eq!(end.sent(), [], "half is not more than half");
    end.connection.consumed(end.key(1), 1);
    end.connection.update_windows(&mut end.out);
    assert_eq!(end.sent(), frames(&window_update(1, 51)));
    assert!(matches!(end.one(&data(1, &[0; 51])), Said::Data { .. }));
    assert_eq!(end.stream_error(1, &data(1, b"x")), ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn section_5_2_the_window_of_a_stream_that_has_ended_is_not_opened_again() {
    let mut end = server_with(small());
    end.receive(&all(&[post_on(1), last_data(1, &[0; 100])]));
    end.connection.consumed(end.key(1), 100);
    end.connection.update_windows(&mut end.out);
    assert_eq!(end.sent(), []);
}

#[test]
fn section_5_2_the_connections_window_is_opened_for_what_no_one_took_of_a_released_stream() {
    let mut end = server_with(Limits { connection_window_bytes: 65_535, ..Limits::default() });
    end.receive(&all(&[post_on(1), times(3, &data(1, &[0; 16_000]))]));
    end.reset(1, ErrorCode::CANCEL);
    end.sent();
    end.connection.update_windows(&mut end.out);
    assert_eq!(end.sent(), frames(&window_update(0, 48_000)));
}

#[test]
fn section_5_2_released_streams_leave_no_window_to_open() {
    let mut end = server_with(small());
    end.receive(&all(&[post_on(1), data(1, &[0; 100])]));
    end.connection.consumed(end.key(1), 100);
    end.reset(1, ErrorCode::CANCEL);
    end.receive(&post_on(3));
    assert_eq!(end.key(3).slot, 0, "the slot is used again");
    end.sent();
    end.connection.update_windows(&mut end.out);
    assert_eq!(end.sent(), []);
}

#[test]
fn section_5_2_2_content_is_sent_within_both_windows_and_the_frame_size() {
    let mut end = server();
    end.receive(&all(&[settings(&[(4, 20_000)]), get_on(1), get_on(3)]));
    assert_eq!(end.begin(1, None), Framing::Chunked);
    assert_eq!(end.connection.room(end.key(1)), 16_384, "one frame");
    end.push(1, 16_384, false);
    assert_eq!(end.connection.room(end.key(1)), 20_000 - 16_384, "the stream's window");
    end.push(1, 20_000 - 16_384, false);
    assert_eq!(end.connection.room(end.key(1)), 0);
    end.begin(3, None);
    end.push(3, 16_384, false);
    end.receive(&window_update(1, 100_000));
    end.push(1, 16_384, false);
    assert_eq!(end.connection.room(end.key(1)), 65_535 - 20_000 - 2 * 16_384, "the connection's window");
}

#[test]
fn section_6_9_a_window_update_says_so_where_there_was_no_room() {
    let mut end = server();
    end.receive(&all(&[settings(&[(4, 10)]), get_on(1)]));
    end.begin(1, None);
    assert_eq!(end.receive(&window_update(1, 5)), [], "there was room");
    end.push(1, 15, false);
    assert_eq!(end.one(&window_update(1, 3)), Said::Window { stream: Some(1) });
    assert_eq!(end.connection.room(end.key(1)), 3);
}

#[test]
fn section_6_9_the_connections_window_is_told_for_all_streams() {
    let mut end = server();
    end.receive(&all(&[settings(&[(4, 0x7fff_ffff)]), get_on(1)]));
    end.begin(1, None);
    while end.connection.room(end.key(1)) > 0 {
        end.push(1, end.connection.room(end.key(1)), false);
    }
    assert_eq!(end.one(&window_update(0, 7)), Said::Window { stream: None });
    assert_eq!(end.connection.room(end.key(1)), 7);
}

#[test]
fn section_6_9_an_increment_of_nothing_is_an_error_of_the_stream_or_the_connection() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(end.stream_error(1, &window_update(1, 0)), ErrorCode::PROTOCOL_ERROR);
    assert_eq!(end.wrong(&window_update(0, 0)), Error::ZeroIncrement);
}

#[test]
fn section_6_9_1_windows_beyond_the_largest_are_errors_of_the_stream_or_the_connection() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(end.receive(&window_update(1, 0x7fff_ffff - 65_535)), []);
    assert_eq!(end.stream_error(1, &window_update(1, 1)), ErrorCode::FLOW_CONTROL_ERROR);
    assert_eq!(end.receive(&window_update(0, 0x7fff_ffff - 65_535)), []);
    assert_eq!(end.wrong(&window_update(0, 1)), Error::WindowOverflow);
}

#[test]
fn section_6_9_the_reserved_bit_of_an_increment_is_ignored() {
    let mut end = server();
    end.receive(&get_on(1));
    assert_eq!(end.receive(&window_update(1, 0x8000_0001)), []);
    assert_eq!(end.receive(&window_update(1, 0x7fff_ffff - 65_536)), []);
}

#[test]
fn section_6_9_2_a_new_initial_window_moves_the_windows_of_all_streams_also_below_zero() {
    let mut end = server();
    end.receive(&all(&[get_on(1), get_on(3)]));
    end.begin(1, None);
    end.begin(3, None);
    end.push(1, 1000, false);
    assert_eq!(end.receive(&settings(&[(4, 100)])), []);
    assert_eq!((end.connection.room(end.key(1)), end.connection.room(end.key(3))), (0, 100));
    assert_eq!(end.receive(&window_update(1, 900)), [], "the window is at zero");
    assert_eq!(end.one(&window_update(1, 1)), Said::Window { stream: Some(1) });
    assert_eq!(end.connection.room(end.key(1)), 1);
    end.push(1, 1, false);
    assert_eq!(end.one(&settings(&[(4, 150)])), Said::Window { stream: None });
    assert_eq!((end.connection.room(end.key(1)), end.connection.room(end.key(3))), (50, 150));
}

#[test]
fn section_6_9_2_the_last_of_several_initial_windows_is_what_counts() {
    let mut end = server();
    end.receive(&all(&[settings(&[(4, 0), (4, 7)]), get_on(1)]));
    assert_eq!(end.connection.room(end.key(1)), 7);
}

#[test]
fn section_6_9_2_an_initial_window_that_takes_a_window_too_far_is_a_connection_error() {
    let mut end = server();
    end.receive(&all(&[get_on(1), window_update(1, 0x7fff_ffff - 65_535)]));
    assert_eq!(end.wrong(&settings(&[(4, 65_536)])), Error::InvalidInitialWindow);
}

#[test]
fn section_6_9_2_a_smaller_window_of_ours_counts_only_once_it_is_acknowledged() {
    let mut end = crate::end::End::new(gannet_proto::h2::Server::new(small(), 7));
    end.receive(&all(&[PREFACE.to_vec(), settings(&[]), post_on(1), data(1, &[0; 1000])]));
    assert!(matches!(end.said[..], [Said::Head { .. }, Said::Data { .. }]), "{:?}", end.said);
    end.receive(&settings_ack());
    assert_eq!(end.stream_error(1, &data(1, b"x")), ErrorCode::FLOW_CONTROL_ERROR);
    end.receive(&all(&[post_on(3), data(3, &[0; 100])]));
    assert_eq!(end.stream_error(3, &data(3, b"x")), ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn section_6_9_2_a_larger_window_of_ours_opens_streams_that_are_there() {
    let limits = Limits { stream_window_bytes: 200_000, ..Limits::default() };
    let mut end = crate::end::End::new(gannet_proto::h2::Server::new(limits, 7));
    end.receive(&all(&[PREFACE.to_vec(), settings(&[]), post_on(1), settings_ack()]));
    end.receive(&times(12, &data(1, &[0; 16_384])));
    assert!(!end.over && end.connection.is_open(end.key(1)));
    assert_eq!(end.stream_error(1, &data(1, &[0; 16_384])), ErrorCode::FLOW_CONTROL_ERROR);
}

#[test]
fn a_response_that_does_not_fit_the_windows_is_not_sent_whole() {
    let mut end = server();
    end.receive(&all(&[settings(&[(4, 10)]), get_on(1)]));
    end.sent();
    let head = gannet_proto::h2::ResponseToSend {
        status: gannet_proto::Status::OK,
        fields: b"",
        length: Some(11),
        date: None,
    };
    let key = end.key(1);
    assert!(!end.connection.respond_whole(key, head, b"hello world", &mut end.blocks, &mut end.out));
    assert_eq!(end.sent(), []);
    assert_eq!(end.begin(1, Some(11)), Framing::Length(11));
    end.push(1, 10, false);
    assert_eq!(end.connection.push(key, 0, true, &mut end.out), Err(Misuse::TooShort));
    end.receive(&window_update(1, 1));
    end.push(1, 1, true);
    assert!(end.connection.sending_ended(key));
}

#[test]
fn a_client_is_held_to_its_windows_and_holds_the_server_to_its_own() {
    let mut end = client();
    end.receive(&settings(&[(4, 10)]));
    let stream = end.ask(Method::Post, BodyLength::Chunked);
    assert_eq!(end.connection.room(end.key(stream)), 10);
    end.receive(&frame(HEADERS, END_HEADERS, 1, &ok()));
    end.receive(&times(3, &data(1, &[0; 16_384])));
    assert_eq!(end.stream_error(1, &data(1, &[0; 16_384])), ErrorCode::FLOW_CONTROL_ERROR);
}
