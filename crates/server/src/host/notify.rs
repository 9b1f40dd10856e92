//! Telling the service manager how we are (sd_notify(3)), where there is one that wants to know.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Connections are accepted.
pub(super) const READY: &str = "READY=1";

/// What runs is finished, nothing else begun.
pub(super) const STOPPING: &str = "STOPPING=1";

/// Tells the service manager, if `NOTIFY_SOCKET` names one. That it does not listen is no reason to fail.
pub(super) fn tell(state: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    if let Err(error) = send(&name, state) {
        tracing::warn!(%error, state, "the service manager cannot be told");
    }
}

/// `name` is a path, or with an `@` before it one of the abstract namespace (unix(7)).
fn send(name: &OsStr, state: &str) -> io::Result<()> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(name),
    }?;
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_one_datagram_to_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), READY).unwrap();
        let mut room = [0; 64];
        let count = manager.recv(&mut room).unwrap();
        assert_eq!(&room[..count], b"READY=1");
    }

    #[test]
    fn a_manager_that_is_gone_is_an_error_and_no_wait() {
        assert!(send(OsStr::new("/none/such"), READY).is_err());
        assert!(send(OsStr::new("@gannet-none-such"), READY).is_err());
    }
}
