//! Listening: the sockets that workers accept from.
//!
//! Of a TCP address each worker has a socket of its own, where the kernel spreads connections over them (on macOS it does not). A Unix socket, and one that
//! was handed over, is one for all of them: a connection goes to the worker that is first to accept it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use gannet_core::HandlerFactory;
use gannet_engine::sys::inherited::Inherited;
use gannet_engine::{Address, Listener};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::error::StartError;
use crate::accept::Preamble;

/// What is to be listened on.
#[derive(Debug)]
pub enum Listen {
    /// An address of TCP; port 0 takes a free one.
    Internet(SocketAddr),
    /// A Unix socket, made at this path for whom the umask lets write to it, and removed at the end. One that a dead server left
    /// there is replaced.
    Unix(PathBuf),
    /// A socket that a service manager handed over.
    Inherited(Inherited),
}

/// Something to listen on, and what its connections begin with.
pub struct ListenerOptions {
    /// What is listened on.
    pub listen: Listen,
    /// What comes before HTTP there.
    pub preamble: Preamble,
    /// What answers all that is asked for there, in the site's place.
    pub handler: Option<HandlerFactory>,
}

impl fmt::Debug for ListenerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ListenerOptions").field(&self.listen).field(&self.preamble).finish()
    }
}

impl From<Listen> for ListenerOptions {
    fn from(listen: Listen) -> ListenerOptions {
        ListenerOptions { listen, preamble: Preamble::default(), handler: None }
    }
}

/// Why a Unix socket cannot be made.
#[derive(Debug)]
pub enum UnixError {
    /// The path has so many bytes: more than a socket's address holds (unix(7)).
    TooLong(usize),
    /// Another program listens there.
    InUse,
    /// Something that is no socket is there.
    NoSocket,
    /// The system says no.
    Failed(io::Error),
}

/// The longest path of a Unix socket, in bytes: of 108 one ends it.
const LONGEST_PATH_BYTES: usize = 107;

/// Each worker's listeners, and where they listen.
pub(super) struct Opened {
    pub(super) addresses: Vec<Address>,
    pub(super) listeners: Vec<Vec<Listener>>,
    /// What comes before HTTP on each, in the same order.
    pub(super) preambles: Vec<Preamble>,
    /// What answers there in the site's place.
    pub(super) handlers: Vec<Option<HandlerFactory>>,
    /// Where those listen.
    pub(super) aside: Vec<Address>,
    pub(super) files: Vec<SocketFile>,
}

/// Opens what is wanted, for so many workers. With `share_port` other processes may listen on the same ports.
pub(super) fn open(
    wanted: Vec<ListenerOptions>,
    workers: usize,
    share_port: bool,
) -> Result<Opened, StartError> {
    let listeners = (0..workers).map(|_| Vec::new()).collect();
    let mut opened = Opened {
        addresses: Vec::new(),
        listeners,
        preambles: Vec::new(),
        handlers: Vec::new(),
        aside: Vec::new(),
        files: Vec::new(),
    };
    for ListenerOptions { listen, preamble, handler } in wanted {
        let address = match listen {
            Listen::Internet(address) => opened.internet(address, share_port)?,
            Listen::Unix(path) => opened.unix(path)?,
            Listen::Inherited(inherited) => opened.inherited(inherited)?,
        };
        if handler.is_none() { &mut opened.addresses } else { &mut opened.aside }.push(address);
        opened.preambles.push(preamble);
        opened.handlers.push(handler);
    }
    Ok(opened)
}

impl Opened {
    /// Several workers share a port, which hides that another program has it, too: so this is found out first, unless that is wanted.
    fn internet(&mut self, wanted: SocketAddr, share_port: bool) -> Result<Address, StartError> {
        let failed = |error| StartError::Listen(wanted, error);
        let mut address = if share_port { wanted } else { Listener::probe(wanted).map_err(failed)? };
        let bound = Listener::bind_each(address, self.listeners.len(), share_port).map_err(failed)?;
        for (own, listener) in self.listeners.iter_mut().zip(bound) {
            address = listener.local_address().map_err(failed)?.internet().unwrap_or(address);
            own.push(listener);
        }
        Ok(address.into())
    }

    fn unix(&mut self, path: PathBuf) -> Result<Address, StartError> {
        let made = bind(&path).and_then(|listener| {
            let file = SocketFile::at(&path).map_err(UnixError::Failed)?;
            Ok((listener, file))
        });
        match made.and_then(|(listener, file)| {
            self.files.push(file);
            self.share(&listener).map_err(UnixError::Failed)
        }) {
            Ok(()) => Ok(Address::Unix(path)),
            Err(error) => Err(StartError::Unix(path, error)),
        }
    }

    fn inherited(&mut self, inherited: Inherited) -> Result<Address, StartError> {
        let (number, name) = (inherited.number(), inherited.name);
        let listener =
            Listener::adopt(inherited.descriptor).map_err(|unfit| StartError::Unfit(number, name, unfit))?;
        let address = listener.local_address().map_err(StartError::Handover)?;
        self.share(&listener).map_err(StartError::Handover)?;
        Ok(address)
    }

