//! Files of a folder, whole.
//!
//! 1. the path becomes a name below the root, or is refused (`path`);
//! 2. a small file served within the last second is answered from memory (`memory`);
//! 3. otherwise the file is opened, by the port's word below the root and nowhere else;
//! 4. a directory is answered with its index, or with a redirect to its own path with a slash;
//! 5. a small file is kept in memory, a large one is sent by the kernel.

mod memory;
mod path;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{
    Body, Counter, FsError, Handler, HandlerFactory, Kind, OpenFile, Reply, Request, Response, Root, Status,
};

use memory::{Memory, Page};

/// Files up to this size are kept in memory once they were asked for.
const SMALL_BYTES: u64 = 64 * 1024;

/// What is served for a directory.
const INDEX: &str = "index.html";

/// A folder to serve.
#[derive(Clone, Debug)]
pub struct Files {
    root: Root,
}

/// Why a folder cannot be served.
#[derive(Debug)]
pub struct FolderError {
    folder: PathBuf,
    error: io::Error,
}

/// One worker's instance.
struct FilesHandler {
    root: Root,
    memory: RefCell<Memory>,
}

impl Files {
    /// Serves the files of a folder. The folder is held open: renaming it changes nothing.
    ///
    /// # Errors
    /// When it is missing, not a folder, or not ours to read.
    pub fn open(folder: &Path) -> Result<Files, FolderError> {
        let root = Root::open(folder).map_err(|error| FolderError { folder: folder.to_owned(), error })?;
        Ok(Files { root })
    }

    /// Makes each worker's instance.
    pub fn factory(self) -> HandlerFactory {
        Arc::new(move || Rc::new(FilesHandler { root: self.root.clone(), memory: RefCell::default() }))
    }
}

impl Handler for FilesHandler {
    fn handle(&self, request: Request) -> Reply {
        let now = request.ports().clock.now();
        if let Some(page) = self.memory.borrow().fresh(request.tail(), now) {
            request.ports().counters.add(Counter::MemoryHit, 1);
            return Reply::ready(page);
        }
        Reply::ready(self.look_up(&request).unwrap_or_else(refusal))
    }
}

impl FilesHandler {
    fn look_up(&self, request: &Request) -> Result<Response, Refusal> {
        let name = path::resolve(request.tail()).ok_or(Refusal::NotFound)?;
        let file = request.ports().fs.open(&self.root, name.as_bytes()).map_err(Refusal::from)?;
        if file.kind == Kind::File {
            return self.answer(request, &name, file);
        }
        if !name.is_empty() && !name.ends_with('/') {
            return Ok(with_slash(request));
        }
        let index = format!("{name}{INDEX}");
        let file = request.ports().fs.open(&self.root, index.as_bytes()).map_err(Refusal::from)?;
        if file.kind == Kind::File { self.answer(request, &index, file) } else { Err(Refusal::NotFound) }
    }

    fn answer(&self, request: &Request, name: &str, file: OpenFile) -> Result<Response, Refusal> {
        let content_type = content_type(name);
        if file.length > SMALL_BYTES {
            let body = Body::File(file.file, 0..file.length);
            return Ok(Response::new(Status::OK).with("Content-Type", content_type).with_body(body));
        }
        let now = request.ports().clock.now();
        let mut memory = self.memory.borrow_mut();
        if let Some(page) = memory.unchanged(request.tail(), &file, now) {
            request.ports().counters.add(Counter::MemoryHit, 1);
            return Ok(page);
        }
        request.ports().counters.add(Counter::MemoryMiss, 1);
        // A file that grows or shrinks meanwhile is answered as it was read.
        let mut content = Vec::with_capacity(file.length as usize);
        (&*file.file).take(SMALL_BYTES).read_to_end(&mut content).map_err(Refusal::Failed)?;
        Ok(memory.keep(request.tail(), Page::new(content, content_type, &file, now)))
    }
}

/// Why there is no file to answer with.
enum Refusal {
    NotFound,
    Denied,
    Failed(io::Error),
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

fn refusal(refusal: Refusal) -> Response {
    let status = match refusal {
        Refusal::NotFound => Status::NOT_FOUND,
        Refusal::Denied => Status::FORBIDDEN,
        Refusal::Failed(error) => {
            tracing::error!(%error, "a file could not be read");
            Status::SERVICE_UNAVAILABLE
        }
    };
    Response::text(format!("{} {}\n", status.code(), status.reason())).with_status(status)
}

/// A directory asked for without its slash: links relative to it would lead elsewhere.
fn with_slash(request: &Request) -> Response {
    let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
    Response::new(Status::PERMANENT_REDIRECT).with("Location", format!("{}/{query}", request.path()))
}

/// The media type by the name's extension; text is taken to be UTF-8.
fn content_type(name: &str) -> String {
    match mime_guess::from_path(name).first_raw() {
        Some(text) if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        Some(other) => other.to_owned(),
        None => "application/octet-stream".to_owned(),
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
