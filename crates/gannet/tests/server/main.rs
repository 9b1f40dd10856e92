//! The whole server over real sockets: what clients see, on each backend that this machine can run.

mod access_log;
mod bad_input;
mod blocked;
mod body;
mod changing;
#[path = "../common/client/mod.rs"]
mod client;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod connection;
mod edge;
mod extracting;
mod files;
mod handlers;
mod headers;
mod hostile;
mod lifecycle;
mod limits;
mod listening;
mod mapped;
mod metrics;
mod openmetrics;
mod rig;
mod routes;
mod scopes;
mod upgrade;
mod upstream;
