//! The inputs that the fuzz targets found worth keeping, and those written by hand, through the same assertions.

mod common;

use common::corpus::cases;
use common::exercise;
use common::exercise_client;
use common::exercise_h2;
use common::exercise_hpack;
use common::exercise_proxy;
use common::exercise_talk;
use common::exercise_ws;
use common::text::files;
use std::path::Path;

fn replay(target: &str, exercise: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = files(&folder);
    assert!(files.len() >= 5, "{} holds seeds", folder.display());
    for file in files {
        eprintln!("{}", file.display());
        exercise(&std::fs::read(&file).expect("a corpus file is readable"));
    }
}

#[test]
fn every_kept_head_holds_what_the_fuzz_target_asserts() {
    replay("head", exercise::head);
}

#[test]
fn every_kept_body_holds_what_the_fuzz_target_asserts() {
    replay("body", exercise::body);
}

#[test]
fn every_kept_pipeline_holds_what_the_fuzz_target_asserts() {
    replay("pipeline", exercise::pipeline);
}

#[test]
fn every_kept_server_holds_what_the_fuzz_target_asserts() {
    replay("client", exercise_client::client);
}

#[test]
fn every_kept_header_block_holds_what_the_fuzz_target_asserts() {
    replay("hpack_decode", exercise_hpack::hpack_decode);
}

#[test]
fn every_kept_sequence_of_frames_holds_what_the_fuzz_target_asserts() {
    replay("h2_frames", exercise_h2::h2_frames);
}

#[test]
fn every_kept_talk_of_a_client_and_a_server_holds_what_the_fuzz_target_asserts() {
    replay("h2_talk", exercise_talk::h2_talk);
}

#[test]
fn every_kept_proxy_header_holds_what_the_fuzz_target_asserts() {
    replay("proxy", exercise_proxy::proxy);
}

#[test]
fn every_kept_conversation_by_websocket_holds_what_the_fuzz_target_asserts() {
    replay("ws", exercise_ws::ws);
}

#[test]
fn every_case_of_the_smuggling_corpus_holds_what_the_fuzz_targets_assert() {
    for case in cases().iter().filter(|case| case.bytes.len() < 2000) {
        eprintln!("{}", case.name);
        exercise::head(&case.bytes);
        exercise::pipeline(&[&[3; 16][..], &case.bytes].concat());
    }
}
