//! HTTP/2 in the simulator: many exchanges on a connection.

mod conduct;
mod frames;
mod peer;
mod witness;
