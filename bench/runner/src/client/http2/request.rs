//! The header blocks of requests, as browsers and nghttp2 encode them: the authority goes into the dynamic table with the
//! first request of a connection and is an index from then on, the path is a literal each time, and texts are Huffman's.

use super::{super::LoadError, huffman};

/// `:method: GET`, of the static table (RFC 7541, appendix A).
const GET: u8 = 0x82;
const SCHEME_HTTP: u8 = 0x86;
const SCHEME_HTTPS: u8 = 0x87;
/// `:authority`, and a value that goes into the dynamic table (RFC 7541, 6.2.1).
const AUTHORITY: u8 = 0x41;
/// The newest entry of the dynamic table (RFC 7541, 2.3.3 and 6.1).
const NEWEST: u8 = 0x80 | 62;
/// `:path`, and a value that is in no table (RFC 7541, 6.2.2).
const PATH: u8 = 0x04;
/// A length below it fits in the prefix of seven bits (RFC 7541, 5.1).
const LENGTH_LIMIT: usize = 127;

/// The blocks of the requests for one target.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// The first on a connection.
    pub first: Vec<u8>,
    /// Each that follows.
    pub next: Vec<u8>,
}

impl Blocks {
    /// For a target of a server.
    pub fn new(authority: &str, path: &str, is_secured: bool) -> Result<Blocks, LoadError> {
        let scheme = if is_secured { SCHEME_HTTPS } else { SCHEME_HTTP };
        let (encoded_authority, encoded_path) = (literal(authority)?, literal(path)?);
        let whole = |authority: &[u8]| [&[GET, scheme], authority, &[PATH], &encoded_path].concat();
        Ok(Blocks { first: whole(&[&[AUTHORITY][..], &encoded_authority].concat()), next: whole(&[NEWEST]) })
    }
}

/// A text with its length (RFC 7541, 5.2).
fn literal(text: &str) -> Result<Vec<u8>, LoadError> {
    let encoded = huffman::encode(text).filter(|encoded| encoded.len() < LENGTH_LIMIT);
    let encoded = encoded.ok_or_else(|| LoadError::Target { text: text.to_owned() })?;
    Ok([&[0x80 | encoded.len() as u8], &encoded[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_fills_the_table_that_the_next_refer_to() {
        // RFC 7541, C.4.1, with the path before the authority, and `/` as a literal.
        let blocks = Blocks::new("www.example.com", "/", false).unwrap();
        let authority = [0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        let path = [0x04, 0x81, 0x63];
        assert_eq!(blocks.first, [&[0x82, 0x86, 0x41], &authority[..], &path].concat());
        assert_eq!(blocks.next, [&[0x82, 0x86, 0xbe], &path[..]].concat());
    }

    #[test]
    fn a_target_that_is_too_long_is_refused() {
        let long = "/a".repeat(200);
        let error = Blocks::new("a", &long, true).unwrap_err();
        assert!(matches!(error, LoadError::Target { text } if text == long));
    }
}
