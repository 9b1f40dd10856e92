//! RFC 9113 section 3: how a connection begins.

use crate::end::{End, Said, client, server};
use crate::raw::*;
use gannet_proto::Method;
use gannet_proto::h2::{Client, Connection, Error, Limits, Server, ServerRole};

fn fresh() -> End<ServerRole> {
    End::new(Server::new(Limits::default(), 7))
}

#[test]
fn section_3_4_a_server_begins_with_settings_that_are_no_acknowledgement() {
    let sent = fresh().sent();
    assert_eq!((sent[0].kind, sent[0].flags, sent[0].stream), (SETTINGS, 0, 0));
}

#[test]
fn section_3_4_a_client_begins_with_the_preface_and_then_settings() {
    let mut out = Vec::new();
    Client::new(Limits::default(), 7).start(&mut out);
    let sent = frames(out.strip_prefix(PREFACE).expect("the preface comes first"));
    assert_eq!((sent[0].kind, sent[0].flags, sent[0].stream), (SETTINGS, 0, 0));
}

#[test]
fn section_3_4_each_wrong_byte_of_the_preface_is_a_connection_error_as_soon_as_it_is_there() {
    for at in 0..PREFACE.len() {
        let mut preface = PREFACE[..=at].to_vec();
        preface[at] ^= 1;
        assert_eq!(fresh().wrong(&preface), Error::InvalidPreface, "byte {at}");
    }
    assert_eq!(fresh().wrong(b"GET / HTTP/1.1\r\n"), Error::InvalidPreface);
}

#[test]
fn section_3_4_a_first_frame_other_than_settings_is_a_connection_error() {
    for frame in [frame(PING, 0, 0, &[0; 8]), get_on(1), settings_ack(), window_update(0, 1)] {
        assert_eq!(fresh().wrong(&all(&[PREFACE.to_vec(), frame.clone()])), Error::MissingSettings);
        let mut client = End::new(Connection::new(Limits::default(), 7));
        let _: &Client = &client.connection;
        assert_eq!(client.wrong(&frame), Error::MissingSettings);
    }
}

#[test]
fn section_3_4_requests_may_follow_the_preface_and_settings_at_once() {
    let mut end = fresh();
    let said = end.receive(&all(&[PREFACE.to_vec(), settings(&[]), get_on(1)]));
    assert!(matches!(said[..], [Said::Head { stream: 1, .. }]), "{said:?}");
}

#[test]
fn section_3_2_a_request_that_asked_for_the_upgrade_is_stream_1_and_half_closed() {
    let mut connection = Server::new(Limits::default(), 7);
    let settings_payload = [&4_u16.to_be_bytes()[..], &20_u32.to_be_bytes()].concat();
    let stream = connection.upgraded(&settings_payload, Method::Get).expect("the settings are in order");
    assert_eq!(stream.id, 1);
    assert!(connection.receiving_ended(stream) && !connection.sending_ended(stream));
    assert_eq!(connection.room(stream), 20, "the settings of the request hold");
    let mut end = End::new(connection);
    let said = end.receive(&all(&[PREFACE.to_vec(), settings(&[]), get_on(3)]));
    assert!(matches!(said[..], [Said::Head { stream: 3, .. }]), "{said:?}");
    let sent = end.sent();
    assert_eq!(sent.iter().filter(|frame| **frame == frames(&settings_ack())[0]).count(), 1);
}

#[test]
fn section_3_2_a_wrong_settings_field_of_the_upgrade_is_an_error() {
    let upgrade = |payload: &[u8]| Server::new(Limits::default(), 7).upgraded(payload, Method::Get);
    assert_eq!(upgrade(&[0, 4, 0]), Err(Error::InvalidFrameSize));
    assert_eq!(upgrade(&[0, 4, 0x80, 0, 0, 0]), Err(Error::InvalidInitialWindow));
}

#[test]
fn both_ends_take_each_others_first_words() {
    assert_eq!((server().said, client().said), (vec![], vec![]));
}
