//! Which core each worker runs on, when workers are pinned.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores that this process may use.
pub(super) fn usable() -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect())
}

/// Keeps the current thread on one core.
pub(super) fn pin(core: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(sched_setaffinity(None, &only)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_stays_on_its_core_and_others_where_they_are() {
        let before = usable().unwrap();
        let core = *before.last().unwrap();
        let pinned = std::thread::spawn(move || pin(core).and_then(|()| usable())).join().unwrap();
        assert_eq!(pinned.unwrap(), [core]);
        assert_eq!(usable().unwrap(), before);
    }
}
