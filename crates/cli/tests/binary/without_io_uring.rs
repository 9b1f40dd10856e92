//! Kernels that have no io_uring for us. A filter of system calls (seccomp(2)) plays them: it holds for what the thread that set it
//! starts, and lets a system call fail with an error of our choice.

use std::collections::BTreeMap;
use std::thread;

use rustix::process::Signal;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::rig::{Gannet, exchange};
use crate::{complaint, serve, site};

/// What a kernel answers to io_uring_setup(2), and what is to be said of it.
const REFUSALS: [(i32, &str); 5] = [
    (libc::EPERM, "io_uring is forbidden here (kernel.io_uring_disabled, or a filter of system calls)"),
    (libc::ENOSYS, "this kernel has no io_uring"),
    (libc::EINVAL, "io_uring of this kernel is too old: Linux 6.0 is needed"),
    (libc::ENOMEM, "cannot allocate memory"),
    (libc::EMFILE, "too many open files"),
];

/// Runs `start` where io_uring_setup(2) fails with `error`.
fn refused<T: Send>(error: i32, start: impl FnOnce() -> T + Send) -> T {
    let filter: BpfProgram = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_io_uring_setup, Vec::new())]),
        SeccompAction::Allow,
        SeccompAction::Errno(error.unsigned_abs()),
        std::env::consts::ARCH.try_into().expect("a processor that the filter is made for"),
    )
    .and_then(TryInto::try_into)
    .expect("a filter of one rule");
    thread::scope(|scope| {
        let refused = scope.spawn(|| {
            apply_filter(&filter).expect("a thread may restrict itself");
            start()
        });
        refused.join().expect("it starts")
    })
}

#[test]
fn where_io_uring_is_refused_auto_serves_on_epoll_and_says_why() {
    let folder = site();
    for (error, reason) in REFUSALS {
        let mut command = serve(folder.path());
        command.args(["--log", "text", "--backend", "auto"]);
        let mut server = refused(error, || Gannet::start(&mut command));
        assert!(server.banner.contains("   epoll, "), "{}", server.banner);
        assert!(exchange(server.address(), "GET", "/").ends_with("<h1>Here</h1>"));
        server.signal(Signal::TERM);
        let ended = server.wait();
        let lines: Vec<_> = ended.stderr.lines().filter(|line| line.contains("io_uring")).collect();
        let [line] = lines[..] else { panic!("said once: {}", ended.stderr) };
        assert!(line.to_lowercase().contains(&reason.to_lowercase()), "{line}");
        assert!(line.contains("serving on epoll"), "{line}");
        assert_eq!(ended.code, Some(0));
    }
}

#[test]
fn where_io_uring_is_refused_and_asked_for_it_does_not_start_and_says_why_and_what_helps() {
    let folder = site();
    for (error, reason) in REFUSALS {
        let mut command = serve(folder.path());
        command.args(["--backend", "uring"]);
        let line = refused(error, || complaint(&mut command, 1));
        assert!(line.contains(reason), "{line}");
        assert!(line.ends_with("; --backend epoll needs no io_uring"), "{line}");
    }
}
