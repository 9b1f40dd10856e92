//! Responses beside httparse: what we accept it accepts as the same response, and what it rejects we reject; and at each level of CPU, cut
//! into whatever pieces, bytes mean the same.

mod common;

use common::exercise_client::client as agree;
use proptest::prelude::*;

fn response() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => "HTTP/1\\.[01] [1-5][0-9][0-9] [ -~]{0,20}",
        1 => "HTTP/1\\.1 (101|103|204|304|200)",
        1 => "[ -~]{0,30}",
    ];
    let field = prop_oneof![
        6 => "[A-Za-z0-9-]{1,20}:[ \t]{0,2}[ -~]{0,40}[ \t]{0,2}",
        2 => "Content-Length: ([0-9]|1[0-9])",
        2 => "Transfer-Encoding: chunked",
        1 => "(Connection: (close|upgrade|keep-alive)|Upgrade: x)",
        1 => "[!-~]{0,12}:[\t -~\u{80}-\u{ff}]{0,20}",
    ];
    let rest = prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..30),
        2 => prop::collection::vec("[a-z]{1,9}", 0..4).prop_map(|chunks| chunked(&chunks)),
    ];
    (0..2_usize, line, prop::collection::vec(field, 0..5), rest).prop_map(|(interim, line, fields, rest)| {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let interim = "HTTP/1.1 103 \r\nLink: </a>\r\n\r\n".repeat(interim);
        [format!("{interim}{line}\r\n{fields}\r\n").as_bytes(), &rest].concat()
    })
}

fn chunked(chunks: &[String]) -> Vec<u8> {
    let chunks: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
    format!("{chunks}0\r\nX: y\r\n\r\n").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn nearly_well_formed_responses_are_understood_alike(choice in any::<u8>(), response in response()) {
        agree(&[&[choice][..], &response].concat());
    }

    #[test]
    fn responses_with_a_byte_changed_are_understood_alike(
        choice in any::<u8>(),
        response in response(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = [&[choice][..], &response].concat();
        let place = 1 + place.index(response.len());
        bytes[place] = byte;
        agree(&bytes);
    }

    #[test]
    fn beginnings_of_responses_are_understood_alike(
        choice in any::<u8>(),
        response in response(),
        length in any::<prop::sample::Index>(),
    ) {
        agree(&[&[choice][..], &response[..length.index(response.len())]].concat());
    }

    #[test]
    fn any_bytes_of_a_server_are_understood_alike(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        agree(&bytes);
    }
}
