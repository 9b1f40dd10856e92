//! Sessions of both sides, talking to each other and to rustls's own.

#[path = "session/basics.rs"]
mod basics;
#[path = "session/certificates.rs"]
mod certificates;
#[path = "session/faults.rs"]
mod faults;
#[path = "session/peers.rs"]
mod peers;
#[path = "session/plaintext.rs"]
mod plaintext;
#[path = "session/rig.rs"]
mod rig;
