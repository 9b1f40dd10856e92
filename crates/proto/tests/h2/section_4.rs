//! RFC 9113 section 4: frames and header blocks.

use crate::end::{Said, client, server, server_with};
use crate::raw::*;
use gannet_proto::h2::{Error, Limits};

#[test]
fn section_4_1_frames_of_unknown_types_and_undefined_flags_are_ignored() {
    let mut end = server();
    assert_eq!(end.receive(&frame(0xfe, 0xff, 5, b"whatever")), []);
    assert_eq!(end.receive(&frame(PING, 0xfe, 0, b"12345678")), []);
    assert_eq!(end.sent(), frames(&frame(PING, ACK, 0, b"12345678")));
}

#[test]
fn section_4_1_the_reserved_bit_of_the_stream_identifier_is_ignored() {
    let said = server().one(&frame(HEADERS, END_HEADERS | END_STREAM, 0x8000_0001, &get()));
    assert!(matches!(said, Said::Head { stream: 1, .. }));
}

#[test]
fn section_4_2_a_frame_larger_than_our_maximum_is_a_connection_error_of_its_size() {
    for kind in [DATA, HEADERS, SETTINGS, CONTINUATION, 0xfe] {
        let mut header = frame(kind, 0, u32::from(kind != SETTINGS), b"");
        header[..3].copy_from_slice(&[0, 0x40, 1]);
        assert_eq!(server().wrong(&header), Error::FrameTooLarge, "kind {kind}");
    }
    assert_eq!(server().receive(&frame(0xfe, 0, 0, &[0; 16_384])), []);
}

#[test]
fn section_4_2_a_larger_maximum_can_be_offered() {
    let mut end = server_with(Limits { frame_bytes: 20_000, ..Limits::default() });
    assert_eq!(end.receive(&frame(0xfe, 0, 0, &[0; 20_000])), []);
}

#[test]
fn section_4_2_frames_of_a_wrong_size_are_connection_errors() {
    let wrong = |bytes: Vec<u8>| all(&[post_on(1), bytes]);
    for bytes in [
        frame(PING, 0, 0, &[0; 7]),
        frame(PING, 0, 0, &[0; 9]),
        frame(SETTINGS, 0, 0, &[0; 5]),
        frame(SETTINGS, ACK, 0, &[0; 6]),
        frame(GOAWAY, 0, 0, &[0; 7]),
        frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
        frame(WINDOW_UPDATE, 0, 1, &[0; 5]),
        frame(RST_STREAM, 0, 1, &[0; 3]),
        frame(RST_STREAM, 0, 1, &[0; 5]),
        frame(PRIORITY, 0, 1, &[0; 4]),
        frame(PRIORITY, 0, 1, &[0; 6]),
        frame(PRIORITY_UPDATE, 0, 0, &[0; 3]),
        frame(DATA, PADDED, 1, b""),
        frame(HEADERS, PADDED | END_HEADERS, 3, b""),
        frame(HEADERS, PRIORITIZED | END_HEADERS, 3, &[0; 4]),
    ] {
        assert_eq!(server().wrong(&wrong(bytes.clone())), Error::InvalidFrameSize, "{bytes:?}");
    }
}

#[test]
fn section_4_3_a_block_that_cannot_be_decoded_is_a_connection_error_of_compression() {
    for block in [&b"\x80"[..], b"\xff\xff\xff\xff\xff\xff", b"\x00\x05ab", b"\xbe"] {
        let bytes = frame(HEADERS, END_HEADERS | END_STREAM, 1, block);
        assert_eq!(server().wrong(&bytes), Error::Compression, "{block:?}");
    }
}

#[test]
fn section_4_3_blocks_for_streams_that_are_refused_change_the_dynamic_table_all_the_same() {
    let mut end = server_with(Limits { streams: 1, ..Limits::default() });
    end.receive(&post_on(1));
    // A literal with incremental indexing, on a stream that is one too many; then the entry that it made.
    let indexing = [&get()[..], b"\x40\x01x\x01y"].concat();
    end.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &indexing));
    end.receive(&reset(1, 8));
    end.release(1);
    let Said::Head { stream: 5, lines, .. } =
        end.one(&frame(HEADERS, END_HEADERS | END_STREAM, 5, &[&get()[..], b"\xbe"].concat()))
    else {
        panic!("a request");
    };
    assert_eq!(lines.last(), Some(&("x".to_owned(), "y".to_owned())));
}