    fn share(&mut self, listener: &Listener) -> io::Result<()> {
        for own in &mut self.listeners {
            own.push(listener.try_clone()?);
        }
        Ok(())
    }
}

/// Makes a Unix socket, in the place of one whose server is dead.
fn bind(path: &Path) -> Result<Listener, UnixError> {
    let length = path.as_os_str().len();
    if length > LONGEST_PATH_BYTES {
        return Err(UnixError::TooLong(length));
    }
    match Listener::bind_unix(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            check_dead(path)?;
            std::fs::remove_file(path).map_err(UnixError::Failed)?;
            Listener::bind_unix(path).map_err(UnixError::Failed)
        }
        result => result.map_err(UnixError::Failed),
    }
}

/// Whether what is at the path is a socket that nobody listens on any more (connect(2), `ECONNREFUSED`).
fn check_dead(path: &Path) -> Result<(), UnixError> {
    let failed = UnixError::Failed;
    if !path.symlink_metadata().map_err(failed)?.file_type().is_socket() {
        return Err(UnixError::NoSocket);
    }
    // Not to wait for a server whose backlog is full: that one lives.
    let client = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).map_err(failed)?;
    let refusal = match client.connect(&SockAddr::unix(path).map_err(failed)?) {
        Ok(()) => return Err(UnixError::InUse),
        Err(error) => error,
    };
    match Errno::from_io_error(&refusal) {
        Some(Errno::CONNREFUSED) => Ok(()),
        // PROTOTYPE: a server of datagrams lives there.
        Some(Errno::AGAIN | Errno::PROTOTYPE) => Err(UnixError::InUse),
        _ => Err(failed(refusal)),
    }
}

/// The file of a Unix socket: removed when dropped, unless another has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<SocketFile> {
        // The working directory may be another by the time that it is removed.
        Ok(SocketFile { path: std::path::absolute(path)?, identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|present| present == self.identity) {
            // Left behind it does no harm: the next server replaces it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = path.symlink_metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

impl fmt::Display for UnixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnixError::TooLong(length) => write!(
                f,
                "the path has {length} bytes, and a socket's may have {LONGEST_PATH_BYTES}. Choose a shorter one"
            ),
            UnixError::InUse => {
                f.write_str("another program listens there. Stop it, or choose another path with --listen")
            }
            UnixError::NoSocket => f.write_str(
                "a file that is no socket is there. Choose another path with --listen, or remove it",
            ),
            UnixError::Failed(error) => {
                let way = match error.kind() {
                    io::ErrorKind::NotFound => "; there is no such folder. Create it",
                    io::ErrorKind::PermissionDenied => "; its folder is not ours to write",
                    _ => "",
                };
                write!(f, "{}{way}", super::error::said(error))
            }
        }
    }
}

impl std::error::Error for UnixError {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    use super::*;

    fn refusal(path: &Path) -> String {
        match open(vec![Listen::Unix(path.to_owned()).into()], 1, false) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{} is listened on", path.display()),
        }
    }

    #[test]
    fn a_socket_of_a_dead_server_is_replaced_and_each_worker_has_a_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(UnixListener::bind(&path).unwrap());
        let opened = open(vec![Listen::Unix(path.clone()).into()], 3, false).unwrap();
        assert_eq!(opened.addresses, [Address::Unix(path.clone())]);
        assert!(opened.listeners.iter().all(|own| own.len() == 1));
        UnixStream::connect(&path).unwrap();
        drop(opened);
        assert!(!path.exists(), "it is removed at the end");
    }

    #[test]
    fn what_is_not_a_dead_server_s_is_left_alone_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let _live = UnixListener::bind(path("live")).unwrap();
        let _datagrams = UnixDatagram::bind(path("datagrams")).unwrap();
        fs::write(path("file"), "precious").unwrap();
        for (name, expected) in [
            ("live", "another program listens there"),
            ("datagrams", "another program listens there"),
            ("file", "a file that is no socket is there"),
            ("none/socket", "there is no such folder"),
            (&"x".repeat(200), "and a socket's may have 107"),
        ] {
            let told = refusal(&path(name));
            assert!(told.starts_with("cannot listen on unix:/") && told.contains(expected), "{told}");
        }
        assert_eq!(fs::read(path("file")).unwrap(), b"precious");
        UnixStream::connect(path("live")).unwrap();
    }

    #[test]
    fn a_socket_that_took_the_place_of_ours_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let opened = open(vec![Listen::Unix(path.clone()).into()], 1, false).unwrap();
        fs::remove_file(&path).unwrap();
        let _other = UnixListener::bind(&path).unwrap();
        drop(opened);
        assert!(path.exists());
    }

    #[test]
    fn a_shared_port_is_another_process_s_too_and_else_an_error() {
        let any = Listen::Internet(SocketAddr::from(([127, 0, 0, 1], 0)));
        let first = open(vec![any.into()], 2, true).unwrap();
        let address = first.addresses[0].internet().unwrap();
        assert!(open(vec![Listen::Internet(address).into()], 2, true).is_ok());
        let refused = open(vec![Listen::Internet(address).into()], 2, false);
        assert!(matches!(refused, Err(StartError::Listen(of, _)) if of == address));
    }
}
