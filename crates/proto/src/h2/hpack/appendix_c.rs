//! The examples of RFC 7541 appendix C: what they decode to, what the dynamic table is after each, and what encodes to them.

use super::encoder::Indexing;
use super::input::{Input, put_integer};
use super::static_table;
use super::table::Table;
use super::{Decoder, Encoder, List};
use alloc::string::String;
use alloc::vec::Vec;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u32> = hexadecimal.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| (high * 16 + low) as u8).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the examples are text")
}

fn fields(list: &List) -> Vec<(String, String)> {
    list.fields.iter().map(|line| (text(line.name.of(&list.text)), text(line.value.of(&list.text)))).collect()
}

fn entries(table: &Table) -> Vec<(String, String)> {
    (0..table.len())
        .filter_map(|age| table.get(age))
        .map(|kept| (text(kept.name()), text(kept.value())))
        .collect()
}

fn owned(fields: Fields<'_>) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
}

/// One block of an example: what it decodes to, and the dynamic table and its size after it.
struct Block<'a> {
    bytes: &'a str,
    fields: Fields<'a>,
    table: Fields<'a>,
    size: usize,
}

fn decode(max_size: u32, blocks: &[Block<'_>]) {
    let (mut decoder, mut list) = (Decoder::new(max_size), List::new(4096, 100));
    for block in blocks {
        decoder.decode(&bytes(block.bytes), &mut list).expect("an example is in order");
        assert_eq!(fields(&list), owned(block.fields));
        assert_eq!(entries(&decoder.table), owned(block.table));
        assert_eq!(decoder.table.size(), block.size);
        let sizes = block.fields.iter().map(|(name, value)| name.len() + value.len() + 32);
        assert_eq!((list.size, list.too_large), (sizes.sum(), false));
        for line in &list.fields {
            assert_eq!(line.index, static_table::index_of(line.name.of(&list.text)));
        }
    }
}

/// Encodes the fields of each block as the examples do, with indexing throughout. What one of their strings is otherwise than ours is given as `(theirs, ours)`.
fn encode(max_size: u32, blocks: &[Block<'_>], other: (&str, &str)) {
    let (mut encoder, mut out) = (Encoder::new(1), Vec::new());
    encoder.set_max_size(max_size, max_size);
    // The size was agreed before the examples begin.
    encoder.begin(&mut out);
    for block in blocks {
        out.clear();
        encoder.begin(&mut out);
        for (name, value) in block.fields {
            let (name, value) = (name.as_bytes(), value.as_bytes());
            let index = static_table::index_of(name);
            match static_table::index_of_value(index, value) {
                0 => encoder.literal(Indexing::With, index, name, value, &mut out),
                _ => encoder.field(name, value, &mut out),
            }
        }
        assert_eq!(out, bytes(&block.bytes.replacen(other.0, other.1, 1)));
        assert_eq!(entries(&encoder.table), owned(block.table));
        assert_eq!(encoder.table.size(), block.size);
    }
}

#[test]
fn c_1_integers() {
    for (value, mask, encoded) in [(10, 0x1f, "0a"), (1337, 0x1f, "1f9a0a"), (42, 0xff, "2a")] {
        let mut out = Vec::new();
        put_integer(value, mask, 0, &mut out);
        assert_eq!(out, bytes(encoded));
        let mut input = Input::new(&out);
        let first = input.byte().expect("an integer has a first byte");
        // What is in the bits before it does not matter.
        assert_eq!(input.integer(first | !mask, mask), Ok(value));
        assert_eq!(input.byte(), None);
    }
}

const C_2_1: Block<'_> = Block {
    bytes: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
    fields: &[("custom-key", "custom-header")],
    table: &[("custom-key", "custom-header")],
    size: 55,
};

#[test]
fn c_2_1_a_literal_field_with_indexing() {
    decode(4096, &[C_2_1]);
}

#[test]
fn c_2_2_a_literal_field_without_indexing() {
    let bytes = "040c 2f73 616d 706c 652f 7061 7468";
    decode(4096, &[Block { bytes, fields: &[(":path", "/sample/path")], table: &[], size: 0 }]);
}

#[test]
fn c_2_3_a_literal_field_that_is_never_indexed() {
    let hexadecimal = "1008 7061 7373 776f 7264 0673 6563 7265 74";
    decode(4096, &[Block { bytes: hexadecimal, fields: &[("password", "secret")], table: &[], size: 0 }]);
    let mut list = List::new(4096, 100);
    Decoder::new(4096).decode(&bytes(hexadecimal), &mut list).expect("the example is in order");
    assert!(list.fields[0].never_indexed);
}

#[test]
fn c_2_4_an_indexed_field() {
    let block = Block { bytes: "82", fields: &[(":method", "GET")], table: &[], size: 0 };
    decode(4096, &[block]);
}

const FIRST_REQUEST: Fields<'static> =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
const SECOND_REQUEST: Fields<'static> = &[
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "www.example.com"),
    ("cache-control", "no-cache"),
];
const THIRD_REQUEST: Fields<'static> = &[
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/index.html"),
    (":authority", "www.example.com"),
    ("custom-key", "custom-value"),
];

