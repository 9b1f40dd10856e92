//! HPACK, step by step: `cargo bench -p gannet-proto --bench hpack`.
fn main() {}
