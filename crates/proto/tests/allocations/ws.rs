//! A conversation by WebSocket allocates nothing once its buffers have grown, and holds nothing between messages.

use super::{ALLOCATIONS, HELD_BYTES};
use gannet_proto::scan::Level;
use gannet_proto::ws::{
    ControlPayload, Event, Fragments, Kind, Limits, Receiver, Role, write_message, write_ping, write_pong,
};

const MASK: Option<[u8; 4]> = Some([1, 2, 3, 4]);

/// Messages of several kinds, a Ping among them.
fn frames() -> Vec<u8> {
    let mut sent = Vec::new();
    write_message(Kind::Text, "grüezi".repeat(50).as_bytes(), MASK, &mut sent);
    let mut fragments = Fragments::new(Kind::Binary);
    fragments.write(&[7; 1000], false, MASK, &mut sent);
    write_ping(&ControlPayload::new(b"still there?").expect("it is short"), MASK, &mut sent);
    fragments.write(&[7; 1000], true, MASK, &mut sent);
    sent
}

/// Receives it all in pieces, and echoes it.
fn echo(
    receiver: &mut Receiver,
    sent: &[u8],
    piece: usize,
    message: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> usize {
    let (limits, mut events) = (Limits::default(), 0);
    out.clear();
    for mut piece in sent.chunks(piece) {
        while let Some(event) =
            receiver.poll_event(&mut piece, &limits, message, None).expect("it is in order")
        {
            events += 1;
            match event {
                Event::Text => write_message(Kind::Text, message, None, out),
                Event::Binary => write_message(Kind::Binary, message, None, out),
                Event::Ping(payload) => write_pong(&payload, None, out),
                other => panic!("{other:?} was not sent"),
            }
        }
    }
    events
}

#[test]
fn messages_that_come_whole_or_cut_allocate_nothing_once_the_buffers_have_grown() {
    let (sent, mut message, mut out) = (frames(), Vec::new(), Vec::new());
    let mut receiver = Receiver::new(Role::Server, Level::detect());
    let before = ALLOCATIONS.get();
    assert_eq!(echo(&mut receiver, &sent, sent.len(), &mut message, &mut out), 3);
    let first = ALLOCATIONS.get();
    assert!(first > before, "the counter counts: the buffers grow");
    for piece in [sent.len(), 500, sent.len() - 1] {
        assert_eq!(echo(&mut receiver, &sent, piece, &mut message, &mut out), 3);
    }
    assert_eq!(ALLOCATIONS.get(), first);
    // Only a Ping that is cut has memory of its own, until it is whole.
    assert_eq!(echo(&mut receiver, &sent, 1, &mut message, &mut out), 3);
    assert_eq!(ALLOCATIONS.get(), first + 1);
}

#[test]
fn a_receiver_holds_nothing_between_messages() {
    let sent = frames();
    let before = HELD_BYTES.get();
    let mut receivers: Vec<Receiver> = Vec::with_capacity(1000);
    let array = HELD_BYTES.get() - before;
    assert!(array <= 64 * 1000, "{array}");
    for _ in 0..1000 {
        receivers.push(Receiver::new(Role::Server, Level::detect()));
    }
    for (index, receiver) in receivers.iter_mut().enumerate() {
        let (mut message, mut out) = (Vec::new(), Vec::new());
        echo(receiver, &sent, index + 1, &mut message, &mut out);
    }
    assert_eq!(HELD_BYTES.get() - before, array);
}
