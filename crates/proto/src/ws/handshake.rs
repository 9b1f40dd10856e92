//! The opening handshake (RFC 6455 section 4): what a server looks at before it agrees, and a client before it believes that.
//!
//! Over HTTP/2 (RFC 8441 section 5) there are no keys, and nothing is upgraded: only the version is looked at, and what is said of
//! [extensions](super::choose_compression) and protocols is the same.

use super::base64;
use crate::http::members;
use sha1_smol::Sha1;

/// The version that all speak (section 4.1): the value of Sec-WebSocket-Version.
pub const VERSION: &str = "13";

/// What a server's proof is made of, besides the key (section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Sec-WebSocket-Key of these bytes, which nobody can foretell and no other request has.
pub const fn key(random: &[u8; 16]) -> [u8; 24] {
    base64::encode(random)
}

/// The Sec-WebSocket-Accept that proves that a request with this Sec-WebSocket-Key was understood.
pub fn accept(key: &[u8]) -> [u8; 28] {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    base64::encode(&hash.digest().bytes())
}

/// What a server does not agree to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// It does not ask for a WebSocket. Answer with 426 and `Upgrade: websocket` where there is nothing else.
    NotWebSocket,
    /// Its version is none that is spoken here. Answer with 426 and Sec-WebSocket-Version (section 4.4).
    UnsupportedVersion,
    /// Its key is none: there is none, there are several, or it is not sixteen bytes in Base64. Answer with 400.
    InvalidKey,
}

impl Refusal {
    /// What is wrong, as a clause without a full stop.
    pub const fn message(self) -> &'static str {
        match self {
            Refusal::NotWebSocket => "the request does not ask for an upgrade to WebSocket",
            Refusal::UnsupportedVersion => "Sec-WebSocket-Version is not 13",
            Refusal::InvalidKey => "Sec-WebSocket-Key is not sixteen bytes in Base64, given once",
        }
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Refusal {}

/// The fields that are about the handshake: the values of all lines of a name, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestFields<'a> {
    /// Connection.
    pub connection: &'a [&'a [u8]],
    /// Upgrade.
    pub upgrade: &'a [&'a [u8]],
    /// Sec-WebSocket-Version.
    pub version: &'a [&'a [u8]],
    /// Sec-WebSocket-Key.
    pub key: &'a [&'a [u8]],
}

/// Looks at the fields of a GET request by HTTP/1.1 (section 4.2.1); gives the Sec-WebSocket-Accept that answers it. That the method is GET, and the version
/// of HTTP 1.1 at least, is for whoever calls.
///
/// # Errors
/// What is not agreed to, and with which status that is answered.
pub fn check_request(fields: RequestFields<'_>) -> Result<[u8; 28], Refusal> {
    if !lists(fields.upgrade, b"websocket") || !lists(fields.connection, b"upgrade") {
        return Err(Refusal::NotWebSocket);
    }
    check_version(fields.version)?;
    match fields.key {
        [key] if base64::is_sixteen_bytes(key.trim_ascii()) => Ok(accept(key.trim_ascii())),
        _ => Err(Refusal::InvalidKey),
    }
}

/// Looks at the Sec-WebSocket-Version of a request: all that is left to look at by HTTP/2.
///
/// # Errors
/// It is not 13, or is not given once.
pub fn check_version(version: &[&[u8]]) -> Result<(), Refusal> {
    match version {
        [version] if version.trim_ascii() == VERSION.as_bytes() => Ok(()),
        _ => Err(Refusal::UnsupportedVersion),
    }
}

/// What a client does not believe.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Disbelief {
    /// The response switches to something other than WebSocket.
    NotWebSocket,
    /// Sec-WebSocket-Accept is not what the key asks for: the request was not understood, or the answer is another's.
    WrongAccept,
    /// Sec-WebSocket-Protocol is none that was offered, or there are several.
    UnknownProtocol,
    /// Sec-WebSocket-Extensions agrees to what was not offered, or is no list.
    UnofferedExtension,
}

impl Disbelief {
    /// What is wrong, as a clause without a full stop.
    pub const fn message(self) -> &'static str {
        match self {
            Disbelief::NotWebSocket => "the response does not switch to WebSocket",
            Disbelief::WrongAccept => "Sec-WebSocket-Accept is not the answer to the key that was sent",
            Disbelief::UnknownProtocol => "Sec-WebSocket-Protocol is not one that was offered",
            Disbelief::UnofferedExtension => "Sec-WebSocket-Extensions agrees to what was not offered",
        }
    }
}

impl core::fmt::Display for Disbelief {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Disbelief {}

/// The fields of a response that are about the handshake: the values of all lines of a name, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseFields<'a> {
    /// Connection.
    pub connection: &'a [&'a [u8]],
    /// Upgrade.
    pub upgrade: &'a [&'a [u8]],
    /// Sec-WebSocket-Accept.
    pub accept: &'a [&'a [u8]],
}

/// Looks at the fields of a 101 response to a request with this key (section 4.1). What it says of protocols is for [`check_protocol`], and of extensions for
/// [`Wishes::check_answer`](super::Wishes::check_answer).
///
/// # Errors
/// What is not believed. The connection is to be closed.
pub fn check_response(key: &[u8], fields: ResponseFields<'_>) -> Result<(), Disbelief> {
    let upgrades =
        matches!(fields.upgrade, [upgrade] if upgrade.trim_ascii().eq_ignore_ascii_case(b"websocket"));
    if !upgrades || !lists(fields.connection, b"upgrade") {
        return Err(Disbelief::NotWebSocket);
    }
    match fields.accept {
        [value] if value.trim_ascii() == accept(key) => Ok(()),
        _ => Err(Disbelief::WrongAccept),
    }
}

