//! WebSocket: Autobahn's cases, group by group, against a peer that echoes; cuts, bad input, floods; beside tungstenite, both ways.

#[path = "../common/deflate.rs"]
mod deflate;

mod bad_input;
mod compression;
mod cuts;
mod differential;
mod echo;
mod raw;

mod group_12_13_compression;
mod group_1_framing;
mod group_2_pings;
mod group_3_reserved_bits;
mod group_4_opcodes;
mod group_5_fragmentation;
mod group_6_utf8;
mod group_7_closing;
mod group_9_large;
