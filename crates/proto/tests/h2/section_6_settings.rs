//! RFC 9113 section 6.5, RFC 8441 section 3, RFC 9218 section 2.1: SETTINGS.

use crate::end::{End, client, client_with, server, server_with};
use crate::raw::*;
use gannet_proto::h2::{Client, Error, Limits, Server};

/// Our settings, identifier and value.
fn told(first: &Frame) -> Vec<(u16, u32)> {
    let entry = |entry: &[u8]| {
        let value = u32::from_be_bytes(entry[2..].try_into().expect("four bytes"));
        (u16::from_be_bytes([entry[0], entry[1]]), value)
    };
    first.payload.chunks(6).map(entry).collect()
}

#[test]
fn section_6_5_settings_belong_to_the_connection() {
    assert_eq!(server().wrong(&frame(SETTINGS, 0, 1, b"")), Error::NotStreamZero);
    assert_eq!(server().wrong(&frame(SETTINGS, ACK, 1, b"")), Error::NotStreamZero);
}

#[test]
fn section_6_5_3_settings_are_acknowledged_once_they_are_there_as_a_whole() {
    let mut end = server();
    let bytes = settings(&[(4, 100), (5, 20_000)]);
    end.receive(&bytes[..bytes.len() - 1]);
    assert_eq!(end.sent(), []);
    end.receive(&bytes[bytes.len() - 1..]);
    assert_eq!(end.sent(), frames(&settings_ack()));
    end.receive(&settings(&[]));
    assert_eq!(end.sent(), frames(&settings_ack()));
}

#[test]
fn section_6_5_2_unknown_settings_are_ignored() {
    let mut end = server();
    assert_eq!(end.receive(&settings(&[(0x1234, 9), (0, 0), (7, 1)])), []);
    assert_eq!(end.sent(), frames(&settings_ack()));
}

#[test]
fn section_6_5_2_values_that_settings_cannot_have_are_connection_errors() {
    for (setting, error) in [
        ((2, 2), Error::InvalidEnablePush),
        ((4, 0x8000_0000), Error::InvalidInitialWindow),
        ((5, 16_383), Error::InvalidMaxFrameSize),
        ((5, 16_777_216), Error::InvalidMaxFrameSize),
        ((8, 2), Error::InvalidConnectProtocol),
        ((9, 2), Error::InvalidNoPriorities),
    ] {
        assert_eq!(server().wrong(&settings(&[setting])), error);
    }
    let largest = settings(&[(2, 1), (4, 0x7fff_ffff), (5, 16_777_215), (6, 0), (1, 0), (8, 1), (9, 1)]);
    assert_eq!(server().receive(&largest), []);
}

#[test]
fn section_6_5_2_a_server_may_not_enable_push() {
    assert_eq!(client().wrong(&settings(&[(2, 1)])), Error::InvalidEnablePush);
    assert_eq!(client().receive(&settings(&[(2, 0)])), []);
}

#[test]
fn section_6_5_2_frames_of_ours_are_as_large_as_the_peer_takes_them() {
    let mut end = server();
    end.receive(&all(&[settings(&[(5, 20_000)]), get_on(1)]));
    end.begin(1, None);
    assert_eq!(end.connection.room(end.key(1)), 20_000);
}

#[test]
fn rfc_8441_section_3_extended_connect_is_not_taken_back() {
    let twice = all(&[settings(&[(8, 1)]), settings(&[(8, 0)])]);
    assert_eq!(client().wrong(&twice), Error::InvalidConnectProtocol);
    let mut end = client();
    assert!(!end.connection.takes_connect_protocol());
    end.receive(&all(&[settings(&[(8, 0)]), settings(&[(8, 1)])]));
    assert!(end.connection.takes_connect_protocol());
}

#[test]
fn a_client_knows_when_its_server_has_told_of_itself_which_it_has_when_the_frame_is_whole() {
    let mut end = End::new(Client::new(Limits::default(), 7));
    let whole = settings(&[(8, 1), (4, 70_000)]);
    for length in 0..whole.len() {
        assert!(!end.connection.has_settings(), "{length}");
        end.receive(&whole[length..=length]);
    }
    assert!(end.connection.has_settings() && end.connection.takes_connect_protocol());
    let mut end = End::new(Client::new(Limits::default(), 7));
    end.receive(&settings(&[]));
    assert!(end.connection.has_settings() && !end.connection.takes_connect_protocol());
}

#[test]
fn rfc_9218_section_2_1_what_was_said_of_old_priorities_first_holds() {
    let changed = all(&[settings(&[(9, 1)]), settings(&[(9, 0)])]);
    assert_eq!(server().wrong(&changed), Error::InvalidNoPriorities);
    assert_eq!(server().receive(&all(&[settings(&[(9, 1)]), settings(&[(9, 1)])])), []);
}

#[test]
fn a_server_tells_its_limits() {
    let sent = End::new(Server::new(Limits::default(), 7)).sent();
    assert_eq!(told(&sent[0]), [(3, 128), (4, 262_144), (6, 32_768), (8, 1), (9, 1)]);
    assert_eq!(sent[1..], frames(&window_update(0, 1_048_576 - 65_535)));
    let limits = Limits {
        header_table_bytes: 0,
        streams: 3,
        stream_window_bytes: 5,
        frame_bytes: 16_385,
        connection_window_bytes: 65_535,
        ..Limits::default()
    };
    let sent = End::new(Server::new(limits, 7).with_connect_protocol(false)).sent();
    assert_eq!(told(&sent[0]), [(1, 0), (3, 3), (4, 5), (5, 16_385), (6, 32_768), (9, 1)]);
    assert_eq!(sent.len(), 1);
}

#[test]
fn a_client_tells_its_limits_and_wants_nothing_pushed() {
    let sent = End::new(Client::new(Limits::default(), 7)).sent();
    assert_eq!(told(&sent[0]), [(2, 0), (4, 262_144), (6, 32_768), (9, 1)]);
}

#[test]
fn an_acknowledgement_of_nothing_changes_nothing() {
    let mut end = server_with(Limits { stream_window_bytes: 100, ..Limits::default() });
    end.receive(&all(&[settings_ack(), post_on(1), data(1, &[0; 100])]));
    assert!(end.connection.is_open(end.key(1)));
    client_with(Limits::default()).receive(&settings_ack());
}
