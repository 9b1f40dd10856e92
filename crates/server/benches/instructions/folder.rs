//! Files by plain open(2): what runs under Valgrind 3.19 has no openat2(2).

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet_core::{Bytes, Fs, FsError, Kind, Later, OpenFile, Root, Stamp, WriteListed};

/// The files of one folder, all of them ours.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: &Path) -> Folder {
        Folder(path.to_path_buf())
    }
}

impl Fs for Folder {
    fn open(&self, _: &Root, path: &[u8]) -> Later<Result<OpenFile, FsError>> {
        let file = File::open(self.0.join(&*String::from_utf8_lossy(path)));
        let opened = file.and_then(|file| {
            let stamp = self.stamp(&file)?;
            Ok(OpenFile { file: Arc::new(file), kind: Kind::File, stamp })
        });
        Later::ready(opened.map_err(FsError::Failed))
    }

    fn stamp(&self, file: &File) -> io::Result<Stamp> {
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Stamp { identity, length: metadata.len(), modified: metadata.modified()? })
    }

    fn read(&self, file: &Arc<File>, range: Range<u64>) -> Later<io::Result<Bytes>> {
        let mut content = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
        Later::ready(file.read_exact_at(&mut content, range.start).map(|()| content.into()))
    }

    fn list(&self, _: &Root, _: &[u8], _: usize, _: WriteListed) -> Later<Result<Bytes, FsError>> {
        Later::ready(Err(FsError::Failed(io::ErrorKind::Unsupported.into())))
    }

    fn spare_descriptors(&self) -> usize {
        16
    }
}
