//! The compressors.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::coding::Coding;

/// Whether anything can be compressed.
pub(super) const IS_BUILT: bool = true;

/// Good compression at the speed of a small file a millisecond: contents are kept, so that it is paid once.
const BROTLI_QUALITY: i32 = 5;
const ZSTANDARD_LEVEL: i32 = 3;
const GZIP_LEVEL: u32 = 6;

/// The bytes, compressed; nothing when the compressor fails, which it has no reason to.
pub(super) fn compress(coding: Coding, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 3 + 64);
    let done = match coding {
        Coding::Brotli => {
            let parameters =
                brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
            brotli::BrotliCompress(&mut &*bytes, &mut out, &parameters).map(drop)
        }
        Coding::Zstandard => zstd::stream::copy_encode(bytes, &mut out, ZSTANDARD_LEVEL),
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(&mut out, Compression::new(GZIP_LEVEL));
            encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop))
        }
    };
    match done {
        Ok(()) => Some(out),
        Err(error) => {
            tracing::error!(%error, coding = coding.name(), "a file could not be compressed; it is sent as it is");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::coding::CODINGS;

    #[test]
    fn what_is_compressed_is_smaller_and_becomes_the_same_again() {
        let text = "It was a bright cold day in April, and the clocks were striking thirteen. ".repeat(50);
        for coding in CODINGS {
            let compressed = compress(coding, text.as_bytes()).unwrap();
            let mut again = Vec::new();
            match coding {
                Coding::Brotli => brotli::BrotliDecompress(&mut &*compressed, &mut again).unwrap(),
                Coding::Zstandard => zstd::stream::copy_decode(&*compressed, &mut again).unwrap(),
                Coding::Gzip => {
                    flate2::read::GzDecoder::new(&*compressed).read_to_end(&mut again).map(drop).unwrap();
                }
            }
            assert!(again == text.as_bytes() && compressed.len() * 10 < text.len(), "{coding:?}");
        }
    }
}
