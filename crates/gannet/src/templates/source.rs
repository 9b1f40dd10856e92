//! Where templates come from: a folder, or the program itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Embedded, EmbeddedFile};

/// The most files that a folder may have; more is a mistake.
pub const FILES: usize = 1000;
/// The most bytes that they may have together; more is a mistake.
pub const BYTES: usize = 16 * 1024 * 1024;
/// How deep folders may be within each other; deeper is a mistake. (A link may lead to where it is.)
const DEPTH: usize = 16;

/// Names and texts, in the order of the names.
pub type Texts = Vec<(String, String)>;

/// Where they are.
pub enum Source {
    /// In files.
    Folder(PathBuf),
    /// In the program.
    Program(Embedded),
}

impl Source {
    /// Whether what is there may be something else later.
    pub fn can_change(&self) -> bool {
        self.folder().is_some()
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Source::Folder(path) => Some(path),
            Source::Program(_) => None,
        }
    }

    /// All that is there now.
    pub fn read(&self) -> Result<Texts, String> {
        match self {
            Source::Folder(path) => read_folder(path),
            Source::Program(files) => {
                files.iter().filter(|file| !is_left(file.path())).map(|file| text_of(&file)).collect()
            }
        }
    }
}

fn text_of(file: &EmbeddedFile) -> Result<(String, String), String> {
    let path = file.path().to_owned();
    match file.text() {
        Some(text) => Ok((path, text.to_owned())),
        None => Err(format!("the template {path}, within the program, is not UTF-8")),
    }
}

/// Whether an editor left it.
fn is_left(path: &str) -> bool {
    path.ends_with('~') || path.split('/').any(|name| name.starts_with('.'))
}

fn read_folder(folder: &Path) -> Result<Texts, String> {
    let mut found = Found::default();
    found.add(folder, "", 0)?;
    found.texts.sort();
    Ok(found.texts)
}

#[derive(Default)]
struct Found {
    texts: Texts,
    bytes: usize,
}

impl Found {
    /// Adds what is in a folder; `prefix` is its path within the first, with a slash at its end.
    fn add(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err(format!(
                "the folder {} is more than {DEPTH} folders deep in that of the templates",
                folder.display()
            ));
        }
        let entries = fs::read_dir(folder)
            .map_err(|error| format!("the folder of templates {} cannot be read: {error}", shown(folder)))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(format!("the name of {} is not UTF-8", path.display()));
            };
            if is_left(name) {
                continue;
            }
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                self.add(&path, &format!("{name}/"), depth + 1)?;
            } else {
                self.add_file(&path, name)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, name: String) -> Result<(), String> {
        let bytes = fs::metadata(path).map(|metadata| metadata.len());
        let bytes =
            bytes.map_err(|error| format!("the template {} cannot be read: {error}", path.display()))?;
        self.bytes = self.bytes.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
        if self.texts.len() == FILES || self.bytes > BYTES {
            return Err(format!(
                "with {} there are more than {FILES} templates, or more than {} MiB of them",
                path.display(),
                BYTES / 1024 / 1024
            ));
        }
        let text = fs::read_to_string(path)
            .map_err(|error| format!("the template {} cannot be read: {error}", path.display()))?;
        self.texts.push((name, text));
        Ok(())
    }
}

/// A path, and where it begins if that is not said.
fn shown(path: &Path) -> String {
    match std::env::current_dir() {
        Ok(here) if path.is_relative() => format!("{} (in {})", path.display(), here.display()),
        _ => path.display().to_string(),
    }
}
