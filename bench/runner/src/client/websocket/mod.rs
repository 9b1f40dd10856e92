//! WebSockets (RFC 6455), as far as a load needs them: masked text frames out, and unmasked ones in, compared byte by byte.
//!
//! All of a load's messages are alike, so each side's frames are made once.

mod audience;
mod conversations;

use std::net::{SocketAddr, TcpStream};

use super::{LoadError, Received, channel::Channel, host, request};

pub use audience::Audience;
pub use conversations::Conversations;

/// The key that every connection asks with, and the proof that it was read (RFC 6455, 1.3): the null servers look at nothing, and
/// know the answer to this one.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const PROOF: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Masks are to be unforeseeable where proxies could be misled; here a server shall only have to undo one.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The final frame of a text message.
const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
/// What a server may ask a silent client.
const PING: [u8; 2] = [0x89, 0];
/// The longest payload whose length is in the second byte.
const SHORT_BYTES: u8 = 125;

/// The fields that ask for an upgrade, each with its line's end.
fn upgrade_fields() -> String {
    format!(
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
    )
}

/// A message's frame as a client sends it, and as a server does.
fn frames(payload_bytes: u64) -> Result<[Vec<u8>; 2], LoadError> {
    let length = u8::try_from(payload_bytes).ok().filter(|length| *length <= SHORT_BYTES);
    let length = length.ok_or(LoadError::Frame("that is longer than the load can make it"))?;
    let payload = vec![b'x'; usize::from(length)];
    let masked = payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let sent = [TEXT, MASKED | length].into_iter().chain(MASK).chain(masked).collect();
    Ok([sent, [&[TEXT, length], &payload[..]].concat()])
}

/// Whether a server upgrades a connection.
pub fn converse(socket: TcpStream, address: SocketAddr, path: &str) -> Result<(), LoadError> {
    upgrade(&mut Channel::with(socket)?, address, path)
}

/// Has a connection upgraded, and waits for that.
fn upgrade(channel: &mut Channel, address: SocketAddr, path: &str) -> Result<(), LoadError> {
    channel.send(request(&host(address, None), path, &upgrade_fields()).as_bytes())?;
    let (mut head, mut buffer, mut books) = (Vec::new(), [0; 4096], Received::default());
    while !head.ends_with(b"\r\n\r\n") {
        channel.wait()?;
        channel.receive(&mut buffer, &mut books, |bytes| {
            head.extend_from_slice(bytes);
            Ok(0)
        })?;
        if head.len() > buffer.len() {
            return Err(LoadError::Unasked);
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    if !line.starts_with("HTTP/1.1 101 ") || !head.contains(PROOF) {
        return Err(LoadError::Status { expected: 101, line });
    }
    Ok(())
}

/// Compares what has come with what must come next of frames that are all alike; `position` is how far they have come. Before a
/// batch there may be a Ping, which is left unanswered: no run lasts as long as a server waits for that.
fn compare(bytes: &[u8], expected: &[u8], position: &mut usize) -> Result<(), LoadError> {
    let bytes = bytes.strip_prefix(&PING).filter(|_| *position == 0).unwrap_or(bytes);
    let end = *position + bytes.len();
    if expected.get(*position..end) != Some(bytes) {
        return Err(LoadError::Body { body: String::from_utf8_lossy(bytes).into_owned() });
    }
    *position = end;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_masks_what_a_server_sends_back_in_clear() {
        let [sent, expected] = frames(5).unwrap();
        assert_eq!(expected, [0x81, 5, b'x', b'x', b'x', b'x', b'x']);
        assert_eq!(sent[..2], [0x81, 0x85]);
        let unmasked: Vec<u8> =
            sent[6..].iter().zip(sent[2..6].iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, b"xxxxx");
        assert!(frames(126).is_err());
    }

    #[test]
    fn what_comes_in_pieces_is_compared_from_where_it_broke_off_and_nothing_may_follow() {
        let mut position = 0;
        compare(b"ab", b"abc", &mut position).unwrap();
        assert!(compare(b"x", b"abc", &mut position).is_err());
        compare(b"c", b"abc", &mut position).unwrap();
        assert!(compare(b"a", b"abc", &mut position).is_err());
    }

    #[test]
    fn a_ping_is_no_message() {
        let mut position = 0;
        compare(&PING, b"abc", &mut position).unwrap();
        compare(&[&PING[..], b"abc"].concat(), b"abc", &mut position).unwrap();
        assert_eq!(position, 3);
    }
}
