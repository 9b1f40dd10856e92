//! Sessions of both sides, talking to each other and to rustls's own.

#[path = "session/basics.rs"]
mod basics;
#[path = "session/rig.rs"]
mod rig;
