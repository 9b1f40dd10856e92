//! The whole server over real sockets: what clients see, on each backend that this machine can run.

mod body;
mod clients;
mod connection;
mod files;
mod handlers;
mod lifecycle;
mod limits;
mod rig;
mod upgrade;
