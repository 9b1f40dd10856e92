//! File ranges that are sent from a mapping: whatever becomes of the file, nothing arrives that was not in it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use gannet_engine::{Completion, Output, SocketId};

use crate::rig::{Peer, Rig};

const PAGE: usize = 4096;

/// What is mapped at once; without a kernel nothing is.
fn window(rig: &Rig) -> usize {
    if rig.is_simulated() { 8 * PAGE } else { 4 * 1024 * 1024 }
}

/// More than the buffers of a connection hold.
fn large(rig: &Rig) -> usize {
    if rig.is_simulated() { 512 * 1024 } else { 12 * 1024 * 1024 }
}

/// Bytes of which no two pages are alike, and none is zero.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index / PAGE + index) as u8 | 1).collect()
}

fn temporary_file(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Arc::new(file)
}

/// Sends all of it; what arrives, and how the sends ended.
fn exchange(
    rig: &mut Rig,
    socket: SocketId,
    peer: &mut dyn Peer,
    output: Box<Output>,
    arrived: &mut Vec<u8>,
) -> io::Result<()> {
    rig.engine.send(socket, output);
    loop {
        rig.step();
        peer.read_some(arrived);
        match rig.take_of(socket) {
            Some(Completion::Sent { output, result: Ok(_), .. }) if output.is_empty() => return Ok(()),
            Some(Completion::Sent { output, result: Ok(_), .. }) => rig.engine.send(socket, output),
            Some(Completion::Sent { result: Err(error), .. }) => return Err(error),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
}

/// What still comes after we have ended our half.
fn rest(rig: &mut Rig, socket: SocketId, peer: &mut dyn Peer, arrived: &mut Vec<u8>) {
    rig.engine.shutdown(socket);
    arrived.extend(rig.peer_reads_to_end(peer));
}

pub fn mapped_ranges_of_any_bounds_arrive_in_order_among_bytes_and_other_files(rig: &mut Rig) {
    let window = window(rig);
    let bytes = content(window + 3 * PAGE);
    let file = temporary_file(&bytes);
    let mut output = Box::new(Output::default());
    let mut expected = Vec::new();
    for range in [
        0..1,
        1..PAGE,
        PAGE - 1..PAGE + 1,
        PAGE..2 * PAGE,
        7..window + 6,
        PAGE..PAGE + window,
        1..window + 2,
        2 * PAGE - 1..window + 3 * PAGE,
    ] {
        let mapped = range.start as u64..range.end as u64;
        output.bytes().extend_from_slice(b"own");
        output.push_mapped(file.clone(), mapped.clone());
        output.push_shared(Bytes::from_static(b"shared"));
        output.push_file(file.clone(), mapped.start..mapped.start + 1);
        output.push_mapped(file.clone(), mapped.end - 1..mapped.end);
        expected.extend_from_slice(b"own");
        expected.extend_from_slice(&bytes[range.clone()]);
        expected.extend_from_slice(b"shared");
        expected.extend([bytes[range.start], bytes[range.end - 1]]);
    }
    assert_eq!(output.remaining(), expected.len() as u64);
    let (mut peer, socket) = rig.pair();
    let mut arrived = Vec::new();
    exchange(rig, socket, &mut *peer, output, &mut arrived).unwrap();
    rest(rig, socket, &mut *peer, &mut arrived);
    assert!(arrived == expected);
}

pub fn a_mapped_file_that_was_truncated_fails_the_send(rig: &mut Rig) {
    for left in [0, 100, PAGE - 1, PAGE + 100] {
        let bytes = content(2 * PAGE);
        let file = temporary_file(&bytes);
        let mut output = Box::new(Output::default());
        output.bytes().extend_from_slice(b"head");
        output.push_mapped(file.clone(), 0..bytes.len() as u64);
        file.set_len(left as u64).unwrap();
        let (mut peer, socket) = rig.pair();
        let mut arrived = Vec::new();
        let error = exchange(rig, socket, &mut *peer, output, &mut arrived).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{left} bytes are left");
        rest(rig, socket, &mut *peer, &mut arrived);
        assert!(arrived.starts_with(b"head") && bytes[..left].starts_with(&arrived[4..]), "{left} bytes");
    }
}

/// Begins a download that the peer does not read, and lets the kernel take what it will.
fn begin(rig: &mut Rig, socket: SocketId, file: &Arc<File>) {
    let mut output = Box::new(Output::default());
    let length = file.metadata().unwrap().len();
    output.push_mapped(file.clone(), 0..length);
    let mut again = Some(output);
    while let Some(output) = again.take() {
        rig.engine.send(socket, output);
        rig.quiesce();
        match rig.take_of(socket) {
            Some(Completion::Sent { output, result, .. }) => {
                result.unwrap();
                again = Some(output).filter(|output| !output.is_empty());
            }
            Some(other) => panic!("{other:?}"),
            None => return,
        }
    }
    panic!("the buffers of a connection held {length} bytes");
}

/// Lets the peer read until the send that is under way, and those after it, have ended.
fn go_on(rig: &mut Rig, socket: SocketId, peer: &mut dyn Peer, arrived: &mut Vec<u8>) -> io::Result<()> {
    loop {
        peer.read_some(arrived);
        rig.step();
        match rig.take_of(socket) {
            Some(Completion::Sent { output, result: Ok(_), .. }) => {
                return exchange(rig, socket, peer, output, arrived);
            }
            Some(Completion::Sent { result: Err(error), .. }) => return Err(error),
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
}

pub fn a_mapped_file_truncated_while_it_is_sent_fails_the_send(rig: &mut Rig) {
    let length = large(rig);
    for left in [0, length - PAGE / 2] {
        let bytes = content(length);
        let file = temporary_file(&bytes);
        let (mut peer, socket) = rig.pair();
        begin(rig, socket, &file);
        file.set_len(left as u64).unwrap();
        let mut arrived = Vec::new();
        let error = go_on(rig, socket, &mut *peer, &mut arrived).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{left} bytes are left");
        rest(rig, socket, &mut *peer, &mut arrived);
        assert!(!arrived.is_empty() && bytes.starts_with(&arrived), "{left} bytes are left");
    }
}

pub fn a_mapped_file_goes_on_after_it_was_deleted_or_replaced(rig: &mut Rig) {
    let bytes = content(large(rig));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    for replaces in [false, true] {
        fs::write(&path, &bytes).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        let (mut peer, socket) = rig.pair();
        begin(rig, socket, &file);
        if replaces {
            fs::write(folder.path().join("new"), b"other").unwrap();
            fs::rename(folder.path().join("new"), &path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        let mut arrived = Vec::new();
        go_on(rig, socket, &mut *peer, &mut arrived).unwrap();
        rest(rig, socket, &mut *peer, &mut arrived);
        assert!(arrived == bytes);
    }
}