/// Three requests, and the tables after them, which are the same however strings are coded.
fn requests(bytes: [&str; 3]) -> [Block<'_>; 3] {
    let table: Fields<'static> =
        &[("custom-key", "custom-value"), ("cache-control", "no-cache"), (":authority", "www.example.com")];
    [
        Block { bytes: bytes[0], fields: FIRST_REQUEST, table: &table[2..], size: 57 },
        Block { bytes: bytes[1], fields: SECOND_REQUEST, table: &table[1..], size: 110 },
        Block { bytes: bytes[2], fields: THIRD_REQUEST, table, size: 164 },
    ]
}

#[test]
fn c_3_requests_without_huffman_coding() {
    decode(
        4096,
        &requests([
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ]),
    );
}

#[test]
fn c_4_requests_with_huffman_coding() {
    let blocks = requests([
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ]);
    decode(4096, &blocks);
    encode(4096, &blocks, ("", ""));
    // All that they index is what we would.
    let (mut encoder, mut out) = (Encoder::new(1), Vec::new());
    for block in &blocks {
        out.clear();
        encoder.begin(&mut out);
        block
            .fields
            .iter()
            .for_each(|(name, value)| encoder.field(name.as_bytes(), value.as_bytes(), &mut out));
        assert_eq!(out, bytes(block.bytes));
    }
}

const DATE_21: (&str, &str) = ("date", "Mon, 21 Oct 2013 20:13:21 GMT");
const DATE_22: (&str, &str) = ("date", "Mon, 21 Oct 2013 20:13:22 GMT");
const LOCATION: (&str, &str) = ("location", "https://www.example.com");
const PRIVATE: (&str, &str) = ("cache-control", "private");
const GZIP: (&str, &str) = ("content-encoding", "gzip");
const COOKIE: (&str, &str) = ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");

/// Three responses, in a table of 256 bytes, which evicts.
fn responses(bytes: [&str; 3]) -> [Block<'_>; 3] {
    [
        Block {
            bytes: bytes[0],
            fields: &[(":status", "302"), PRIVATE, DATE_21, LOCATION],
            table: &[LOCATION, DATE_21, PRIVATE, (":status", "302")],
            size: 222,
        },
        Block {
            bytes: bytes[1],
            fields: &[(":status", "307"), PRIVATE, DATE_21, LOCATION],
            table: &[(":status", "307"), LOCATION, DATE_21, PRIVATE],
            size: 222,
        },
        Block {
            bytes: bytes[2],
            fields: &[(":status", "200"), PRIVATE, DATE_22, LOCATION, GZIP, COOKIE],
            table: &[COOKIE, GZIP, DATE_22],
            size: 215,
        },
    ]
}

#[test]
fn c_5_responses_without_huffman_coding() {
    decode(
        256,
        &responses([
            "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
             2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
             6c65 2e63 6f6d",
            "4803 3330 37c1 c0bf",
            "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
             54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
             5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
             3d31",
        ]),
    );
}

#[test]
fn c_6_responses_with_huffman_coding() {
    let blocks = responses([
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
         2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab
         77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f
         9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ]);
    decode(256, &blocks);
    // Where a string's code is as long as the string, they code it and we do not.
    encode(256, &blocks, ("83 640e ff", "03 3330 37"));
}
