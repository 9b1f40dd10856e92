//! HPACK as its callers see it: what a block means and what is wrong with it, what becomes an entry, what is said of tables' sizes.

mod common;

use common::exercise_hpack::{roomy, spelled_out};
use gannet_proto::Status;
use gannet_proto::h2::hpack::{
    Decoder, Encoder, Error, INITIAL_SIZE, LARGEST_LIST, List, TableSize, put_date, put_length, put_lines,
    put_static, put_status,
};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What the blocks of one connection decode to, or what is wrong with the first that is in no order.
fn decode_all(blocks: &[&[u8]]) -> Result<Vec<Fields>, Error> {
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), roomy());
    blocks.iter().map(|block| decoder.decode(block, &mut list).map(|()| spelled_out(&list))).collect()
}

fn decode(block: &[u8]) -> Result<Fields, Error> {
    Ok(decode_all(&[block])?.remove(0))
}

fn fields(fields: &[(&str, &str)]) -> Fields {
    fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// A literal field that becomes an entry, nothing of it coded.
fn entry(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0x40, name.len() as u8], name, &[value.len() as u8], value].concat()
}

/// Blocks that are in no order.
const WRONG: [(&[u8], Error); 26] = [
    // An index stands for nothing.
    (b"\x80", Error::InvalidIndex),
    (b"\xbe", Error::InvalidIndex),
    (b"\xff\x00", Error::InvalidIndex),
    (b"\xff\xff\xff\xff\x7f", Error::InvalidIndex),
    (b"\x7e\x01a", Error::InvalidIndex),
    (b"\x0f\x2f\x01a", Error::InvalidIndex),
    (b"\x1f\x2f\x01a", Error::InvalidIndex),
    (b"\x40\x01a\x01b\xbf", Error::InvalidIndex),
    // Integers that nothing is counted by.
    (b"\xff\xff\xff\xff\xff\x0f", Error::IntegerTooLarge),
    (b"\xff\x80\x80\x80\x80\x00", Error::IntegerTooLarge),
    (b"\x40\x7f\xff\xff\xff\xff\xff\xff\xff\xff\x01", Error::IntegerTooLarge),
    (b"\x3f\xff\xff\xff\xff\x0f", Error::IntegerTooLarge),
    // What is announced does not come.
    (b"\xff", Error::Truncated),
    (b"\x40", Error::Truncated),
    (b"\x40\x02a", Error::Truncated),
    (b"\x04\x7f\xff\xff\xff\x7fa", Error::Truncated),
    (b"\x3f\xe1", Error::Truncated),
    // Huffman coding (section 5.2): `a` is 00011, `o` 00111, and 30 ones are the end.
    (b"\x04\x84\xff\xff\xff\xff", Error::EndOfString),
    (b"\x04\x86\x18\xff\xff\xff\xff\xff", Error::EndOfString),
    (b"\x04\x82\x1f\xff", Error::InvalidPadding),
    (b"\x04\x81\xff", Error::InvalidPadding),
    (b"\x04\x81\x18", Error::InvalidPadding),
    // Size updates (section 4.2).
    (b"\x3f\xe2\x1f\x82", Error::SizeTooLarge),
    (b"\x82\x20", Error::LateSizeUpdate),
    (b"\x82\x3f\xe1\x1f", Error::LateSizeUpdate),
    (b"\x20\x20\x20\x82", Error::TooManySizeUpdates),
];

#[test]
fn a_block_that_is_in_no_order_is_refused_with_what_is_wrong() {
    for (block, error) in WRONG {
        assert_eq!(decode(block), Err(error), "{block:x?}");
        // Also where the list has no room for any of it.
        let begins = if block[0] & 0xe0 == 0x20 { &b""[..] } else { b"\x82" };
        let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), List::new(0, 0));
        assert_eq!(decoder.decode(&[begins, block].concat(), &mut list), Err(error), "{block:x?}, unheard");
    }
}