/// The protocol that a server chose of those that were offered; `None` if it chose none, which it may.
///
/// # Errors
/// It chose another, or several.
pub fn check_protocol<'a>(offered: &[&'a str], chosen: &[&[u8]]) -> Result<Option<&'a str>, Disbelief> {
    match chosen {
        [] => Ok(None),
        [one] => {
            let found = offered.iter().find(|protocol| protocol.as_bytes() == one.trim_ascii());
            found.map(|protocol| Some(*protocol)).ok_or(Disbelief::UnknownProtocol)
        }
        _ => Err(Disbelief::UnknownProtocol),
    }
}

/// The first of the protocols that a client asks for, which it likes best, that is among those that are spoken; `None` if there is none. `asked` has the values of all
/// Sec-WebSocket-Protocol lines; names are compared as they are written (section 11.3.4).
pub fn choose_protocol<'a>(asked: &[&[u8]], spoken: &[&'a str]) -> Option<&'a str> {
    let mut asked = asked.iter().flat_map(|line| members(line));
    asked.find_map(|protocol| spoken.iter().find(|spoken| spoken.as_bytes() == protocol).copied())
}

/// Whether one of these lines lists the token, in whatever case.
fn lists(lines: &[&[u8]], token: &[u8]) -> bool {
    lines.iter().flat_map(|line| members(line)).any(|member| member.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const REQUEST: RequestFields<'_> = RequestFields {
        connection: &[b"keep-alive", b"Upgrade"],
        upgrade: &[b"websocket"],
        version: &[b"13"],
        key: &[KEY],
    };
    const RESPONSE: ResponseFields<'_> =
        ResponseFields { connection: &[b"upgrade"], upgrade: &[b"WebSocket"], accept: &[ACCEPT] };

    /// Section 1.3 has this example.
    #[test]
    fn a_request_is_answered_by_what_its_key_asks_for() {
        assert_eq!(check_request(REQUEST), Ok(*b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(&key(b"the sample nonce"), KEY);
        let listed = RequestFields {
            connection: &[b"close, UPGRADE"],
            upgrade: &[b"h2c , WebSocket"],
            version: &[b" 13 "],
            key: &[b" dGhlIHNhbXBsZSBub25jZQ== "],
        };
        assert_eq!(check_request(listed).as_ref().map(|accept| &accept[..]), Ok(ACCEPT));
    }

    #[test]
    fn what_is_not_agreed_to_is_named() {
        for (fields, refusal) in [
            (RequestFields { upgrade: &[], ..REQUEST }, Refusal::NotWebSocket),
            (RequestFields { upgrade: &[b"h2c", b"web socket"], ..REQUEST }, Refusal::NotWebSocket),
            (RequestFields { connection: &[b"keep-alive"], ..REQUEST }, Refusal::NotWebSocket),
            (RequestFields { version: &[], ..REQUEST }, Refusal::UnsupportedVersion),
            (RequestFields { version: &[b"8"], ..REQUEST }, Refusal::UnsupportedVersion),
            (RequestFields { version: &[b"13, 8"], ..REQUEST }, Refusal::UnsupportedVersion),
            (RequestFields { version: &[b"13", b"13"], ..REQUEST }, Refusal::UnsupportedVersion),
            (RequestFields { key: &[], ..REQUEST }, Refusal::InvalidKey),
            (RequestFields { key: &[KEY, KEY], ..REQUEST }, Refusal::InvalidKey),
            (RequestFields { key: &[b"c2hvcnQ="], ..REQUEST }, Refusal::InvalidKey),
        ] {
            assert_eq!(check_request(fields), Err(refusal), "{fields:?}");
        }
    }

    #[test]
    fn a_response_is_believed_only_if_it_answers_the_key() {
        assert_eq!(check_response(KEY, RESPONSE), Ok(()));
        for (fields, disbelief) in [
            (ResponseFields { upgrade: &[], ..RESPONSE }, Disbelief::NotWebSocket),
            (ResponseFields { upgrade: &[b"h2c, websocket"], ..RESPONSE }, Disbelief::NotWebSocket),
            (ResponseFields { connection: &[b"close"], ..RESPONSE }, Disbelief::NotWebSocket),
            (ResponseFields { accept: &[], ..RESPONSE }, Disbelief::WrongAccept),
            (ResponseFields { accept: &[ACCEPT, ACCEPT], ..RESPONSE }, Disbelief::WrongAccept),
            (
                ResponseFields { accept: &[b"S3PPLMBITXAQ9KYGZZHZRBK+XOO="], ..RESPONSE },
                Disbelief::WrongAccept,
            ),
        ] {
            assert_eq!(check_response(KEY, fields), Err(disbelief), "{fields:?}");
        }
    }

    #[test]
    fn a_protocol_is_one_that_both_know() {
        let spoken = ["chat", "superchat"];
        assert_eq!(choose_protocol(&[b"mqtt, superchat", b"chat"], &spoken), Some("superchat"));
        assert_eq!(choose_protocol(&[b"mqtt, Chat"], &spoken), None);
        assert_eq!(choose_protocol(&[], &spoken), None);
        assert_eq!(check_protocol(&spoken, &[]), Ok(None));
        assert_eq!(check_protocol(&spoken, &[b"chat"]), Ok(Some("chat")));
        assert_eq!(check_protocol(&spoken, &[b"chat, superchat"]), Err(Disbelief::UnknownProtocol));
        assert_eq!(check_protocol(&spoken, &[b"chat", b"chat"]), Err(Disbelief::UnknownProtocol));
        assert_eq!(check_protocol(&[], &[b"chat"]), Err(Disbelief::UnknownProtocol));
    }
}
