//! What cannot be had without `unsafe`: memory shared with the kernel, and descriptors known by their numbers. And what each
//! system does its own way: `system` is the file of the one that this is built for.

pub(crate) mod clock;
pub mod inherited;
pub(crate) mod mapping;
#[cfg(target_os = "linux")]
pub mod process;
pub(crate) mod socket;

#[cfg(not(target_os = "linux"))]
mod bsd;
#[cfg(not(target_os = "linux"))]
pub mod kqueue;
#[cfg(target_os = "linux")]
pub mod uring;

#[cfg(target_os = "freebsd")]
#[path = "freebsd.rs"]
pub(crate) mod system;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
pub(crate) mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
pub(crate) mod system;
