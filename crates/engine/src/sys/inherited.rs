//! Sockets that a service manager opened and hands over (sd_listen_fds(3)).
//!
//! They are descriptors that nobody in this process has opened, known by their numbers only: that they are ours to close cannot
//! be seen by the compiler, which is why this is here.

use std::env;
use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// The first descriptor that is handed over (`SD_LISTEN_FDS_START`).
const FIRST: RawFd = 3;

/// More are not taken: who hands over so many means something else.
const MOST: usize = 1024;

/// They are taken once: a number used twice would be closed twice.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A descriptor that was handed over.
#[derive(Debug)]
pub struct Inherited {
    /// What the service manager calls it, such as `gannet.socket`; empty when it does not say.
    pub name: String,
    /// The descriptor; close-on-exec.
    pub descriptor: OwnedFd,
}

/// Why what was announced could not be taken: the service manager's fault, or that of whoever set its variables.
#[derive(PartialEq, Eq, Debug)]
pub enum InheritedError {
    /// `LISTEN_FDS` is no number of descriptors.
    Count(String),
    /// This descriptor was announced, and not handed over.
    NotHandedOver(i32),
}

/// Takes the descriptors that were handed over to this process, and takes their variables out of the environment, unless there
/// is another thread by now. A second call gives none.
///
/// # Errors
/// See [`InheritedError`].
pub fn take() -> Result<Vec<Inherited>, InheritedError> {
    let announced = announced(std::process::id(), |name| env::var(name).ok())?;
    if announced.is_empty() || TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    forget_variables();
    announced.into_iter().map(|(number, name)| adopt(number, name)).collect()
}

/// Numbers and names of what was handed over to the process `id`.
fn announced(
    id: u32,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(RawFd, String)>, InheritedError> {
    // Inherited from a parent for which it was meant: not for us.
    if variable("LISTEN_PID").and_then(|text| text.parse().ok()) != Some(id) {
        return Ok(Vec::new());
    }
    let count = variable("LISTEN_FDS").unwrap_or_default();
    let Some(count) = count.parse::<usize>().ok().filter(|count| *count <= MOST) else {
        return Err(InheritedError::Count(count));
    };
    let names = variable("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').map(str::to_owned).chain(std::iter::repeat(String::new()));
    Ok((FIRST..).zip(names).take(count).collect())
}

fn adopt(number: RawFd, name: String) -> Result<Inherited, InheritedError> {
    // SAFETY: only looked at, in this line; if nothing is open there the kernel says so.
    let flags = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) });
    // What came through execve(2) is not close-on-exec; what this process opened itself is, by the standard library's rule. So a
    // false announcement does not take what has an owner.
    let flags = flags.ok().filter(|flags| !flags.contains(FdFlags::CLOEXEC));
    let flags = flags.ok_or(InheritedError::NotHandedOver(number))?;
    // SAFETY: it is open, was handed to this process to be its own (LISTEN_PID names it), and is taken only once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    // Fails only for what is not open.
    let _ = fcntl_setfd(&descriptor, flags | FdFlags::CLOEXEC);
    Ok(Inherited { name, descriptor })
}

/// So that children do not take them for theirs. Those would see by `LISTEN_PID` that they are not; so it does no harm to leave
/// the variables where another thread might be reading them.
fn forget_variables() {
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    if threads != 1 {
        return;
    }
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] {
        // SAFETY: this thread is the only one, so nobody else reads or writes the environment.
        unsafe { env::remove_var(name) };
    }
}

impl Inherited {
    /// Its number, as the service manager counts: from 3.
    pub fn number(&self) -> i32 {
        self.descriptor.as_raw_fd()
    }
}

impl fmt::Display for InheritedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InheritedError::Count(count) => {
                write!(f, "LISTEN_FDS is {count:?}; it is the number of sockets handed over, up to {MOST}")
            }
            InheritedError::NotHandedOver(number) => write!(
                f,
                "LISTEN_FDS announces descriptor {number}, which was not handed over; a service manager sets both"
            ),
        }
    }
}

impl std::error::Error for InheritedError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(variables: &[(&str, &str)]) -> Result<Vec<(RawFd, String)>, InheritedError> {
        announced(7, |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn sockets_are_counted_from_3_and_named_as_far_as_names_go() {
        let variables = [("LISTEN_PID", "7"), ("LISTEN_FDS", "3"), ("LISTEN_FDNAMES", "web:admin")];
        let expected = [(3, "web"), (4, "admin"), (5, "")].map(|(number, name)| (number, name.to_owned()));
        assert_eq!(said(&variables), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_meant_for_another_process_is_left_alone() {
        assert_eq!(said(&[]), Ok(Vec::new()));
        assert_eq!(said(&[("LISTEN_PID", "8"), ("LISTEN_FDS", "1")]), Ok(Vec::new()));
        assert_eq!(said(&[("LISTEN_FDS", "1")]), Ok(Vec::new()));
    }

    #[test]
    fn a_count_that_is_none_is_told() {
        for count in ["", "many", "-1", "1025"] {
            let error = said(&[("LISTEN_PID", "7"), ("LISTEN_FDS", count)]).unwrap_err();
            assert!(error.to_string().contains(&format!("{count:?}")), "{error}");
        }
    }
}
