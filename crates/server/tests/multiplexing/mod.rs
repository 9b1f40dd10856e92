//! HTTP/2 in the simulator: many exchanges on a connection.

mod caller;
mod conduct;
mod frames;
mod peer;
mod plan;
mod seeds;
mod witness;
