//! What a process has used so far, as the kernel tells it: its own clock, and `/proc` (proc(5)).

use std::{fs, io, path::PathBuf, time::Duration};

use nix::{time::clock_getcpuclockid, unistd::Pid};

/// The memory of a process at one moment, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// All resident pages, those of mapped files included.
    pub resident: u64,
    /// Resident pages that belong to the process alone: heap, stacks, anonymous maps.
    pub anonymous: u64,
    /// The most that has ever been resident.
    pub peak: u64,
}

/// User and system time of all threads, those included that have ended.
///
/// From the process's own clock (clock_getcpuclockid(3)), in nanoseconds: `stat` rounds the same time to 10 ms, and a sum
/// over `task` loses threads that end, as those of a blocking pool do.
pub fn cpu_time(process: u32) -> io::Result<Duration> {
    let process = i32::try_from(process).map_err(io::Error::other)?;
    let clock = clock_getcpuclockid(Pid::from_raw(process))?;
    Ok(clock.now()?.into())
}

/// Resident memory now, and its peak.
///
/// From `smaps_rollup`, which is exact; the counters in `status` lag by some pages per processor.
pub fn memory(process: u32) -> io::Result<Memory> {
    let rollup = fs::read_to_string(directory(process).join("smaps_rollup"))?;
    let status = fs::read_to_string(directory(process).join("status"))?;
    let find = |text: &str, name| kibibytes(text, name).ok_or_else(|| malformed(name));
    Ok(Memory {
        resident: find(&rollup, "Rss")?,
        anonymous: find(&rollup, "Anonymous")?,
        peak: find(&status, "VmHWM")?,
    })
}

/// Makes the peak start again from what is resident now.
pub fn reset_peak(process: u32) -> io::Result<()> {
    fs::write(directory(process).join("clear_refs"), "5")
}

/// Whether every thread of the process is being traced.
pub fn is_traced(process: u32) -> io::Result<bool> {
    for thread in fs::read_dir(directory(process).join("task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        if status.lines().any(|line| line == "TracerPid:\t0") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn directory(process: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{process}"))
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// The value, in bytes, of a line such as `Rss:     1234 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(first_number(value)? * 1024)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the kernel's {what} is not in the form of proc(5)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "Pss:  9 kB\nRss:                1234 kB\nAnonymous:  5 kB\n";
        assert_eq!(kibibytes(text, "Rss"), Some(1234 * 1024));
        assert_eq!(kibibytes(text, "Anon"), None);
    }

    #[test]
    fn the_time_of_a_thread_that_has_ended_still_counts() {
        let thread =
            || (rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime), "x".repeat(1 << 20)).0;
        let before = cpu_time(std::process::id()).unwrap();
        let used = std::thread::spawn(thread).join().unwrap();
        let after = cpu_time(std::process::id()).unwrap();
        assert!(after - before >= Duration::new(used.tv_sec as u64, used.tv_nsec as u32));
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let before = cpu_time(std::process::id()).unwrap();
        assert!(cpu_time(std::process::id()).unwrap() > before);
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.anonymous > 0 && memory.anonymous <= memory.resident);
        assert!(memory.peak > 0);
        reset_peak(std::process::id()).unwrap();
        assert!(!is_traced(std::process::id()).unwrap());
    }
}
