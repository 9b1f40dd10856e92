//! The queues themselves: which are to be had, and what happens when they are full.

use super::*;
use crate::sys::socket::send;
use crate::transfer::retried;

/// None where there is no io_uring: said, and left out.
fn had(make: impl FnOnce() -> io::Result<Ring>) -> Option<Ring> {
    gannet_testing::on("uring", || make().map_err(explained))
}

/// A ring that takes nothing until it is enabled.
fn disabled(submissions: u32) -> io::Result<Ring> {
    IoUring::builder().setup_r_disabled().build(submissions).and_then(Ring::on)
}

/// An operation that is over at once.
fn begin_nothing(ring: &mut Ring, index: u32) {
    // SAFETY: this operation is given no memory.
    unsafe { ring.begin(opcode::Nop::new().build(), Tag::Send(SocketId { index, generation: 0 })) };
}

/// Whose sends are done.
fn indices(outcomes: &[Outcome]) -> Vec<u32> {
    let index = |outcome: &Outcome| match outcome {
        Outcome::Sent { socket, result: Ok(0) } => socket.index,
        _ => panic!("not what was begun"),
    };
    outcomes.iter().map(index).collect()
}

#[test]
fn where_io_uring_is_missing_or_forbidden_the_error_says_which_and_epoll_can_be_had() {
    for (number, kind, word) in [
        (libc::ENOSYS, io::ErrorKind::Unsupported, "no io_uring"),
        (libc::EPERM, io::ErrorKind::PermissionDenied, "forbidden"),
        (libc::EACCES, io::ErrorKind::PermissionDenied, "forbidden"),
    ] {
        let error = explained(io::Error::from_raw_os_error(number));
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(word), "{error}");
    }
    let other = explained(io::Error::from_raw_os_error(libc::EMFILE));
    assert_eq!(other.raw_os_error(), Some(libc::EMFILE), "nothing to do with io_uring");
}

#[test]
fn a_mode_that_the_kernel_does_not_know_is_followed_by_the_next_and_other_errors_are_not() {
    let refusing = |refused: &'static [Mode], number| {
        let mut asked = Vec::new();
        let result = best(|mode| {
            asked.push(mode);
            if refused.contains(&mode) { Err(io::Error::from_raw_os_error(number)) } else { Ok(mode) }
        });
        (result, asked)
    };
    let both = [Mode::Deferred, Mode::Cooperative];
    let (result, asked) = refusing(&[], libc::EINVAL);
    assert_eq!((result.unwrap(), &asked[..]), (Mode::Deferred, &both[..1]));
    let (result, asked) = refusing(&[Mode::Deferred], libc::EINVAL);
    assert_eq!((result.unwrap(), &asked[..]), (Mode::Cooperative, &both[..]));
    let (result, asked) = refusing(&[Mode::Deferred, Mode::Cooperative], libc::EINVAL);
    let error = result.unwrap_err();
    assert_eq!((error.kind(), &asked[..]), (io::ErrorKind::Unsupported, &both[..]));
    assert!(error.to_string().contains("Linux 6.0 is needed"), "{error}");
    let (result, asked) = refusing(&[Mode::Deferred], libc::EPERM);
    assert_eq!((result.unwrap_err().kind(), asked.len()), (io::ErrorKind::PermissionDenied, 1));
    let (result, asked) = refusing(&[Mode::Deferred], libc::ENOMEM);
    assert_eq!((result.unwrap_err().raw_os_error(), asked.len()), (Some(libc::ENOMEM), 1));
}

#[test]
fn the_kernel_is_asked_for_each_mode_s_flags() {
    for (mode, is_deferred) in [(Mode::Deferred, true), (Mode::Cooperative, false)] {
        let Some(ring) = had(|| Ring::in_mode(mode, 8, 8)) else { return };
        let text = format!("{:?}", ring.queues.params());
        assert!(ring.queues.params().is_setup_single_issuer(), "{text}");
        // The crate shows this flag nowhere: what it does is what counts. A receive that becomes possible is put off until we
        // enter, or done with the next system call.
        let mut ring = ring;
        let (peer, socket) = std::os::unix::net::UnixStream::pair().unwrap();
        while retried(|| send(socket.as_fd(), &[0; 4096], libc::MSG_DONTWAIT)).is_ok() {}
        ring.wait_writable(SocketId { index: 0, generation: 0 }, socket.as_fd());
        ring.enter(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let _ = std::os::unix::process::parent_id(); // any system call
        assert_eq!(ring.queues.completion().is_empty(), is_deferred, "{mode:?}");
    }
}

#[test]
fn what_is_not_there_to_be_cancelled_is_told_to_have_evaded() {
    let Some(mut ring) = had(|| Ring::new(8, 8)) else { return };
    let tag = Tag::Receive(SocketId { index: 1, generation: 1 });
    ring.cancel(tag);
    let mut outcomes = Vec::new();
    ring.enter(Some(Duration::from_secs(10))).unwrap();
    ring.gather(&mut outcomes);
    assert!(matches!(outcomes[..], [Outcome::Evaded(evaded)] if evaded == tag), "{}", outcomes.len());
    assert_eq!(ring.under_way(), 0);
}

#[test]
fn what_the_kernel_does_not_take_at_once_is_kept_in_order_until_it_does() {
    let Some(mut ring) = had(|| disabled(4)) else { return };
    for index in 0..10 {
        begin_nothing(&mut ring, index);
    }
    assert_eq!(ring.backlog.len(), 6);
    ring.queues.submitter().register_enable_rings().unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        ring.enter(Some(Duration::ZERO)).unwrap();
        ring.gather(&mut outcomes);
    }
    assert_eq!(indices(&outcomes), Vec::from_iter(0..10));
    assert_eq!(ring.under_way(), 0);
}

#[test]
fn an_operation_cancelled_while_it_waits_for_room_is_begun_before_and_cancelled_all_the_same() {
    let Some(mut ring) = had(|| disabled(2)) else { return };
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let socket = SocketId { index: 7, generation: 1 };
    begin_nothing(&mut ring, 0);
    begin_nothing(&mut ring, 1);
    ring.wait_writable(socket, listener.as_fd()); // which it never is
    ring.cancel(Tag::Send(socket));
    assert_eq!(ring.backlog.len(), 2);
    ring.queues.submitter().register_enable_rings().unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        ring.enter(Some(Duration::ZERO)).unwrap();
        ring.gather(&mut outcomes);
    }
    let last = outcomes.pop().unwrap();
    assert!(matches!(last, Outcome::Sent { socket: of, result: Err(Errno::CANCELED) } if of == socket));
    assert_eq!((indices(&outcomes), ring.under_way()), (vec![0, 1], 0));
}

#[test]
fn completions_beyond_the_queue_s_room_are_kept_by_the_kernel_and_gathered_in_order() {
    for mode in [Mode::Deferred, Mode::Cooperative] {
        let Some(mut ring) = had(|| Ring::in_mode(mode, 4, 8)) else { return };
        for index in 0..30 {
            begin_nothing(&mut ring, index);
        }
        ring.enter(Some(Duration::ZERO)).unwrap();
        assert!(ring.queues.submission().cq_overflow(), "{mode:?}: 30 do not fit into 8");
        let mut outcomes = Vec::new();
        for _ in 0..5 {
            ring.gather(&mut outcomes);
            ring.enter(Some(Duration::ZERO)).unwrap();
        }
        assert_eq!(indices(&outcomes), Vec::from_iter(0..30), "{mode:?}");
        assert_eq!((ring.under_way(), ring.queues.submission().cq_overflow()), (0, false));
    }
}
