//! HPACK beside `loona-hpack`, and beside ourselves: what one encodes the other decodes, through evictions and changes of the table's size; and whatever bytes
//! are decoded mean the same to both.

mod common;

use common::exercise_hpack::{hpack_decode, roomy, spelled_out};
use gannet_proto::h2::hpack::{Blocks, Decoder, Encoder, INITIAL_SIZE, huffman, put_lines, put_static};
use proptest::prelude::*;

type Field = (Vec<u8>, Vec<u8>);

/// Names and values of which few are different, so that tables matter.
fn field() -> impl Strategy<Value = Field> {
    let name = prop_oneof![
        4 => prop::sample::select(vec![
            ":method", ":path", ":scheme", ":authority", ":status", "accept-encoding", "content-type", "Content-Length", "Cookie", "date",
            "Set-Cookie", "User-Agent", "vary", "X-Request-Id", "authorization", "x-a", "X-A", "x-b",
        ]).prop_map(String::from),
        1 => "[a-zA-Z0-9-]{1,40}",
    ];
    let value = prop_oneof![
        4 => prop::sample::select(vec!["", "GET", "/", "200", "404", "gzip, deflate", "text/html", "a", "b"]).prop_map(Vec::from),
        2 => "[ -~]{0,30}".prop_map(Vec::from),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ];
    (name.prop_map(Vec::from), value)
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    prop::collection::vec(field(), 0..12)
}

fn lowered(fields: &[Field]) -> Vec<Field> {
    fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}

/// What happens on a connection: the decoder's side allows other sizes, or a block comes.
#[derive(Clone, Debug)]
enum Step {
    Sizes(Vec<u32>),
    Block(Vec<Field>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![Just(0), Just(4096), 0..300u32, 0..70_000u32];
    let step = prop_oneof![
        1 => prop::collection::vec(size, 1..4).prop_map(Step::Sizes),
        4 => fields().prop_map(Step::Block),
    ];
    prop::collection::vec(step, 0..20)
}

fn encode(encoder: &mut Encoder, fields: &[Field]) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.begin(&mut block);
    fields.iter().for_each(|(name, value)| encoder.field(name, value, &mut block));
    block
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_whatever_the_sizes_of_the_tables_and_their_changes(
        steps in steps(),
        seed in any::<u64>(),
        ours in prop_oneof![Just(4096u32), 0..70_000u32],
    ) {
        let (mut encoder, mut decoder, mut list) = (Encoder::new(seed), Decoder::new(INITIAL_SIZE), roomy());
        for step in steps {
            match step {
                Step::Sizes(sizes) => for size in sizes {
                    // The settings and what acknowledges them, between two blocks.
                    encoder.set_max_size(size, ours);
                    decoder.set_max_size(size);
                },
                Step::Block(fields) => {
                    let block = encode(&mut encoder, &fields);
                    prop_assert_eq!(decoder.decode(&block, &mut list), Ok(()));
                    prop_assert_eq!(spelled_out(&list), lowered(&fields));
                    encoder.idle();
                    decoder.idle();
                }
            }
        }
    }

    #[test]
    fn what_we_encode_is_what_the_other_decodes(blocks in prop::collection::vec(fields(), 0..8), size in 0..4096u32) {
        let (mut encoder, mut theirs) = (Encoder::new(1), loona_hpack::Decoder::new());
        theirs.set_max_allowed_table_size(4096);
        encoder.set_max_size(4096, size);
        for fields in blocks.iter().filter(|fields| !fields.is_empty()) {
            let block = encode(&mut encoder, fields);
            let decoded = theirs.decode(&block).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(decoded, lowered(fields));
        }
    }

    #[test]
    fn what_the_other_encodes_is_what_we_decode(blocks in prop::collection::vec(fields(), 0..8)) {
        let (mut theirs, mut decoder, mut list) = (loona_hpack::Encoder::new(), Decoder::new(INITIAL_SIZE), roomy());
        for fields in blocks {
            let block = theirs.encode(fields.iter().map(|(name, value)| (&name[..], &value[..])));
            prop_assert_eq!(decoder.decode(&block, &mut list), Ok(()));
            prop_assert_eq!(spelled_out(&list), fields);
        }
    }

    #[test]
    fn whatever_bytes_come_mean_the_same_to_both(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        hpack_decode(&bytes);
    }

    #[test]
    fn blocks_with_a_byte_changed_mean_the_same_to_both(
        blocks in prop::collection::vec(fields(), 1..5),
        limit in any::<u8>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let (mut encoder, mut input) = (Encoder::new(1), vec![limit]);
        for fields in blocks {
            let block = encode(&mut encoder, &fields);
            let block = &block[..block.len().min(255)];
            input.push(block.len() as u8);
            input.extend_from_slice(block);
        }
        for (place, byte) in changes {
            let place = place.index(input.len());
            input[place] = byte;
        }
        hpack_decode(&input);
    }

    #[test]
    fn what_is_encoded_without_a_table_is_decoded_by_everyone(fields in fields()) {
        let (mut block, mut list) = (Vec::new(), roomy());
        fields.iter().for_each(|(name, value)| put_static(name, value, &mut block));
        let mut decoder = Decoder::new(0);
        prop_assert_eq!(decoder.decode(&block, &mut list), Ok(()));
        prop_assert_eq!(spelled_out(&list), lowered(&fields));
        prop_assert_eq!(decoder.generation(), 0);
    }

    #[test]
    fn lines_are_encoded_as_their_fields_are_and_the_same_from_the_cache(
        fields in prop::collection::vec(("[A-Za-z-]{1,12}", "([!-~]([ -~]{0,20}[!-~])?)?"), 0..5),
        seed in any::<u64>(),
    ) {
        let lines: String = fields.iter().map(|(name, value)| format!("X-{name}: {value}\r\n")).collect();
        let (mut expected, mut all, mut blocks) = (Vec::new(), Vec::new(), Blocks::new(seed));
        fields.iter().for_each(|(name, value)| put_static(format!("x-{name}").as_bytes(), value.as_bytes(), &mut expected));
        put_lines(lines.as_bytes(), &mut all);
        prop_assert_eq!(&all, &expected);
        for _ in 0..3 {
            let mut cached = Vec::new();
            blocks.put(lines.as_bytes(), &mut cached);
            prop_assert_eq!(&cached, &expected);
        }
    }

    #[test]
    fn a_string_s_code_is_as_long_as_it_is_said_to_be_and_decodes_to_it(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut code, mut decoded) = (Vec::new(), b"before".to_vec());
        huffman::encode(&text, &mut code);
        prop_assert_eq!(code.len(), huffman::encoded_len(&text));
        prop_assert_eq!(huffman::decode(&code, &mut decoded), Ok(()));
        prop_assert_eq!(&decoded[..6], b"before");
        prop_assert_eq!(&decoded[6..], &text);
    }
}