#[test]
fn every_error_is_met_and_says_something_of_its_own() {
    for (index, error) in Error::ALL.iter().enumerate() {
        let met = WRONG.iter().any(|(_, wrong)| wrong == error) || *error == Error::MissingSizeUpdate;
        assert!(met && error.to_string().len() > 20, "{error}");
        assert!(Error::ALL[..index].iter().all(|other| other.message() != error.message()), "{error}");
    }
}

#[test]
fn a_block_that_breaks_off_is_truncated_or_ends_where_a_field_does() {
    let block = [
        &b"\x20\x3f\xe1\x1f\x82"[..],
        &entry(b"custom-key", b"custom-value"),
        b"\x84\xbe\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
    ]
    .concat();
    let whole = decode(&block).expect("the block is in order");
    assert_eq!(whole.len(), 5);
    for end in 0..block.len() {
        match decode(&block[..end]) {
            Ok(fields) => assert!(whole.starts_with(&fields) && fields.len() < whole.len()),
            Err(error) => assert_eq!(error, Error::Truncated),
        }
    }
}

#[test]
fn an_entry_s_name_may_be_taken_by_the_field_that_evicts_it() {
    let (name, value) = ([b'n'; 10], [b'v'; 20]);
    // A table of 100 bytes: two entries of 62 do not fit.
    let first = [&b"\x3f\x45"[..], &entry(&name, &value)].concat();
    let second = [&b"\x7e\x14"[..], &[b'w'; 20]].concat();
    let decoded = decode_all(&[&first, &second, b"\xbe"]).expect("the blocks are in order");
    assert_eq!(decoded[2], [(name.to_vec(), [b'w'; 20].to_vec())]);
    assert_eq!(decode_all(&[&first, &second, b"\xbf"]), Err(Error::InvalidIndex));
}

#[test]
fn a_line_tells_which_of_the_static_names_it_has_however_that_came() {
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), roomy());
    let block = [
        &b"\x83\x04\x02/a"[..],
        &entry(b":path", b"/b"),
        &entry(b"te", b"x"),
        b"\xbf\xbe\x10\x06Cookie\x00\x1f\x11\x00",
    ]
    .concat();
    decoder.decode(&block, &mut list).expect("the block is in order");
    let indices: Vec<u8> = list.fields.iter().map(|line| line.index).collect();
    assert_eq!(indices, [2, 4, 4, 0, 4, 0, 0, 32]);
    let secret: Vec<bool> = list.fields.iter().map(|line| line.never_indexed).collect();
    assert_eq!(secret, [false, false, false, false, false, false, true, true]);
}

#[test]
fn a_decoder_asks_for_a_size_update_where_the_table_was_to_become_smaller() {
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), roomy());
    let mut decode_after = |sizes: &[u32], block: &[u8]| {
        sizes.iter().for_each(|size| decoder.set_max_size(*size));
        let result = decoder.decode(block, &mut list);
        if result.is_err() {
            decoder = Decoder::new(INITIAL_SIZE);
        }
        result
    };
    assert_eq!(decode_after(&[8192], b"\x82"), Ok(()), "nobody has to make use of a larger table");
    assert_eq!(decode_after(&[], b"\x3f\xe1\x3f\x82"), Ok(()));
    assert_eq!(decode_after(&[], b"\x3f\xe2\x3f\x82"), Err(Error::SizeTooLarge));
    assert_eq!(decode_after(&[100], b"\x82"), Err(Error::MissingSizeUpdate));
    assert_eq!(decode_after(&[100], b""), Err(Error::MissingSizeUpdate));
    assert_eq!(decode_after(&[100], b"\x3f\x46\x82"), Err(Error::SizeTooLarge));
    assert_eq!(decode_after(&[100], b"\x3f\x45\x82"), Ok(()));
    assert_eq!(decode_after(&[], b"\x82"), Ok(()), "it was said once");
    assert_eq!(decode_after(&[100, 4096], b"\x82"), Ok(()), "the table is as small already");
    assert_eq!(decode_after(&[], b"\x3f\xe1\x1f\x82"), Ok(()));
    assert_eq!(
        decode_after(&[0, 4096], b"\x3f\xe1\x1f\x82"),
        Err(Error::SizeTooLarge),
        "the lowest is to be said"
    );
    assert_eq!(decode_after(&[0, 4096], b"\x20\x3f\xe1\x1f\x82"), Ok(()));
}

