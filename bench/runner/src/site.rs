//! The folder that the file servers serve: made for one run of the bench, gone after it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// What every server answers in the scenarios of tiny responses.
pub const HELLO: &str = "Hello, World!";

/// A temporary folder with the served files in one part and the servers' own files in the other.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// Makes the folder with `hello.txt` in it.
    pub fn create() -> io::Result<Site> {
        let site = Site { folder: tempfile::Builder::new().prefix("gannet-bench-").tempdir()? };
        fs::create_dir(site.root())?;
        fs::write(site.root().join("hello.txt"), HELLO)?;
        Ok(site)
    }

    /// The folder that is served.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("public")
    }

    /// The folder for configurations, logs and process ids.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a file of `bytes` bytes, unless it exists; writing it also brings it into the page cache.
    pub fn file(&self, name: &str, bytes: u64) -> io::Result<()> {
        let path = self.root().join(name);
        if path.metadata().is_ok_and(|metadata| metadata.len() == bytes) {
            return Ok(());
        }
        let mut file = File::create(path)?;
        let block = vec![b'x'; 1024 * 1024];
        let mut left = bytes;
        while left > 0 {
            let part = left.min(block.len() as u64);
            file.write_all(&block[..part as usize])?;
            left -= part;
        }
        Ok(())
    }
}
