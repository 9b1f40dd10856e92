//! Requests to other servers: the connections of one worker, and their pools.

#![forbid(unsafe_code)]

mod calls;

pub use calls::Calls;
