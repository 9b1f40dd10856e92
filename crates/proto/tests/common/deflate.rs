//! DEFLATE for permessage-deflate, by flate2: what the tests of WebSocket pass in.

use flate2::{Compress, Compression as Effort, Decompress, FlushCompress, FlushDecompress, Status};
use gannet_proto::ws::{Deflate, Inflate, InflateError, Window};

/// Inflates what a peer with this window compresses.
pub struct Inflater {
    inflate: Decompress,
    window: Window,
    /// The most that came out of one call.
    pub most_bytes: usize,
}

impl Inflater {
    pub fn new(window: Window) -> Inflater {
        Inflater {
            inflate: Decompress::new_with_window_bits(false, window.bits.max(9)),
            window,
            most_bytes: 0,
        }
    }
}

impl Inflate for Inflater {
    fn inflate(
        &mut self,
        mut input: &[u8],
        is_last: bool,
        output: &mut Vec<u8>,
        limit_bytes: usize,
    ) -> Result<(), InflateError> {
        let mut piece = [0; 4096];
        let before = output.len();
        loop {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(input, &mut piece, FlushDecompress::Sync);
            let read = (self.inflate.total_in() - read) as usize;
            let written = (self.inflate.total_out() - written) as usize;
            input = &input[read..];
            let room = limit_bytes - output.len();
            output.extend_from_slice(&piece[..written.min(room)]);
            if written > room {
                return Err(InflateError::TooLarge);
            }
            match status.map_err(|_| InflateError::Invalid)? {
                // What follows a final block is another one.
                Status::StreamEnd => self.inflate.reset(false),
                _ if input.is_empty() && written < piece.len() => break,
                _ if read + written == 0 => return Err(InflateError::Invalid),
                _ => {}
            }
        }
        self.most_bytes = self.most_bytes.max(output.len() - before);
        if is_last && !self.window.is_taken_over {
            self.inflate.reset(false);
        }
        Ok(())
    }
}

/// Compresses with this window.
pub struct Deflater {
    deflate: Compress,
    window: Window,
}

impl Deflater {
    pub fn new(window: Window) -> Deflater {
        Deflater { deflate: Compress::new_with_window_bits(Effort::fast(), false, window.bits), window }
    }
}

impl Deflate for Deflater {
    fn deflate(&mut self, mut input: &[u8], is_last: bool, output: &mut Vec<u8>) {
        loop {
            output.reserve(input.len() / 2 + 64);
            let read = self.deflate.total_in();
            self.deflate.compress_vec(input, output, FlushCompress::Sync).expect("it is used as it is to be");
            input = &input[(self.deflate.total_in() - read) as usize..];
            // All is written once there is room left.
            if input.is_empty() && output.len() < output.capacity() {
                break;
            }
        }
        if is_last && !self.window.is_taken_over {
            self.deflate.reset();
        }
    }
}
