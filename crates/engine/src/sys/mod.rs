//! What cannot be had without `unsafe`: memory shared with the kernel, and descriptors known by their numbers.

pub mod inherited;
pub(crate) mod mapping;
pub mod uring;
