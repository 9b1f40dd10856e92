//! A folder of a million small files, for the servers that keep something for each file they have served.
//!
//! It takes 4 GiB and a minute to make, so it lies where the command line says and is kept for the next run.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{random::Random, site::HELLO};

/// Folders in the tree, and files in each of them.
const FOLDERS: usize = 1000;
const FILES: usize = 1000;
/// The length of each file.
pub const FILE_BYTES: usize = 64;
/// Written last: a tree without it was not finished.
const FINISHED: &str = ".finished";

/// A tree that is there.
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Makes the tree, unless it is there, and reads all of it, so that every server finds it in the page cache.
    pub fn open(root: &Path) -> io::Result<Tree> {
        // A server that changes its folder must find it too.
        let tree = Tree { root: std::path::absolute(root)? };
        if !tree.root.join(FINISHED).is_file() {
            eprintln!("make {} files in {}", FOLDERS * FILES, tree.root.display());
            tree.make()?;
        }
        eprintln!("read {} files", FOLDERS * FILES);
        for path in paths() {
            fs::read(tree.root.join(&path[1..]))?;
        }
        Ok(tree)
    }

    /// The folder to serve.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The target of every file once, in an order that looks random and is the same each time.
    pub fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = paths().collect();
        Random::new(3).shuffle(&mut targets);
        targets
    }

    fn make(&self) -> io::Result<()> {
        for folder in 0..FOLDERS {
            fs::create_dir_all(self.root.join(format!("{folder:03}")))?;
        }
        for path in paths() {
            let content = format!("{path:<width$}\n", width = FILE_BYTES - 1);
            fs::write(self.root.join(&path[1..]), content)?;
        }
        fs::write(self.root.join("hello.txt"), HELLO)?;
        fs::write(self.root.join(FINISHED), "")
    }
}

/// All targets, which are equally long.
fn paths() -> impl Iterator<Item = String> {
    (0..FOLDERS).flat_map(|folder| (0..FILES).map(move |file| format!("/{folder:03}/{file:03}.txt")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_million_targets_and_all_are_equally_long() {
        assert_eq!(paths().count(), 1_000_000);
        assert!(paths().all(|path| path.len() == "/000/000.txt".len()));
    }
}
