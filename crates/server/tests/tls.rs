//! TLS over real sockets, on each backend: the server, and clients of rustls.

#[path = "tls/clients.rs"]
mod clients;
#[path = "../../gannet/tests/common/counting.rs"]
mod counting;
#[path = "tls/handshakes.rs"]
mod handshakes;
#[path = "tls/memory.rs"]
mod memory;
#[path = "tls/requests.rs"]
mod requests;
#[path = "tls/rig.rs"]
mod rig;
