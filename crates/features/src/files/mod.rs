//! Files of a folder, as clients may want them.
//!
//! 1. the path becomes a name below the root, or is refused (`path`);
//! 2. what was asked for within the last second is answered from what is kept (`store`);
//! 3. otherwise the file is looked for (`lookup`): opened, by the port's word below the root and nowhere else; a directory becomes its index,
//!    its listing, or a redirect to its own path with a slash;
//! 4. it becomes a representation, with the fields that describe it (`representation`, `media`); a small file is kept in memory, a large
//!    one open;
//! 5. of its codings, side files and what is compressed on the fly, the best that the client takes is chosen (`coding`, `compress`);
//! 6. conditions and ranges say how much of it is sent (`answer`, `condition`, `range`, `multipart`).

mod answer;
mod asked;
#[cfg(feature = "compression")]
mod codec;
#[cfg(not(feature = "compression"))]
#[path = "without_codec.rs"]
mod codec;
mod compress;
mod condition;
mod error;
mod listing;
mod lookup;
pub(crate) mod media;
mod multipart;
mod origin;
mod path;
mod range;
mod representation;
mod store;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{
    Body, FILE_READ_BYTES, Handler, HandlerFactory, Listed, Method, Request, Response, Root, Status, quick,
};

use crate::coding::Accepted;
use asked::Asked;
use compress::Compressed;
use listing::{Directory, Format};
use lookup::{Folder, Found};
use origin::Origin;

pub use error::FolderError;
use error::Refusal;
pub use media::content_type;
pub use origin::EmbeddedFiles;

/// Files up to this size are kept in memory once they were asked for.
const SMALL_BYTES: u64 = 64 * 1024;

/// Entries of one directory that are read for its listing, which says so when there are more.
const MOST_LISTED: usize = 100_000;

/// The strong entity tag of a content, with its quotes (RFC 9110, 8.8.3): what it is served with.
pub fn entity_tag(content: &[u8]) -> String {
    representation::tag(content)
}

/// A folder to serve, and how.
#[derive(Clone, Debug)]
pub struct Files {
    origin: Origin,
    options: Options,
}

/// What can be made into [`Files`]: a folder's path, or `Files` themselves.
pub trait IntoFiles {
    /// Makes it so.
    ///
    /// # Errors
    /// As [`Files::open`].
    fn into_files(self) -> Result<Files, FolderError>;
}

impl<P: AsRef<Path> + ?Sized> IntoFiles for &P {
    fn into_files(self) -> Result<Files, FolderError> {
        Files::open(self)
    }
}

impl IntoFiles for PathBuf {
    fn into_files(self) -> Result<Files, FolderError> {
        Files::open(self)
    }
}

impl IntoFiles for Files {
    fn into_files(self) -> Result<Files, FolderError> {
        Ok(self)
    }
}

impl IntoFiles for Result<Files, FolderError> {
    fn into_files(self) -> Result<Files, FolderError> {
        self
    }
}

/// How a folder is served.
#[derive(Clone, Debug)]
struct Options {
    indexes: Vec<String>,
    listing: bool,
    compression: bool,
    single_page: bool,
    error_pages: bool,
}

/// What all workers share of a folder.
struct Shared {
    origin: Origin,
    options: Options,
    compressed: Compressed,
}

impl Files {
    /// Serves the files of a folder. The folder is held open: renaming it changes nothing.
    ///
    /// # Errors
    /// When it is missing, not a folder, or not ours to read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Files, FolderError> {
        let folder = folder.as_ref();
        let root = Root::open(folder).map_err(|error| FolderError::new(folder, error))?;
        Ok(Files::of(Origin::Folder(root)))
    }

    /// Serves files that are in the program: what `gannet::embed!` makes. They have no date, and no folder of them is listed.
    pub fn embedded(files: EmbeddedFiles) -> Files {
        Files::of(Origin::Embedded(files))
    }

    fn of(origin: Origin) -> Files {
        let indexes = vec!["index.html".to_owned()];
        let options =
            Options { indexes, listing: false, compression: true, single_page: false, error_pages: true };
        Files { origin, options }
    }

    /// What is served for a directory: the first of these names that it has. By default `index.html`.
    #[must_use]
    pub fn indexes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Files {
        self.options.indexes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether a directory without an index is listed; else it is not found. By default not.
    #[must_use]
    pub fn listing(mut self, listing: bool) -> Files {
        self.options.listing = listing;
        self
    }

    /// Whether clients that take it are sent files compressed: from a side file (`.br`, `.zst`, `.gz`), else on the fly,
    /// for which the feature `compression` has to be built in. By default so.
    #[must_use]
    pub fn compression(mut self, compression: bool) -> Files {
        self.options.compression = compression;
        self
    }

    /// Whether the folder is an application of a single page that routes by itself: what is not found is answered with the root's
    /// index, unless the last part of its path has an extension, and so is a missing asset. By default not.
    #[must_use]
    pub fn single_page(mut self, single_page: bool) -> Files {
        self.options.single_page = single_page;
        self
    }

    /// Whether an error is answered with the file `404.html` (or whatever its status is) of the root, where it has one. By default so.
    #[must_use]
    pub fn error_pages(mut self, error_pages: bool) -> Files {
        self.options.error_pages = error_pages;
        self
    }

    /// Makes each worker's instance.
    pub fn factory(self) -> HandlerFactory {
        let Files { origin, options } = self;
        let shared = Arc::new(Shared { origin, options, compressed: Compressed::default() });
        Arc::new(move || instance(shared.clone()))
    }
}

