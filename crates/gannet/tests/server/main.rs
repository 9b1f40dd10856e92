//! The whole server over real sockets: what clients see, on each backend that this machine can run.

mod body;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod connection;
mod files;
mod handlers;
mod headers;
mod lifecycle;
mod limits;
mod mapped;
mod rig;
mod upgrade;
