//! The file port: opening below a root, on the kernel's word that it is below.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use gannet_core::{Fs, FsError, Kind, OpenFile, Root};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// Files, by openat2(2).
pub(crate) struct Disk;

/// A lookup that raced with a rename is tried again this often (openat2(2), `EAGAIN`).
const ATTEMPTS: usize = 8;

impl Fs for Disk {
    fn open(&self, root: &Root, path: &[u8]) -> Result<OpenFile, FsError> {
        let file = open_beneath(root.directory(), path).map_err(classify)?;
        let metadata = file.metadata().map_err(FsError::Failed)?;
        let kind = match metadata.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Directory,
            _ => return Err(FsError::NotFound),
        };
        Ok(OpenFile {
            file: Arc::new(file),
            kind,
            length: metadata.len(),
            modified: metadata.modified().map_err(FsError::Failed)?,
            identity: (metadata.dev(), metadata.ino()),
        })
    }
}

fn open_beneath(root: &File, path: &[u8]) -> rustix::io::Result<File> {
    let path = if path.is_empty() { b"." } else { path };
    // O_NONBLOCK: a FIFO opens at once, and is then refused for its kind. O_NOCTTY: a terminal does not become ours.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..ATTEMPTS {
        match openat2(root.as_fd(), path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result.map(File::from),
        }
    }
    Err(Errno::AGAIN)
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

    use super::*;

    fn opened(root: &Root, path: &str) -> Result<Kind, &'static str> {
        match Disk.open(root, path.as_bytes()) {
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

    #[test]
    fn only_files_and_directories_are_opened_and_a_fifo_does_not_hold_us_up() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        let root = Root::open(directory.path()).unwrap();
        assert_eq!((opened(&root, "fifo"), opened(&root, "socket")), (Err("not found"), Err("not found")));
    }
}
