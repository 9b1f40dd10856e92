//! The folder that the file servers serve.
//!
//! It lies beside the bench's own program, so that an interrupted run leaves nothing outside of `target`, and its files
//! are kept for the next run.

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What every server answers in the scenarios of tiny responses.
pub const HELLO: &str = "Hello, World!";

/// The served files, and a folder for the servers' own, which goes with the run.
#[derive(Debug)]
pub struct Site {
    root: PathBuf,
    scratch: PathBuf,
}

impl Site {
    /// Makes both folders, with `hello.txt` in the one that is served.
    pub fn create() -> io::Result<Site> {
        let folder = env::current_exe()?.with_file_name("gannet-bench-site");
        let scratch = folder.join(format!("run-{}", std::process::id()));
        let site = Site { root: folder.join("public"), scratch };
        fs::create_dir_all(&site.root)?;
        fs::create_dir_all(&site.scratch)?;
        site.write("hello.txt", HELLO.len() as u64, HELLO.as_bytes())?;
        Ok(site)
    }

    /// The folder that is served.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for configurations, logs and process ids.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Makes a file of `bytes` bytes, unless it exists.
    pub fn file(&self, name: &str, bytes: u64) -> io::Result<()> {
        self.write(name, bytes, &vec![b'x'; 1024 * 1024])
    }

    /// Writes `block` over and over until the file is as long as asked for. Writing also brings it into the page cache.
    fn write(&self, name: &str, bytes: u64, block: &[u8]) -> io::Result<()> {
        let path = self.root.join(name);
        if path.metadata().is_ok_and(|metadata| metadata.len() == bytes) {
            return Ok(());
        }
        let mut file = File::create(path)?;
        let mut left = bytes;
        while left > 0 {
            let part = left.min(block.len() as u64);
            file.write_all(&block[..part as usize])?;
            left -= part;
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed lies in `target` and harms nobody.
        let _ = fs::remove_dir_all(&self.scratch);
    }
}
