//! The same over clear text and TLS, with and without a proxy between: one table of cases; what the proxy makes of clients that smuggle; upstreams that
//! are killed under load. Over real sockets, on each backend that this machine can run.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod killed;
mod places;
mod recorder;
mod smuggling;
mod strict;
mod table;
#[path = "../../../proto/tests/common/text.rs"]
mod text;
mod wire;
