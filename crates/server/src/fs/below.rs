//! Files below a root, on the kernel's word that they are below (openat2(2)).

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use gannet_core::{Entry, FsError, Kind, Later, Listed, OpenFile, Root, Stamp, WriteListed};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2, statat};
use rustix::io::Errno;

use super::busy;
use crate::offload::Offload;

/// A lookup that raced with a rename is tried again this often (openat2(2), `EAGAIN`).
const ATTEMPTS: usize = 8;

pub(super) fn open(threads: &Offload, root: &Root, path: &[u8]) -> Later<Result<OpenFile, FsError>> {
    match open_beneath(root.directory(), path, OFlags::RDONLY, ResolveFlags::CACHED) {
        // AGAIN: not all of the way is in memory. INVAL: the kernel cannot tell (before Linux 5.12).
        Err(Errno::AGAIN | Errno::INVAL) => {
            let (directory, path) = (root.directory().clone(), path.to_vec());
            elsewhere(threads, move || open_waiting(&directory, &path))
        }
        opened => Later::ready(opened.map_err(classify).and_then(inspected)),
    }
}

pub(super) fn stamp_of(file: &File) -> io::Result<Stamp> {
    Ok(stamp(&fstat(file)?))
}

pub(super) fn list(
    threads: &Offload,
    root: &Root,
    path: &[u8],
    limit: usize,
    write: WriteListed,
) -> Later<Result<Bytes, FsError>> {
    let (root, path) = (root.directory().clone(), path.to_vec());
    elsewhere(threads, move || listed(&root, &path, limit).map(write).map_err(classify))
}

/// Has a thread do something; when all have too much to do already that is our failure.
fn elsewhere<T: Send + 'static>(
    threads: &Offload,
    work: impl FnOnce() -> Result<T, FsError> + Send + 'static,
) -> Later<Result<T, FsError>> {
    let done = threads.run(work);
    Later::waiting(async { done.await.unwrap_or_else(|| Err(FsError::Failed(busy()))) })
}

fn open_waiting(root: &File, path: &[u8]) -> Result<OpenFile, FsError> {
    open_beneath(root, path, OFlags::RDONLY, ResolveFlags::empty()).map_err(classify).and_then(inspected)
}

fn inspected(file: File) -> Result<OpenFile, FsError> {
    let stat = fstat(&file).map_err(|error| FsError::Failed(error.into()))?;
    let kind = kind(&stat).ok_or(FsError::NotFound)?;
    Ok(OpenFile { file: Arc::new(file), kind, stamp: stamp(&stat) })
}

fn stamp(stat: &Stat) -> Stamp {
    let length = u64::try_from(stat.st_size).unwrap_or(0);
    Stamp { identity: (stat.st_dev, stat.st_ino), length, modified: modified(stat) }
}

/// What it is, if it may be served.
fn kind(stat: &Stat) -> Option<Kind> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Directory),
        _ => None,
    }
}

fn open_beneath(root: &File, path: &[u8], access: OFlags, how: ResolveFlags) -> rustix::io::Result<File> {
    let path = if path.is_empty() { b"." } else { path };
    // O_NONBLOCK: a FIFO opens at once, and is then refused for its kind. O_NOCTTY: a terminal does not become ours. With O_PATH
    // nothing is opened, and openat2(2) takes neither.
    let flags = match access {
        OFlags::PATH => access | OFlags::CLOEXEC,
        _ => access | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | how;
    for _ in 0..ATTEMPTS {
        match openat2(root.as_fd(), path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) if how.contains(ResolveFlags::CACHED) => break,
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result.map(File::from),
        }
    }
    Err(Errno::AGAIN)
}

fn listed(root: &File, path: &[u8], limit: usize) -> rustix::io::Result<Listed> {
    let access = OFlags::RDONLY | OFlags::DIRECTORY;
    // What is below it is named from the root, by a relative path: the root's own is empty.
    let path = &match path {
        b"" | [.., b'/'] => path.to_vec(),
        _ => [path, b"/"].concat(),
    };
    let directory = open_beneath(root, path, access, ResolveFlags::empty())?;
    let mut listed = Listed::default();
    for item in Dir::read_from(&directory)? {
        let item = item?;
        let name = item.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if listed.entries.len() == limit {
            listed.truncated = true;
            break;
        }
        let stat = match item.file_type() {
            // Where the link leads is found from the root, so that it leads nowhere else.
            FileType::Symlink => {
                open_beneath(root, &[path, name].concat(), OFlags::PATH, ResolveFlags::empty())
                    .and_then(fstat)
            }
            _ => statat(&directory, item.file_name(), AtFlags::SYMLINK_NOFOLLOW),
        };
        // What is gone meanwhile, or is not ours to see, is not there.
        listed.entries.extend(stat.ok().and_then(|stat| entry(name, &stat)));
    }
    Ok(listed)
}

fn entry(name: &[u8], stat: &Stat) -> Option<Entry> {
    let length = u64::try_from(stat.st_size).unwrap_or(0);
    Some(Entry { name: name.to_vec(), kind: kind(stat)?, length, modified: modified(stat) })
}