#[test]
fn the_generation_changes_with_the_table_and_with_what_is_expected_and_else_not() {
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), roomy());
    let mut changes = |decoder: &mut Decoder, block: &[u8]| {
        let before = decoder.generation();
        decoder.decode(block, &mut list).expect("the block is in order");
        decoder.generation() != before
    };
    assert!(!changes(&mut decoder, b"\x82\x04\x01a"));
    assert!(changes(&mut decoder, b"\x40\x01a\x01b"));
    assert!(!changes(&mut decoder, b"\xbe\x0f\x2f\x01c"));
    assert!(changes(&mut decoder, b"\x20"), "a table that is emptied");
    assert!(changes(&mut decoder, b"\x40\x01a\x01b"), "an entry that does not fit");
    let before = decoder.generation();
    decoder.set_max_size(0);
    assert_eq!(decoder.generation(), before, "the table is as small already");
    decoder.set_max_size(4096);
    assert!(changes(&mut decoder, b"\x3f\xe1\x1f"));
    let before = decoder.generation();
    decoder.set_max_size(100);
    assert_ne!(decoder.generation(), before, "a block that says no size is an error now");
}

#[test]
fn a_list_that_is_too_large_keeps_what_fits_and_the_table_is_as_if_it_were_not() {
    let block =
        [entry(b"a", b"1"), entry(b"b", b"2"), entry(b"c", b"3"), b"\xbe\x0f\x2f\x01x".to_vec()].concat();
    for (list, expected, size) in [
        (List::new(5 * 34, 5), 5, 5 * 34),
        (List::new(5 * 34 - 1, 5), 4, 5 * 34),
        (List::new(2 * 34, 5), 2, 5 * 34),
        (List::new(1000, 3), 3, 5 * 34),
        (List::new(0, 0), 0, 5 * 34),
    ] {
        let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), list);
        decoder.decode(&block, &mut list).expect("the block is in order");
        assert_eq!((list.fields.len(), list.size, list.too_large), (expected, size, expected < 5));
        decoder.decode(b"\xbe\xbf\xc0", &mut list).expect("the entries are there");
        let mut all = roomy();
        decoder.decode(b"\xbe\xbf\xc0", &mut all).expect("the entries are there");
        assert_eq!(spelled_out(&all), fields(&[("c", "3"), ("b", "2"), ("a", "1")]));
    }
}

#[test]
fn a_bomb_costs_no_more_memory_than_the_limit_and_what_it_sent() {
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), List::new(16_384, 100_000));
    let large = vec![b'v'; 4000];
    let block = [&b"\x40\x01a\x7f\xa1\x1e"[..], &large].concat();
    decoder.decode(&block, &mut list).expect("the block is in order");
    assert_eq!((list.size, list.too_large), (4033, false));
    // Indexed fields, literals with its name, each a byte or three for 4,000.
    for field in [&b"\xbe"[..], b"\x0f\x2f\x01x", b"\x1f\x2f\x00"] {
        decoder.decode(&field.repeat(20_000), &mut list).expect("the block is in order");
        assert!(list.too_large && list.size >= 20_000 * 33);
        assert!(list.text.capacity() <= 2 * 16_384, "{}", list.text.capacity());
    }
}