/// One worker's instance: what is kept is answered at once, everything else by a future.
fn instance(shared: Arc<Shared>) -> Rc<dyn Handler> {
    let folder = Rc::new(Folder::new(shared));
    let kept = folder.clone();
    quick(
        move |request| kept.kept(request),
        move |request| {
            let folder = folder.clone();
            async move { folder.serve(&request).await }
        },
    )
}

impl Folder {
    /// The answer, if everything it needs is kept.
    fn kept(&self, request: &Request) -> Option<Response> {
        let ports = request.ports();
        let store = self.store(ports).borrow();
        let entry = store.fresh(request.tail(), ports.clock.now())?;
        let asked = Asked::of(request);
        let accepted = accepted(entry.negotiable, asked, request);
        let chosen = entry.chosen(accepted)?;
        let response = answer::answer(&chosen, asked, request, ports.clock.unix_seconds());
        // An open file has its content elsewhere, where it may have become shorter: whoever were sent it would be cut off.
        if is_sent_later(response.body()) && !chosen.content.is_current(ports) {
            return None;
        }
        lookup::count(&entry.plain, true, ports);
        Some(response)
    }

    async fn serve(&self, request: &Request) -> Response {
        match self.answer(request.tail(), request).await {
            Ok(response) => response,
            Err(Refusal::NotFound) if self.options().single_page && is_navigation(request) => {
                match self.answer("", request).await {
                    Ok(response) => response,
                    Err(refusal) => self.refuse(refusal, request).await,
                }
            }
            Err(refusal) => self.refuse(refusal, request).await,
        }
    }

    async fn answer(&self, path: &str, request: &Request) -> Result<Response, Refusal> {
        let ports = request.ports();
        match self.find(path, ports).await? {
            Found::File(entry) => {
                let asked = Asked::of(request);
                let accepted = accepted(entry.negotiable, asked, request);
                let chosen = self.choose(path, &entry, accepted, ports).await;
                Ok(answer::answer(&chosen, asked, request, ports.clock.unix_seconds()))
            }
            Found::WithoutSlash => Ok(with_slash(request)),
            // Not that of the root in the place of another path, for an application of a single page that has no page.
            Found::Directory(name) if self.options().listing && path == request.tail() => {
                self.list(name, request).await
            }
            Found::Directory(_) => Err(Refusal::NotFound),
        }
    }

    /// What a directory holds. There may be much of it: it is written where it is read, and not by the worker.
    async fn list(&self, name: Vec<u8>, request: &Request) -> Result<Response, Refusal> {
        let Origin::Folder(root) = &self.shared.origin else { return Err(Refusal::NotFound) };
        let (path, tail) = (request.path().to_owned(), request.tail().to_owned());
        let query = request.query().map(str::to_owned);
        let format = Format::preferred(request.field("accept"));
        let write = move |Listed { entries, truncated }| {
            let directory = Directory { path: &path, tail: &tail, truncated };
            listing::write(directory, entries, query.as_deref(), format)
        };
        let fs = &request.ports().fs;
        let content = fs.list(root, &name, MOST_LISTED, Box::new(write)).await?;
        Ok(listing::response(format, content))
    }

    /// An error, as the folder has it to be said.
    async fn refuse(&self, refusal: Refusal, request: &Request) -> Response {
        let status = refusal.status();
        if self.options().error_pages
            && let Some(entry) = self.error_page(status, request.ports()).await
        {
            return Response::new(status)
                .with("Content-Type", &*entry.content_type)
                .with("Cache-Control", "no-cache")
                .with("X-Content-Type-Options", "nosniff")
                .with_body(entry.plain.content.whole());
        }
        gannet_core::error_page(status, request.field("accept"))
    }
}

/// Whether a body is not read when its response begins, but sent out of its file.
fn is_sent_later(body: &Body) -> bool {
    match body {
        Body::File(_, range) => range.end - range.start > FILE_READ_BYTES,
        Body::Stream(_) => true,
        _ => false,
    }
}

fn accepted(negotiable: bool, asked: Asked, request: &Request) -> Accepted {
    if negotiable && asked.accept_encoding { Accepted::of(request) } else { Accepted::PLAIN }
}

/// Whether a path is one of those that an application of a single page has of its own, and not that of an asset.
fn is_navigation(request: &Request) -> bool {
    let name = path::resolve(request.tail());
    let reads = matches!(request.method(), Method::Get | Method::Head);
    reads
        && name.is_some_and(|name| {
            name.rsplit(|byte| *byte == b'/').next().is_none_or(|last| !last.contains(&b'.'))
        })
}

/// A directory asked for without its slash: links relative to it would lead elsewhere.
fn with_slash(request: &Request) -> Response {
    let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
    // Browsers take `\` for a slash, and two slashes for the beginning of another site's name (URL Standard, 4.4).
    let path = request.path().replace('\\', "%5C");
    // What is a directory today may be a file tomorrow: without this, browsers keep a permanent redirect for ever.
    Response::new(Status::PERMANENT_REDIRECT)
        .with("Location", format!("{path}/{query}"))
        .with("Cache-Control", "no-cache")
}