#[test]
fn section_4_3_a_block_in_several_frames_is_one_and_nothing_may_come_between_them() {
    let (first, rest) = (frame(HEADERS, END_STREAM, 1, &get()[..2]), get()[2..].to_vec());
    let whole = all(&[
        first.clone(),
        frame(CONTINUATION, 0, 1, &rest[..1]),
        frame(CONTINUATION, 0, 1, b""),
        frame(CONTINUATION, END_HEADERS, 1, &rest[1..]),
    ]);
    assert_eq!(server().receive(&whole), server().receive(&get_on(1)));
    for between in [
        data(1, b"x"),
        frame(PING, 0, 0, &[0; 8]),
        frame(0xfe, 0, 0, b""),
        settings(&[]),
        get_on(3),
        frame(CONTINUATION, END_HEADERS, 3, &rest),
        frame(PRIORITY, 0, 1, &[0; 5]),
    ] {
        assert_eq!(
            server().wrong(&all(&[first.clone(), between.clone()])),
            Error::InterruptedBlock,
            "{between:?}"
        );
    }
}

#[test]
fn section_4_3_1_a_smaller_table_of_ours_has_to_be_taken_note_of() {
    let limits = Limits { header_table_bytes: 0, ..Limits::default() };
    assert_eq!(server_with(limits).wrong(&get_on(1)), Error::Compression);
    let noted = [&b"\x20"[..], &get()].concat();
    let said = server_with(limits).one(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &noted));
    assert!(matches!(said, Said::Head { .. }));
}

#[test]
fn section_4_3_1_a_table_larger_than_ours_is_a_connection_error_of_compression() {
    let larger = [&b"\x3f\xe2\x1f"[..], &get()].concat();
    assert_eq!(server().wrong(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &larger)), Error::Compression);
}

#[test]
fn a_client_reads_frames_by_the_same_rules() {
    let mut end = client();
    end.get();
    assert_eq!(end.wrong(&frame(HEADERS, END_HEADERS, 1, b"\x80")), Error::Compression);
    assert_eq!(client().wrong(&frame(PING, 0, 0, &[0; 7])), Error::InvalidFrameSize);
    assert_eq!(client().receive(&frame(0xfe, 0xff, 9, b"whatever")), []);
}

#[test]
fn section_4_3_1_a_smaller_table_of_the_peers_is_taken_note_of_in_the_next_block() {
    let mut end = server();
    end.receive(&all(&[settings(&[(1, 0), (1, 100)]), get_on(1), get_on(3)]));
    end.sent();
    end.begin(1, None);
    end.begin(3, None);
    let blocks: Vec<_> = end.sent().into_iter().map(|frame| frame.payload).collect();
    // To 0, then to 100 (31 and 69); then `:status: 200`.
    assert_eq!(blocks, [vec![0x20, 0x3f, 69, 0x88], vec![0x88]]);
    let mut end = client();
    end.receive(&settings(&[(1, 0)]));
    end.sent();
    end.get();
    end.get();
    let blocks: Vec<_> = end.sent().into_iter().map(|frame| frame.payload).collect();
    assert_eq!((blocks[0][0], &blocks[0][1..]), (0x20, &blocks[1][..]));
}

#[test]
fn section_4_3_1_trailers_take_note_of_it_too() {
    let mut end = server();
    end.receive(&get_on(1));
    end.begin(1, None);
    end.receive(&settings(&[(1, 0)]));
    end.sent();
    end.connection.finish(end.key(1), b"X: y\r\n", &mut end.out).expect("it has no length");
    assert_eq!(end.sent()[0].payload, b"\x20\x00\x01x\x01y");
}
