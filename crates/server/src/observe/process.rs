//! What the system says of the process. What it does not say is left out.

use std::fs;

pub(crate) use gannet_engine::sys::process::most_descriptors;
use gannet_engine::sys::process::processor_time;

/// Descriptors that are open, this look at them aside.
pub(crate) fn open_descriptors() -> Option<u64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?;
    Some((entries.count() as u64).saturating_sub(1))
}

/// Memory of the process that is in RAM (proc_pid_status(5)), in bytes.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Processor time of all threads, in nanoseconds.
pub(crate) fn processor_nanoseconds() -> u64 {
    u64::try_from(processor_time().as_nanos()).unwrap_or(u64::MAX)
}
