//! The same over HTTP/1.1 and HTTP/2, in clear text and over TLS, with and without a proxy between: one table of cases; what the proxy makes of clients that smuggle; upstreams that
//! are killed under load; WebSockets. Over real sockets, on each backend that this machine can run.

mod cases;
#[expect(dead_code, reason = "shared with the tests of the server, which use all of it")]
#[path = "../common/client/mod.rs"]
mod client;
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
mod websockets;
