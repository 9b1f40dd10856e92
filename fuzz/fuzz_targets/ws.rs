//! See `exercise_ws::ws`: the assertions are shared with the replay of the kept inputs in `cargo test`.
#![no_main]

#[path = "../../crates/proto/tests/common/mod.rs"]
mod common;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| common::exercise_ws::ws(bytes));
