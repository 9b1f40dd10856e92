//! HTTP/2 in the simulator: many exchanges on a connection.

mod bounds;
mod caller;
mod conduct;
mod deadlines;
mod frames;
mod peer;
mod plan;
mod seeds;
mod witness;
