//! Starting the binary, talking to it and waiting for its end; whatever it does, no test waits for ever.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A bound for what takes milliseconds: it measures nothing.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often a port is tried until something listens there.
const TRIES: usize = 100_000;

/// The binary, without the variables of whoever runs the tests.
pub fn gannet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gannet"));
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.as_encoded_bytes().starts_with(b"GANNET_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}
