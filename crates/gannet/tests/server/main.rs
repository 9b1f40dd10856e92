//! The whole server over real sockets: what clients see, on each backend that this machine can run.

mod body;
mod connection;
mod handlers;
mod rig;
mod upgrade;
