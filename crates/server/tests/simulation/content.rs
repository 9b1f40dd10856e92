//! Bytes that both ends can make from a request's number.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use gannet_core::Bytes;
use gannet_engine::sim::Random;

/// The longest content there is.
pub const MOST: usize = 512 * 1024;

/// Contents of different numbers begin within so many bytes.
const SPREAD: usize = 64 * 1024;

/// The content of `number`, `length` bytes long: no two numbers' are alike.
pub fn content(number: u64, length: usize) -> Bytes {
    static ALL: OnceLock<Bytes> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut bytes = vec![0; SPREAD + MOST];
        Random::new(1).fill(&mut bytes);
        bytes.into()
    });
    let start = start(number);
    all.slice(start..start + length)
}

/// A file that holds the content of every number, and where that of `number` begins.
pub fn file(number: u64) -> (Arc<File>, u64) {
    static FILE: OnceLock<Arc<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let mut file = tempfile::tempfile().expect("a temporary folder");
        file.write_all(&content(0, SPREAD + MOST)).expect("room for a small file");
        Arc::new(file)
    });
    (file.clone(), start(number) as u64)
}

/// Where the content of a number begins; that of number 0 is all there is.
fn start(number: u64) -> usize {
    (number.wrapping_mul(7919) % SPREAD as u64) as usize
}