#[test]
fn no_list_is_longer_than_spans_reach() {
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), List::new(usize::MAX, usize::MAX));
    assert_eq!(list.limit, LARGEST_LIST);
    list.limit = usize::MAX;
    let block = [&b"\x40\x01a\x7f\xa1\x1e"[..], &[b'v'; 4000], &[0xbe; 40]].concat();
    decoder.decode(&block, &mut list).expect("the block is in order");
    assert!(list.too_large && list.fields.len() == LARGEST_LIST / 4033);
}

/// Encodes one field on an encoder that has none yet, twice: what each took.
fn twice(name: &str, value: &str) -> [Vec<u8>; 2] {
    let mut encoder = Encoder::new(1);
    [(); 2].map(|()| {
        let mut out = Vec::new();
        encoder.begin(&mut out);
        encoder.field(name.as_bytes(), value.as_bytes(), &mut out);
        out
    })
}

#[test]
fn what_is_the_same_from_message_to_message_is_a_byte_the_second_time() {
    for (name, value) in [
        ("User-Agent", "curl/8"),
        ("x-own", ""),
        (":authority", "example.org"),
        ("Cookie", "session=0123456789abcdef"),
        ("content-type", "text/html"),
        (":status", "418"),
    ] {
        let [first, second] = twice(name, value);
        assert_eq!((first[0] & 0xc0, &second[..]), (0x40, &[0xbe][..]), "{name}");
    }
}

#[test]
fn what_differs_from_message_to_message_becomes_no_entry() {
    for name in [
        ":path",
        "age",
        "content-length",
        "content-range",
        "date",
        "etag",
        "expires",
        "forwarded",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "location",
        "range",
        "Traceparent",
        "tracestate",
        "X-Correlation-Id",
        "X-Forwarded-For",
        "X-Real-IP",
        "X-Request-Id",
    ] {
        let [first, second] = twice(name, "something");
        assert_eq!((first[0] & 0xf0, &first), (0x00, &second), "{name}");
    }
}

#[test]
fn what_is_secret_is_never_indexed() {
    for (name, value) in [
        ("Authorization", "Basic YTpi"),
        ("proxy-authorization", "Basic YTpi"),
        ("Set-Cookie", "session=0123456789abcdef"),
        ("cookie", "pin=1234"),
    ] {
        let [first, second] = twice(name, value);
        let mut out = Vec::new();
        put_static(name.as_bytes(), value.as_bytes(), &mut out);
        assert_eq!((first[0] & 0xf0, &first, &out), (0x10, &second, &first), "{name}");
    }
    let (mut encoder, mut out) = (Encoder::new(1), Vec::new());
    encoder.sensitive_field(b"X-Key", b"secret", &mut out);
    assert_eq!(out[0], 0x10);
    assert_eq!(decode(&out), Ok(fields(&[("x-key", "secret")])));
}

#[test]
fn a_field_that_would_drive_the_others_out_becomes_no_entry() {
    let [first, second] = twice("x-large", &"v".repeat(3072));
    assert_eq!((first[0], &first), (0x00, &second));
    let (mut encoder, mut out) = (Encoder::new(1), Vec::new());
    encoder.set_max_size(0, 4096);
    encoder.begin(&mut out);
    encoder.field(b"x", b"y", &mut out);
    assert_eq!(out[..2], [0x20, 0x00], "no entries where there is no table");
}

#[test]
fn an_encoder_says_what_size_its_table_has_before_anything_else() {
    let mut encoder = Encoder::new(1);
    let mut said_after = |sizes: &[(u32, u32)]| {
        sizes.iter().for_each(|(peers, ours)| encoder.set_max_size(*peers, *ours));
        let mut out = Vec::new();
        encoder.begin(&mut out);
        out
    };
    let size_100 = [0x3f, 0x45];
    let size_4096 = [0x3f, 0xe1, 0x1f];
    assert_eq!(said_after(&[]), []);
    assert_eq!(said_after(&[(65_536, 4096)]), [], "it stays as it is");
    assert_eq!(said_after(&[(4096, 4096)]), size_4096, "whoever reduced it waits for that");
    assert_eq!(said_after(&[(4096, 100)]), size_100);
    assert_eq!(said_after(&[]), [], "once");
    assert_eq!(said_after(&[(200, 100)]), size_100);
    assert_eq!(said_after(&[(4096, 4096)]), size_4096);
    assert_eq!(said_after(&[(0, 4096), (100, 4096), (4096, 4096)]), [&[0x20][..], &size_4096].concat());
    assert_eq!(said_after(&[(0, 4096), (100, 4096)]), [&[0x20][..], &size_100].concat());
}