fn modified(stat: &Stat) -> SystemTime {
    let nanoseconds = Duration::from_nanos(stat.st_mtime_nsec);
    match u64::try_from(stat.st_mtime) {
        Ok(seconds) => SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + nanoseconds,
        // Before 1970.
        Err(_) => SystemTime::UNIX_EPOCH - Duration::from_secs(stat.st_mtime.unsigned_abs()) + nanoseconds,
    }
}

fn classify(error: Errno) -> FsError {
    match error {
        Errno::ACCESS | Errno::PERM => FsError::Denied,
        // XDEV: outside the root. NXIO: a socket, or a FIFO's missing end. INVAL: a NUL in the path.
        Errno::NOENT
        | Errno::NOTDIR
        | Errno::LOOP
        | Errno::NAMETOOLONG
        | Errno::XDEV
        | Errno::NXIO
        | Errno::NODEV
        | Errno::INVAL => FsError::NotFound,
        error => FsError::Failed(io::Error::from(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use gannet_core::Fs;

    use super::*;
    use crate::fs::Disk;
    use crate::offload::Services;

    /// What is there at once, as everything is where no threads are.
    fn now<T>(later: Later<T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(later).poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("it waits for nothing"),
        }
    }

    fn opened(root: &Root, path: &str) -> Result<Kind, &'static str> {
        let disk = Disk::new(Services::inline().disk, 0);
        match now(disk.open(root, path.as_bytes())) {
            Ok(file) => Ok(file.kind),
            Err(FsError::NotFound) => Err("not found"),
            Err(FsError::Denied) => Err("denied"),
            Err(FsError::Failed(_)) => Err("failed"),
        }
    }

    #[test]
    fn nothing_outside_the_root_is_opened_whatever_the_path_says() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let inside = outside.path().join("public");
        std::fs::create_dir_all(inside.join("sub")).unwrap();
        std::fs::write(inside.join("page"), "p").unwrap();
        symlink("../secret", inside.join("up")).unwrap();
        symlink("/etc/passwd", inside.join("absolute")).unwrap();
        symlink("../page", inside.join("sub/within")).unwrap();
        let root = Root::open(&inside).unwrap();
        assert_eq!(opened(&root, "page"), Ok(Kind::File));
        assert_eq!(opened(&root, "sub/within"), Ok(Kind::File), "a link that stays inside is followed");
        assert_eq!((opened(&root, ""), opened(&root, "sub")), (Ok(Kind::Directory), Ok(Kind::Directory)));
        for path in
            ["../secret", "sub/../../secret", "up", "absolute", "/etc/passwd", "page/x", "none", "a\0b"]
        {
            assert_eq!(opened(&root, path), Err("not found"), "{path}");
        }
    }

    fn listed(root: &Root, path: &str) -> Vec<(String, Kind, u64)> {
        let disk = Disk::new(Services::inline().disk, 0);
        let (give, given) = std::sync::mpsc::channel();
        let write = Box::new(move |listed| {
            give.send(listed).unwrap();
            Bytes::new()
        });
        now(disk.list(root, path.as_bytes(), 100, write)).map_err(drop).unwrap();
        let listed: Listed = given.recv().unwrap();
        let name = |entry: Entry| (String::from_utf8(entry.name).unwrap(), entry.kind, entry.length);
        let mut names: Vec<_> = listed.entries.into_iter().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_list_has_what_can_be_opened_links_within_the_root_too_and_nothing_else() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let inside = outside.path().join("public");
        for directory in [inside.clone(), inside.join("sub")] {
            std::fs::create_dir(&directory).unwrap();
            std::fs::write(directory.join("page"), "four").unwrap();
            for (to, name) in [
                ("page", "link"),
                ("page/..", "not-there"),
                (".", "here"),
                ("/", "slash"),
                ("/etc/passwd", "absolute"),
                ("../../secret", "up"),
                ("loop", "loop"),
                ("nothing", "dangling"),
                ("fifo", "to-fifo"),
                ("/proc/self/fd/0", "magic"),
            ] {
                symlink(to, directory.join(name)).unwrap();
            }
            let fifo = directory.join("fifo");
            rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
            drop(std::os::unix::net::UnixListener::bind(directory.join("socket")).unwrap());
        }
        let root = Root::open(&inside).unwrap();
        let directory = |length: &[(String, Kind, u64)], name: &str| {
            length.iter().any(|(other, kind, _)| other == name && *kind == Kind::Directory)
        };
        for (path, names) in [
            ("", &["here", "link", "page", "sub"][..]),
            ("sub/", &["here", "link", "page"]),
            ("sub", &["here", "link", "page"]),
        ] {
            let listed = listed(&root, path);
            assert_eq!(listed.iter().map(|(name, ..)| &**name).collect::<Vec<_>>(), names, "{path:?}");
            assert!(directory(&listed, "here"));
            for name in ["link", "page"] {
                assert!(listed.contains(&(name.to_owned(), Kind::File, 4)), "{name}");
            }
        }
    }

    #[test]
    fn only_files_and_directories_are_opened_and_a_fifo_does_not_hold_us_up() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        let root = Root::open(directory.path()).unwrap();
        assert_eq!((opened(&root, "fifo"), opened(&root, "socket")), (Err("not found"), Err("not found")));
    }
}
