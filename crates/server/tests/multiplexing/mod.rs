//! HTTP/2 in the simulator: many exchanges on a connection.

mod beginnings;
mod bounds;
mod caller;
mod conduct;
mod deadlines;
mod frames;
mod peer;
mod plan;
mod priorities;
mod pushes;
mod seeds;
mod tunnels;
mod witness;
