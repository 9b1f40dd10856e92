//! What is sealed is opened, whatever it was put together from, and however it is cut.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use gannet_engine::{Block, Output};
use gannet_link::{ClientTls, RECORD_BYTES, ServerTls};
use gannet_testing::Authority;
use proptest::prelude::*;

use crate::rig::{client, connected, server};

static TLS: LazyLock<(Authority, ServerTls, ClientTls)> = LazyLock::new(|| {
    let authority = Authority::new();
    let (server, client) = (server([authority.sign("a", &["a.example"])]), client(&authority));
    (authority, server, client)
});

fn file_with(bytes: &[u8]) -> Arc<File> {
    let mut file = tempfile::tempfile().expect("a file can be made");
    file.write_all(bytes).expect("there is room");
    Arc::new(file)
}

/// An output of these pieces, of the five kinds that there are.
fn output_of(pieces: &[(u8, Vec<u8>)]) -> Output {
    let mut output = Output::default();
    for (kind, bytes) in pieces {
        match kind {
            0 => output.bytes().extend_from_slice(bytes),
            1 => output.push_shared(Bytes::copy_from_slice(bytes)),
            2 => {
                let mut block = Block::oversized(bytes.len() + 1);
                block.append(bytes);
                output.push_chunk(block.share());
            }
            3 => output.push_mapped(file_with(bytes), 0..bytes.len() as u64),
            _ => output.push_file(file_with(bytes), 0..bytes.len() as u64),
        }
    }
    output
}

/// How long the records are that something sealed consists of.
fn records(mut sealed: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [23, 3, 3, high, low, rest @ ..] = sealed {
        lengths.push(usize::from(u16::from_be_bytes([*high, *low])));
        sealed = &rest[lengths[lengths.len() - 1]..];
    }
    assert!(sealed.is_empty(), "nothing but records of data");
    lengths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_from_any_pieces_is_opened_from_any_cuts(
        pieces in prop::collection::vec((0u8..5, prop::collection::vec(any::<u8>(), 0..3000)), 0..20),
        long in 0usize..50_000,
        most in 1usize..70_000,
        cut in 1usize..20_000,
    ) {
        let (mut client, mut server) = connected(&TLS.1, &TLS.2, "a.example");
        let mut pieces = pieces;
        pieces.push((1, vec![7; long]));
        let expected: Vec<u8> = pieces.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
        let mut output = output_of(&pieces);
        for _ in 0..100_000 {
            if output.is_empty() {
                break;
            }
            let sealed = server.seal_output(&mut output, most);
            prop_assert!(!sealed.is_empty(), "progress");
            client.open(&sealed, cut).unwrap();
        }
        prop_assert!(client.heard == expected);
        prop_assert!(!client.session.is_within_record());
    }
}

#[test]
fn all_that_a_turn_made_is_one_record_up_to_16_kib() {
    let (_, mut server) = connected(&TLS.1, &TLS.2, "a.example");
    server.seal(b"");
    let small: Vec<(u8, Vec<u8>)> = (0..5).map(|kind| (kind, vec![kind; 1000])).collect();
    assert_eq!(records(&server.seal_output(&mut output_of(&small), 65_536)).len(), 1);
    // A head in memory of its own, and a large body that is shared: full records, but for the last.
    let large = [(0, vec![1; 200]), (1, vec![2; 50_000])];
    let sealed = records(&server.seal_output(&mut output_of(&large), 65_536));
    assert_eq!(sealed.len(), 4);
    assert!(sealed[..3].iter().all(|length| *length == RECORD_BYTES + 17), "{sealed:?}");
}

#[test]
fn frames_of_a_file_that_fill_a_record_lie_in_one_each_whatever_came_before_them() {
    let (_, mut server) = connected(&TLS.1, &TLS.2, "a.example");
    server.seal(b"");
    let frame = || [(0, vec![1; 9]), (4, vec![2; RECORD_BYTES - 9])];
    let pieces = [vec![(0, vec![0; 200])], [frame(), frame(), frame()].concat()].concat();
    let sealed = records(&server.seal_output(&mut output_of(&pieces), 65_536));
    assert_eq!(sealed, [RECORD_BYTES, 200, RECORD_BYTES, RECORD_BYTES].map(|length| length + 17));
}

#[test]
fn no_more_is_sealed_than_is_asked_for() {
    let (mut client, mut server) = connected(&TLS.1, &TLS.2, "a.example");
    for (most, expected) in [(10, 10), (20_000, 20_000), (65_536, 65_536), (1_000_000, 100_000)] {
        let mut output = output_of(&[(0, vec![1; 300]), (1, vec![2; 99_700])]);
        let sealed = server.seal_output(&mut output, most);
        client.heard.clear();
        client.open(&sealed, usize::MAX).unwrap();
        assert_eq!((client.heard.len(), output.remaining() as usize), (expected, 100_000 - expected));
    }
}

#[test]
fn a_file_that_became_shorter_is_an_error_and_no_record() {
    let (_, mut server) = connected(&TLS.1, &TLS.2, "a.example");
    let mut output = Output::default();
    output.push_file(file_with(b"short"), 0..10);
    let error = server.try_seal(&mut output).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_record_that_was_changed_is_found_out_and_told() {
    let (mut client, mut server) = connected(&TLS.1, &TLS.2, "a.example");
    let mut sealed = client.seal(b"a request");
    *sealed.last_mut().unwrap() ^= 1;
    let fault = server.open(&sealed, usize::MAX).unwrap_err();
    assert_eq!(fault.kind, gannet_link::FaultKind::Broken);
    assert!(server.heard.is_empty() && server.session.wants_to_send(), "an alert waits");
    let mut output = output_of(&[(0, b"nothing of this is sent any more".to_vec())]);
    let alert = server.seal_output(&mut output, usize::MAX);
    assert!(!output.is_empty());
    let fault = client.open(&alert, usize::MAX).unwrap_err();
    assert_eq!(fault.message, "the peer sent the alert bad_record_mac");
}

#[test]
fn a_record_of_whatever_size_comes_in_memory_for_it_alone() {
    let (mut client, mut server) = connected(&TLS.1, &TLS.2, "a.example");
    for cut in [1, 4096, 16 * 1024] {
        let sealed = client.seal(&[9; RECORD_BYTES]);
        let held = server.open_counting(&sealed, cut);
        assert!(held <= RECORD_BYTES + 600, "{held} bytes for a record in pieces of {cut}");
    }
}
