//! Compressors that take bytes as they come and give what they have made of them.

use std::io::{self, Write};

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use flate2::write::GzEncoder;
use zstd::stream::raw::CParameter;

use crate::coding::Coding;

/// A response is compressed for one client, while it waits.
const BROTLI_QUALITY: i32 = 4;
const ZSTANDARD_LEVEL: i32 = 3;
const GZIP_LEVEL: u32 = 6;

/// How far back repetitions are looked for, as a power of two: 128 KiB. More would be found in larger windows, which each response that is under
/// way would have memory for. Gzip's is 32 KiB.
const WINDOW_BITS: u32 = 17;

/// Sizes of Zstandard's tables, as powers of two: as large as the window is worth.
const HASH_BITS: u32 = 16;
const CHAIN_BITS: u32 = 15;

/// What Brotli's compressor gives its output by.
const BUFFER_BYTES: usize = 4096;

/// One compressor, in the middle of a content.
pub(super) enum Encoder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstandard(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// A compressor, for a content of so many bytes if that is known.
    pub(super) fn new(coding: Coding, length: Option<u64>) -> io::Result<Encoder> {
        Ok(match coding {
            Coding::Brotli => {
                let window =
                    length.map_or(WINDOW_BITS, |length| (64 - length.leading_zeros()).clamp(10, WINDOW_BITS));
                let parameters = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: window as i32,
                    size_hint: usize::try_from(length.unwrap_or(0)).unwrap_or(usize::MAX),
                    ..Default::default()
                };
                Encoder::Brotli(Box::new(CompressorWriter::with_params(
                    Vec::new(),
                    BUFFER_BYTES,
                    &parameters,
                )))
            }
            Coding::Zstandard => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTANDARD_LEVEL)?;
                for parameter in [
                    CParameter::WindowLog(WINDOW_BITS),
                    CParameter::HashLog(HASH_BITS),
                    CParameter::ChainLog(CHAIN_BITS),
                ] {
                    encoder.set_parameter(parameter)?;
                }
                encoder.set_pledged_src_size(length)?;
                Encoder::Zstandard(encoder)
            }
            Coding::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
        })
    }

    /// Takes bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Encoder::Brotli(encoder) => encoder.write_all(bytes),
            Encoder::Zstandard(encoder) => encoder.write_all(bytes),
            Encoder::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    /// Makes of all that was taken something that can be decoded without what follows.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Encoder::Brotli(encoder) => encoder.flush(),
            Encoder::Zstandard(encoder) => encoder.flush(),
            Encoder::Gzip(encoder) => encoder.flush(),
        }
    }

    /// How many bytes there are to be taken out.
    pub(super) fn made(&self) -> usize {
        match self {
            Encoder::Brotli(encoder) => encoder.get_ref().len(),
            Encoder::Zstandard(encoder) => encoder.get_ref().len(),
            Encoder::Gzip(encoder) => encoder.get_ref().len(),
        }
    }

    /// Gives what was made so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Encoder::Brotli(encoder) => encoder.get_mut(),
            Encoder::Zstandard(encoder) => encoder.get_mut(),
            Encoder::Gzip(encoder) => encoder.get_mut(),
        })
    }

    /// Ends the content, and gives what was not given yet.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Encoder::Brotli(encoder) => Ok(encoder.into_inner()),
            Encoder::Zstandard(encoder) => encoder.finish(),
            Encoder::Gzip(encoder) => encoder.finish(),
        }
    }
}

/// A whole content, compressed.
pub(super) fn compress(coding: Coding, content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::new(coding, Some(content.len() as u64))?;
    encoder.write(content)?;
    encoder.finish()
}
