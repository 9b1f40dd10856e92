//! What the fuzz target `proxy` does with its input, as [`exercise`](super::exercise) has it for HTTP.

use gannet_proto::proxy::{HEADER_BYTES, Read, Version, read, write};

/// The start of a connection. What a prefix of it shows stays; what a header says is what comes back when it is written.
pub fn proxy(input: &[u8]) {
    let whole = read(input);
    let first = (0..=input.len()).find(|end| read(&input[..*end]) != Ok(Read::Need));
    assert_eq!(first.is_none(), whole == Ok(Read::Need));
    for end in first.into_iter().flat_map(|first| first..=input.len()) {
        assert_eq!(read(&input[..end]), whole, "up to {end}");
    }
    let Ok(Read::Header { consumed, source, destination }) = whole else { return };
    assert!(first == Some(consumed) && consumed <= HEADER_BYTES, "a header is known by its last byte");
    for version in [Version::V1, Version::V2] {
        let mut out = Vec::new();
        write(version, source, destination, &mut out);
        assert_eq!(read(&out), Ok(Read::Header { consumed: out.len(), source, destination }));
    }
}
