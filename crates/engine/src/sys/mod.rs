//! What cannot be had without `unsafe`: memory shared with the kernel.

pub(crate) mod mapping;
pub mod uring;
