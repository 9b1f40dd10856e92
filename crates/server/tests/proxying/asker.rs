//! A client that asks for a WebSocket, by HTTP/1.1 or by HTTP/2.

use gannet_proto::h2::ErrorCode;
use gannet_proto::{BodyLength, Method};

use crate::h2_rig::{Caller2, Heard, Lines, Stage, field, request};
use crate::peer::Peer;
use crate::world::World;

/// What a client of HTTP/1.1 says, and what that is answered (RFC 6455, 1.3).
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub enum Asker {
    One(Peer),
    Two(Box<Caller2>, usize),
}

/// One of each.
pub const BOTH: [fn(&World, &str) -> Asker; 2] = [Asker::one, Asker::two];

impl Asker {
    pub fn one(world: &World, fields: &str) -> Asker {
        let mut peer = Peer::connect(world);
        peer.say(format!(
            "GET /chat?a=b HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
        ));
        Asker::One(peer)
    }

    pub fn two(world: &World, fields: &str) -> Asker {
        let mut caller = Box::new(Caller2::connect(world));
        let fields = format!("sec-websocket-version: 13\r\n{}", fields.to_lowercase());
        let mut head = request(Method::Connect, "/chat?a=b", BodyLength::None);
        (head.protocol, head.fields) = (Some("websocket"), fields.as_bytes());
        let place = caller.ask(head);
        Asker::Two(caller, place)
    }

    pub fn is_one(&self) -> bool {
        matches!(self, Asker::One(_))
    }

    /// The status that it was answered, if it was.
    pub fn status(&mut self) -> Option<u16> {
        match self {
            Asker::One(peer) => peer.hear().first().map(|answer| answer.status),
            Asker::Two(caller, place) => Some(caller.hear(*place).status).filter(|status| *status != 0),
        }
    }

    pub fn fields(&mut self) -> Lines {
        match self {
            Asker::One(peer) => peer.hear()[0].fields.clone(),
            Asker::Two(caller, place) => caller.hear(*place).fields.clone(),
        }
    }

    /// Checks that it was told that it has its WebSocket, as its HTTP tells that.
    pub fn assert_opened(&mut self) {
        let (status, fields) = (self.status(), self.fields());
        let of_key = field(&fields, "sec-websocket-accept");
        match self {
            Asker::One(_) => {
                assert_eq!((status, of_key), (Some(101), Some(ACCEPT)), "{fields:?}");
                assert_eq!(field(&fields, "upgrade"), Some("websocket"));
            }
            Asker::Two(..) => {
                assert_eq!((status, of_key), (Some(200), None), "{fields:?}");
                assert_eq!(field(&fields, "upgrade"), None);
            }
        }
    }

    /// The body of a refusal, or what was said in the tunnel.
    pub fn said(&mut self) -> Vec<u8> {
        match self {
            Asker::One(peer) => match peer.hear().first() {
                Some(answer) if answer.status != 101 => answer.body.clone(),
                _ => peer.conversation().to_vec(),
            },
            Asker::Two(caller, place) => caller.hear(*place).body.clone(),
        }
    }

    /// Says as much of it as is taken; how much that was.
    pub fn say(&mut self, bytes: &[u8]) -> usize {
        match self {
            Asker::One(peer) => peer.client.write(bytes).unwrap_or(0),
            Asker::Two(caller, place) => {
                caller.hear(*place);
                let key = caller.told[*place].0;
                let length = caller.protocol.room(key).min(bytes.len());
                if length > 0 {
                    caller.push(*place, &bytes[..length], false);
                }
                length
            }
        }
    }

    /// Ends its half.
    pub fn finish(&mut self) {
        match self {
            Asker::One(peer) => peer.client.finish(),
            Asker::Two(caller, place) => caller.finish(*place, b""),
        }
    }

    /// Breaks it off.
    pub fn reset(&mut self) {
        match self {
            Asker::One(peer) => peer.client.reset(),
            Asker::Two(caller, place) => caller.reset(*place, ErrorCode::CANCEL),
        }
    }

    /// Whether the other half has ended in good order.
    pub fn is_ended(&mut self) -> bool {
        match self {
            Asker::One(peer) => peer.is_ended(),
            Asker::Two(caller, place) => caller.hear(*place).ended,
        }
    }

    /// Whether it was broken off.
    pub fn is_broken(&mut self) -> bool {
        match self {
            Asker::One(peer) => !peer.client.is_open(),
            Asker::Two(caller, place) => caller.hear(*place).reset.is_some(),
        }
    }
}

/// The request for a tunnel that came to an upstream; nothing else has.
pub fn connect(stage: &mut Stage) -> (u32, Lines) {
    match &stage.hear()[..] {
        [Heard::Request { stream, method, protocol, target, authority, fields, ended: false }] => {
            let asked = (method.as_str(), protocol.as_deref().map(str::to_lowercase));
            assert_eq!(asked, ("CONNECT", Some("websocket".to_owned())));
            assert_eq!((target.as_str(), authority.as_str()), ("/chat?a=b", "a.example"));
            (*stream, fields.clone())
        }
        heard => panic!("{heard:?}"),
    }
}
