//! What cannot be had without `unsafe`: the backends that share memory with the kernel.

pub mod uring;