#[test]
fn who_encodes_without_a_table_says_what_a_peer_waits_for_and_nothing_else() {
    let (mut size, mut decoder, mut list) = (TableSize::default(), Decoder::new(INITIAL_SIZE), roomy());
    for (peers, expected) in
        [(None, 0), (Some(65_536), 0), (Some(4096), 3), (None, 0), (Some(0), 1), (None, 0), (Some(4096), 3)]
    {
        if let Some(peers) = peers {
            size.set(peers, INITIAL_SIZE);
            decoder.set_max_size(peers);
        }
        let mut out = Vec::new();
        size.begin(&mut out);
        assert_eq!(out.len(), expected, "{peers:?}");
        put_status(Status::OK, &mut out);
        assert_eq!(decoder.decode(&out, &mut list), Ok(()));
    }
}

#[test]
fn a_table_that_became_smaller_has_what_still_fits() {
    let (mut encoder, mut decoder, mut list) = (Encoder::new(1), Decoder::new(INITIAL_SIZE), roomy());
    let mut said = |encoder: &mut Encoder, value: &[u8]| {
        let mut out = Vec::new();
        encoder.begin(&mut out);
        encoder.field(b"x-a", value, &mut out);
        decoder.decode(&out, &mut list).expect("the block is in order");
        assert_eq!(spelled_out(&list), [(b"x-a".to_vec(), value.to_vec())]);
        out
    };
    said(&mut encoder, b"first");
    said(&mut encoder, b"second");
    encoder.set_max_size(60, 4096);
    // The size, and an index; but of the first one nothing is left.
    assert_eq!(said(&mut encoder, b"second"), [0x3f, 0x1d, 0xbe]);
    assert_eq!(said(&mut encoder, b"first")[0], 0x7e);
}

#[test]
fn rendered_lines_lose_what_is_for_http1_only_and_their_case() {
    let lines = b"Content-Type: text/html\r\nConnection: close\r\nX-Own:\r\nX-Empty: \r\nKeep-Alive: timeout=5\r\n\
        Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\nProxy-Connection: close\r\nTE: gzip\r\nX-Colon: a: b \r\n";
    let mut out = Vec::new();
    put_lines(lines, &mut out);
    let expected = [
        ("content-type", "text/html"),
        ("x-own", ""),
        ("x-empty", ""),
        ("trailer", "X-Sum"),
        ("x-colon", "a: b"),
    ];
    assert_eq!(decode(&out), Ok(fields(&expected)));
}

#[test]
fn statuses_lengths_and_dates_are_what_they_say() {
    for code in 100..1000 {
        let Some(status) = Status::new(code) else { continue };
        let mut out = Vec::new();
        put_status(status, &mut out);
        assert_eq!(decode(&out), Ok(fields(&[(":status", &code.to_string())])));
        assert_eq!(out.len() == 1, matches!(code, 200 | 204 | 206 | 304 | 400 | 404 | 500), "{code}");
    }
    for length in [0, 9, 10, 1234, u64::MAX] {
        let mut out = Vec::new();
        put_length(length, &mut out);
        assert_eq!(decode(&out), Ok(fields(&[("content-length", &length.to_string())])));
    }
    let mut out = Vec::new();
    put_date(common::DATE, &mut out);
    assert_eq!(decode(&out), Ok(vec![(b"date".to_vec(), common::DATE.to_vec())]));
}
