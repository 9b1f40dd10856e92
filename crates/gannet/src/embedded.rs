//! Files inside the program.

use std::borrow::Cow;
use std::fs;
use std::path::{Component, Path};

use gannet_core::Bytes;
use gannet_features::files::{EmbeddedFiles, Files, FolderError, IntoFiles, content_type, entity_tag};

/// The files of a folder: inside the program where it is built for release, and read from the folder while developing, so that a change is seen at once.
/// `embed!` makes one; both are there with the feature `files`.
///
/// ```
/// use gannet::prelude::*;
/// use gannet::{Embedded, embed};
///
/// static PAGES: Embedded = embed!("src");
/// App::new().files("/assets", PAGES);
/// assert!(PAGES.get("lib.rs").is_some());
/// ```
///
/// Served by [`App::files`](crate::App::files) they have entity tags, conditions, ranges and compression as files of a folder do.
#[derive(Clone, Copy, Debug)]
pub struct Embedded(Origin);

#[derive(Clone, Copy, Debug)]
enum Origin {
    Folder(&'static str),
    Program(EmbeddedFiles),
}

/// One of the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmbeddedFile {
    path: Cow<'static, str>,
    content: Bytes,
}

impl Embedded {
    /// The files of a folder, read when they are asked for. `embed!` writes it.
    #[doc(hidden)]
    pub const fn folder(folder: &'static str) -> Embedded {
        Embedded(Origin::Folder(folder))
    }

    /// Files inside the program, in the order of their paths. `embed!` writes it.
    #[doc(hidden)]
    pub const fn program(files: EmbeddedFiles) -> Embedded {
        Embedded(Origin::Program(files))
    }

    /// The file of a path below the folder, as `css/page.css`; none if there is none.
    pub fn get(&self, path: &str) -> Option<EmbeddedFile> {
        match self.0 {
            Origin::Folder(folder) => read(Path::new(folder), path),
            Origin::Program(files) => {
                let found = files.binary_search_by(|(other, _)| (*other).cmp(path)).ok()?;
                Some(in_program(&files[found]))
            }
        }
    }

    /// The folder, where they are read from one.
    #[cfg(feature = "templates")]
    pub(crate) fn read_from(&self) -> Option<&'static str> {
        match self.0 {
            Origin::Folder(folder) => Some(folder),
            Origin::Program(_) => None,
        }
    }

    /// All files, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = EmbeddedFile> {
        let (folder, files) = match self.0 {
            Origin::Folder(folder) => (Some(folder), &[][..]),
            Origin::Program(files) => (None, files),
        };
        let read = folder.into_iter().flat_map(|folder| {
            let mut paths = Vec::new();
            list(Path::new(folder), "", &mut paths);
            paths.sort_unstable();
            paths.into_iter().filter_map(move |path| read(Path::new(folder), &path))
        });
        read.chain(files.iter().map(in_program))
    }
}

impl EmbeddedFile {
    /// Its path below the folder, with slashes.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its content.
    pub fn bytes(&self) -> &Bytes {
        &self.content
    }

    /// Its content, if that is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }

    /// Its media type, as it is served with.
    pub fn content_type(&self) -> String {
        content_type(&*self.path, Some(&self.content))
    }

    /// Its entity tag, as it is served with (RFC 9110, 8.8.3).
    pub fn entity_tag(&self) -> String {
        entity_tag(&self.content)
    }
}

impl IntoFiles for Embedded {
    fn into_files(self) -> Result<Files, FolderError> {
        match self.0 {
            Origin::Folder(folder) => Files::open(folder),
            Origin::Program(files) => Ok(Files::embedded(files)),
        }
    }
}

fn in_program((path, content): &(&'static str, &'static [u8])) -> EmbeddedFile {
    EmbeddedFile { path: Cow::Borrowed(path), content: Bytes::from_static(content) }
}

/// Whether a program would have the file: what is hidden is left out.
fn is_embedded(name: &str) -> bool {
    !name.starts_with('.') || name == ".well-known"
}

/// A file of a folder, if its path is one that a program could have.
fn read(folder: &Path, path: &str) -> Option<EmbeddedFile> {
    let is_name = |part| matches!(part, Component::Normal(name) if name.to_str().is_some_and(is_embedded));
    let is_plain = !path.is_empty() && !path.ends_with('/') && !path.contains("//");
    let content =
        (is_plain && Path::new(path).components().all(is_name)).then(|| fs::read(folder.join(path)));
    Some(EmbeddedFile { path: Cow::Owned(path.to_owned()), content: content?.ok()?.into() })
}

/// The paths of all files of a folder.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(name) = entry.file_name().to_str().filter(|name| is_embedded(name)).map(str::to_owned)
        else {
            continue;
        };
        let (path, below) = (entry.path(), format!("{prefix}{name}"));
        match path.is_dir() {
            true => list(&path, &format!("{below}/"), paths),
            false => paths.push(below),
        }
    }
}
