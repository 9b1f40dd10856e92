//! What Linux allows this process, and what it has taken.

use std::io;
use std::mem::size_of;
use std::time::Duration;

use super::clock;

/// Cores are numbered below this: as many as a set of the kernel's interface has.
pub const MOST_CORES: usize = libc::CPU_SETSIZE as usize;

/// Processor time of all threads.
pub fn processor_time() -> Duration {
    clock::read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// How many descriptors may be open (getrlimit(2), `RLIMIT_NOFILE`); nothing: any number.
pub fn most_descriptors() -> Option<u64> {
    let limit = descriptor_limit()?.rlim_cur;
    (limit != libc::RLIM_INFINITY).then_some(limit)
}

/// Raises the soft limit of descriptors to the hard one. It stays as it was if that is forbidden.
pub fn raise_most_descriptors() {
    if let Some(mut limit) = descriptor_limit() {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the kernel reads from a place of ours.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    }
}

fn descriptor_limit() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes to a place of ours.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (status == 0).then_some(limit)
}

/// The cores that this thread may use (sched_getaffinity(2)).
///
/// # Errors
/// The machine has more cores than a set has room for.
pub fn allowed_cores() -> io::Result<Vec<usize>> {
    let mut set = no_cores();
    // SAFETY: the kernel writes at most the set's size to a place of ours.
    let status = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the numbers are within the set.
    Ok((0..MOST_CORES).filter(|core| unsafe { libc::CPU_ISSET(*core, &set) }).collect())
}

/// Keeps this thread on one core (sched_setaffinity(2)).
///
/// # Errors
/// The core is none that this thread may use.
pub fn stay_on_core(core: usize) -> io::Result<()> {
    if core >= MOST_CORES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = no_cores();
    // SAFETY: the number is within the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the kernel reads the set's size from a place of ours.
    let status = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn no_cores() -> libc::cpu_set_t {
    // SAFETY: a set is bits, and all zeros has no core.
    unsafe { std::mem::zeroed() }
}
