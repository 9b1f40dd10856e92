//! Beside httparse: what we accept it accepts as the same request, and what it rejects we reject. And beside ourselves: at
//! each level of CPU, and cut into whatever pieces, bytes mean the same.

mod common;

use common::exercise::head as agree;
use common::{Listener, whole};
use gannet_proto::Limits;
use gannet_proto::h1::Connection;
use gannet_proto::scan::Level;
use proptest::prelude::*;

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        "/[!-~]{0,40}",
        "http://[a-z.]{1,12}(:[0-9]{1,5})?(/[!-~]{0,20})?",
        Just("*".to_owned()),
        "[ -~]{0,20}",
    ]
}

fn request() -> impl Strategy<Value = String> {
    let method = prop_oneof![4 => "GET|POST|OPTIONS|PUT", 1 => "[!-~]{1,12}"];
    let version = prop_oneof![9 => "HTTP/1\\.[01]", 1 => "[ -~]{0,10}"];
    let field = prop_oneof![
        4 => "[A-Za-z0-9-]{1,20}:[ \t]{0,2}[ -~]{0,40}[ \t]{0,2}",
        1 => "[!-~]{0,12}:[\t -~\u{80}-\u{ff}]{0,20}",
    ];
    (method, target(), version, prop::collection::vec(field, 0..6)).prop_map(
        |(method, target, version, fields)| {
            let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
            format!("{method} {target} {version}\r\nHost: a\r\n{fields}\r\n")
        },
    )
}

proptest! {
    #[test]
    fn nearly_well_formed_requests_are_understood_alike(request in request()) {
        agree(request.as_bytes());
    }

    #[test]
    fn requests_with_a_byte_changed_are_understood_alike(
        request in request(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = request.into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        agree(&bytes);
    }

    #[test]
    fn beginnings_of_requests_are_understood_alike(request in request(), length in any::<prop::sample::Index>()) {
        let length = length.index(request.len());
        agree(&request.as_bytes()[..length]);
    }

    #[test]
    fn any_bytes_are_understood_alike(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        agree(&bytes);
    }

    #[test]
    fn within_whatever_limits_every_level_reads_the_same(
        request in request(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        (head_bytes, method_bytes, target_bytes, fields) in (0..500_u16, 0..8_u16, 0..50_u16, 0..8_u16),
    ) {
        let limits = Limits { head_bytes, method_bytes, target_bytes, fields, ..Limits::default() };
        let mut bytes = request.into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let expected = whole(limits, &bytes);
        for level in Level::available() {
            for cut in [0, place] {
                let mut listener = Listener::new(Connection::new(limits).with_level(level));
                listener.receive(&bytes[..cut]);
                listener.receive(&bytes[cut..]);
                prop_assert_eq!(&listener.said, &expected, "with {} cut at {}", level.name(), cut);
            }
        }
    }
}
