//! What the process holds, as the kernel sees it.

use std::fs;

/// What it may grow by during the load: allocators keep what they were given back, in pieces.
const GROWTH_KIB: u64 = 16 * 1024;

/// Descriptors, threads and memory of its own (proc(5)).
pub struct Held {
    descriptors: usize,
    memory_kib: u64,
}

impl Held {
    pub fn now() -> Result<Held, String> {
        let failed = |error: std::io::Error| format!("/proc/self cannot be read: {error}");
        let descriptors = fs::read_dir("/proc/self/fd").map_err(failed)?.count();
        let status = fs::read_to_string("/proc/self/status").map_err(failed)?;
        let memory = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let memory = memory.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        Ok(Held { descriptors, memory_kib: memory.ok_or("/proc/self/status has no RssAnon")? })
    }

    /// How much more is held afterwards, if that is no leak.
    pub fn judge(&self, after: &Held) -> Result<String, String> {
        if after.descriptors > self.descriptors {
            return Err(format!("{} descriptors, and {} afterwards", self.descriptors, after.descriptors));
        }
        let grown = after.memory_kib.saturating_sub(self.memory_kib);
        if grown > GROWTH_KIB {
            return Err(format!("its memory grew by {grown} KiB, from {} KiB", self.memory_kib));
        }
        Ok(format!(
            "{} descriptors as before, {grown} KiB more memory than {}",
            after.descriptors, self.memory_kib
        ))
    }
}
