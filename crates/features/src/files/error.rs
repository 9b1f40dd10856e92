//! What can be wrong with a folder, and why a file is not answered.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use gannet_core::{FsError, Status};

/// Why a folder cannot be served.
#[derive(Debug)]
pub struct FolderError {
    folder: PathBuf,
    error: io::Error,
}

/// Why there is no file to answer with.
pub(super) enum Refusal {
    NotFound,
    Denied,
    Failed(io::Error),
}

impl FolderError {
    pub(super) fn new(folder: &Path, error: io::Error) -> FolderError {
        FolderError { folder: folder.to_owned(), error }
    }
}

impl From<FsError> for Refusal {
    fn from(error: FsError) -> Refusal {
        match error {
            FsError::NotFound => Refusal::NotFound,
            FsError::Denied => Refusal::Denied,
            FsError::Failed(error) => Refusal::Failed(error),
        }
    }
}

impl Refusal {
    /// What the client is told. What failed goes to the log.
    pub(super) fn status(&self) -> Status {
        match self {
            Refusal::NotFound => Status::NOT_FOUND,
            Refusal::Denied => Status::FORBIDDEN,
            Refusal::Failed(error) => {
                tracing::error!(%error, "a file could not be read");
                Status::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        match self.error.kind() {
            io::ErrorKind::NotFound => {
                write!(f, "there is no folder {folder}; name one that exists, or create it")
            }
            io::ErrorKind::NotADirectory => {
                write!(f, "{folder} is not a folder; name the folder that holds it")
            }
            io::ErrorKind::PermissionDenied => {
                write!(f, "folder {folder} is not ours to read; its owner can allow it (chmod o+rx)")
            }
            _ => write!(f, "folder {folder} cannot be opened: {}", self.error),
        }
    }
}

impl std::error::Error for FolderError {}
