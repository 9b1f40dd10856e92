//! `FileResponse`: a file, whichever it is.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gannet_core::{Body, CpuError, IntoResponse, Rejection, Response, ResponsePart, Status, cpu};
use gannet_features::files::content_type;

/// A file that a handler has chosen, sent as it is: with its length, and a type by its name, by sendfile(2) where there is that. It is there with the feature `files`.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::{Attachment, FileResponse};
/// async fn report(id: Path<u64>) -> Result<(Attachment, FileResponse), Rejection> {
///     let file = FileResponse::open(format!("reports/{}.pdf", *id)).await?;
///     Ok((Attachment::named("report.pdf"), file))
/// }
/// App::new().get("/reports/:id", report);
/// ```
///
/// A name that a client chose is no path: [`App::files`](crate::App::files) serves folders, with listings, conditions, ranges and compression, and
/// nothing outside of them.
#[derive(Clone, Debug)]
pub struct FileResponse {
    file: Arc<File>,
    length: u64,
    media_type: Cow<'static, str>,
}

impl FileResponse {
    /// Opens a file, while the worker goes on with others.
    ///
    /// # Errors
    /// 404 where there is none, or it is no regular file; 500 where it cannot be opened, which the log explains; 503 where too many wait for that.
    pub async fn open(path: impl Into<PathBuf>) -> Result<FileResponse, Rejection> {
        let path = path.into();
        let place = path.clone();
        let opened = match cpu(move || open(&place)).await {
            Err(CpuError::Outside) => open(&path),
            Err(error) => return Err(Rejection::from(error.into_response())),
            Ok(opened) => opened,
        };
        opened.map_err(|error| refused(&path, &error))
    }

    /// A file that is open. Its length is what it is now.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn of(file: File, media_type: impl Into<Cow<'static, str>>) -> io::Result<FileResponse> {
        let length = file.metadata()?.len();
        Ok(FileResponse { file: Arc::new(file), length, media_type: media_type.into() })
    }

    /// Says another type than its name does.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<Cow<'static, str>>) -> FileResponse {
        self.media_type = media_type.into();
        self
    }
}

fn open(path: &Path) -> io::Result<FileResponse> {
    // What is no file may keep who opens it waiting for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(path)?;
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    FileResponse::of(file, content_type(name, None))
}

#[cold]
fn refused(path: &Path, error: &io::Error) -> Rejection {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Rejection::new(Status::NOT_FOUND, "there is no such file")
        }
        _ => {
            tracing::error!("{} cannot be sent: {error}", path.display());
            Rejection::new(Status::INTERNAL_SERVER_ERROR, "the file cannot be read")
        }
    }
}

impl IntoResponse for FileResponse {
    fn into_response(self) -> Response {
        let response = Response::new(Status::OK).with_body(Body::File(self.file, 0..self.length));
        [("Content-Type", &*self.media_type)].change(response)
    }
}
