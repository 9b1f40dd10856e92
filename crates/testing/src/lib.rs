//! What tests of several crates share: which of the kernel's backends they run on, how a test that is left out is told, and certificates.
//!
//! `GANNET_BACKEND` names one, as `--backend` takes it: the tests of the other are left out, and one that cannot be had fails them.
//! Without it, or with `auto`, they run on all that the machine has.
//!
//! Rust's test runner counts a test that returns early as passed, and shows nothing of what it says. So a test that is left out says
//! so past the runner's capture, in a line of its own that `.ci/run` counts.

#![forbid(unsafe_code)]

#[cfg(feature = "authority")]
mod authority;

use std::fmt::Display;
use std::io::{self, Write};

#[cfg(feature = "authority")]
pub use authority::{Authority, Signed};
#[cfg(feature = "authority")]
pub use rcgen;

/// The variable that names the one backend to test.
const VARIABLE: &str = "GANNET_BACKEND";

/// What `make` makes on a backend; none where the tests of that backend are left out: because another is to be tested, or because the
/// kernel has no such thing for us. No other failure is an excuse.
///
/// # Panics
/// When making it failed otherwise, or `GANNET_BACKEND` names the backend.
pub fn on<T>(backend: &str, make: impl FnOnce() -> io::Result<T>) -> Option<T> {
    if !is_wanted(backend) {
        return None;
    }
    match make() {
        Ok(made) => Some(made),
        Err(error) if is_refusal(&error) => {
            leave_out(backend, &error);
            None
        }
        Err(error) => panic!("{backend}: {error}"),
    }
}

/// Whether tests of the backend are to run; says that this one is left out if not.
pub fn is_wanted(backend: &str) -> bool {
    let wanted = names(std::env::var(VARIABLE).ok().as_deref(), backend);
    if wanted == Wanted::No {
        say(backend, &format_args!("{VARIABLE} names another"));
    }
    wanted != Wanted::No
}

/// Whether this is how a kernel says that it has no such thing, or forbids it.
pub fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// Says that this test is left out, since the backend cannot be had.
///
/// # Panics
/// When `GANNET_BACKEND` names the backend.
pub fn leave_out(backend: &str, why: &dyn Display) {
    let wanted = names(std::env::var(VARIABLE).ok().as_deref(), backend);
    assert!(wanted != Wanted::Only, "{VARIABLE} is {backend}, and that cannot be had: {why}");
    say(backend, why);
}

fn say(backend: &str, why: &dyn Display) {
    let thread = std::thread::current();
    let line = format!("left out on {backend}: {}: {why}\n", thread.name().unwrap_or("a test"));
    // Not by a macro, whose output the test runner keeps to itself; and if nobody hears it, that is no failure.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Whether a backend is to be tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    No,
    IfThere,
    Only,
}

fn names(variable: Option<&str>, backend: &str) -> Wanted {
    match variable {
        None | Some("" | "auto") => Wanted::IfThere,
        Some(name) if name == backend => Wanted::Only,
        Some(_) => Wanted::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_backend_that_is_named_is_the_only_one() {
        assert_eq!(names(None, "uring"), Wanted::IfThere);
        assert_eq!(names(Some("auto"), "epoll"), Wanted::IfThere);
        assert_eq!(names(Some("uring"), "uring"), Wanted::Only);
        assert_eq!(names(Some("uring"), "epoll"), Wanted::No);
    }

    #[test]
    fn only_the_kernel_s_refusal_is_an_excuse() {
        let refuses = |number| is_refusal(&io::Error::from_raw_os_error(number));
        assert!(refuses(1) && refuses(38), "EPERM and ENOSYS");
        assert!(!refuses(12) && !refuses(22) && !refuses(24), "ENOMEM, EINVAL and EMFILE");
    }

    #[test]
    #[should_panic(expected = "no such thing")]
    fn a_failure_is_a_failure() {
        on("other", || -> io::Result<()> { Err(io::Error::other("no such thing")) })
            .unwrap_or_else(|| panic!("no such thing is wanted here"));
    }
}
