//! A part into a file, by threads that wait for the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gannet_core::{CpuError, Fs, IntoResponse, Rejection, Status};

use super::part::Part;

/// What is gathered before it is written.
const GATHERED_BYTES: usize = 256 * 1024;

/// A file that is removed unless it was completed.
struct Unfinished {
    path: Option<PathBuf>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // Nobody is left to be told; a folder that cannot be written to any more keeps it.
            let _ = std::fs::remove_file(path);
        }
    }
}

pub(super) async fn save(
    part: &mut Part<'_>,
    disk: &(dyn Fs + 'static),
    path: PathBuf,
) -> Result<u64, Rejection> {
    let new = path.clone();
    let (mut file, mut unfinished) = elsewhere(disk, &path, move || {
        // Together: whoever has left meanwhile leaves no file either.
        File::create_new(&new).map(|file| (file, Unfinished { path: Some(new) }))
    })
    .await?;
    let (mut gathered, mut length) = (Vec::new(), 0);
    loop {
        let piece = part.next().await?;
        let is_last = piece.is_none();
        gathered.extend_from_slice(&piece.unwrap_or_default());
        if gathered.len() >= GATHERED_BYTES || is_last {
            length += gathered.len() as u64;
            (file, gathered) = elsewhere(disk, &path, move || {
                file.write_all(&gathered)?;
                gathered.clear();
                Ok((file, gathered))
            })
            .await?;
        }
        if is_last {
            unfinished.path = None;
            return Ok(length);
        }
    }
}

/// What `work` gives on a thread that may wait.
async fn elsewhere<T: Send + 'static>(
    disk: &(dyn Fs + 'static),
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Rejection> {
    match disk.run(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(refused(path, &error)),
        Err(error @ CpuError::Full) => Err(Rejection::from(error.into_response())),
        Err(error) => Err(refused(path, &io::Error::other(error))),
    }
}

#[cold]
fn refused(path: &Path, error: &io::Error) -> Rejection {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Rejection::new(Status::CONFLICT, "there is a file of this name already");
    }
    tracing::error!("an upload cannot be saved to {}: {error}", path.display());
    Rejection::new(Status::INTERNAL_SERVER_ERROR, "the file could not be saved")
}
