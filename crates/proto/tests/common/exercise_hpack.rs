//! What the fuzz target `hpack_decode` does with its input: the header blocks of one connection, beside the crate `loona-hpack`.

use gannet_proto::h2::hpack::{Decoder, Encoder, Error, INITIAL_SIZE, List};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A list that holds whatever a short block can mean.
pub fn roomy() -> List {
    List::new(65_535, 65_535)
}

/// The fields of a list, spelled out.
pub fn spelled_out(list: &List) -> Fields {
    list.fields
        .iter()
        .map(|line| (line.name.of(&list.text).to_vec(), line.value.of(&list.text).to_vec()))
        .collect()
}

/// The first byte says how much a second list takes, which is too little for many a block. The rest are blocks, each behind a byte that says how long it is. Every block means
/// what `loona-hpack` finds in it; the lists do not matter to what the next blocks mean; and what was decoded comes back when it is encoded.
pub fn hpack_decode(input: &[u8]) {
    let Some((limit, mut rest)) = input.split_first() else { return };
    let (mut decoder, mut list) = (Decoder::new(INITIAL_SIZE), roomy());
    let (mut second, mut small) = (Decoder::new(INITIAL_SIZE), List::new(usize::from(*limit), 5));
    let (mut oracle, mut again) = (Oracle::new(), Again::new());
    while let Some((length, behind)) = rest.split_first() {
        let (block, next) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = next;
        let generation = decoder.generation();
        let decoded = decoder.decode(block, &mut list);
        assert_eq!(second.decode(block, &mut small), decoded);
        assert_eq!(second.generation(), decoder.generation());
        oracle.compare(block, decoded, &list);
        if decoded.is_err() {
            return;
        }
        check(&list);
        compare_small(&small, &list);
        if decoder.generation() == generation {
            // What left the table as it was means the same again.
            let before = spelled_out(&list);
            assert_eq!(decoder.decode(block, &mut list), Ok(()));
            assert_eq!(spelled_out(&list), before);
        }
        again.encode(&list);
    }
}

/// A list that was not too large.
fn check(list: &List) {
    assert!(!list.too_large);
    let (mut size, mut end) = (0, 0);
    for line in &list.fields {
        assert_eq!((usize::from(line.name.start), line.value.start), (end, line.name.end));
        end = usize::from(line.value.end);
        size += line.name.len() + line.value.len() + 32;
        assert_eq!(line.index > 0, line.index <= 61 && line.index > 0);
    }
    assert_eq!((list.size, list.text.len()), (size, end));
}

/// The same block in a smaller list: its fields are the first ones, and its size is what all would take.
fn compare_small(small: &List, whole: &List) {
    assert_eq!(small.size, whole.size);
    assert_eq!(small.too_large, whole.size > small.limit || whole.fields.len() > small.most_fields);
    let fields = spelled_out(small);
    assert!(spelled_out(whole).starts_with(&fields));
    if !small.too_large {
        assert_eq!(fields.len(), whole.fields.len());
    }
}

/// The other decoder.
struct Oracle(loona_hpack::Decoder<'static>);

impl Oracle {
    fn new() -> Oracle {
        let mut decoder = loona_hpack::Decoder::new();
        decoder.set_max_allowed_table_size(INITIAL_SIZE as usize);
        Oracle(decoder)
    }

    /// It does not mind where size updates stand or how many there are, but that nothing follows them.
    fn compare(&mut self, block: &[u8], ours: Result<(), Error>, list: &List) {
        match (self.0.decode(block), ours) {
            (Ok(theirs), Ok(())) => assert_eq!(spelled_out(list), theirs),
            (Err(loona_hpack::decoder::DecoderError::SizeUpdateAtEnd), Ok(())) => {
                assert!(list.fields.is_empty());
            }
            (_, Err(Error::LateSizeUpdate | Error::TooManySizeUpdates)) | (Err(_), Err(_)) => {}
            (theirs, ours) => panic!("{theirs:?}, but {ours:?}"),
        }
    }
}

/// Our encoder, and a decoder that follows it.
struct Again {
    encoder: Encoder,
    decoder: Decoder,
    list: List,
}

impl Again {
    fn new() -> Again {
        Again { encoder: Encoder::new(1), decoder: Decoder::new(INITIAL_SIZE), list: roomy() }
    }

    fn encode(&mut self, list: &List) {
        let mut block = Vec::new();
        self.encoder.begin(&mut block);
        for line in &list.fields {
            let (name, value) = (line.name.of(&list.text), line.value.of(&list.text));
            match line.never_indexed {
                true => self.encoder.sensitive_field(name, value, &mut block),
                false => self.encoder.field(name, value, &mut block),
            }
        }
        assert_eq!(self.decoder.decode(&block, &mut self.list), Ok(()));
        let lowered = spelled_out(list).into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        assert_eq!(spelled_out(&self.list), lowered.collect::<Fields>());
        let kept = list
            .fields
            .iter()
            .zip(&self.list.fields)
            .all(|(line, again)| !line.never_indexed || again.never_indexed);
        assert!(kept, "who passes on what is never to be indexed says so");
    }
}
