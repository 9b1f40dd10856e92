//! Templates: pages made of files in Tera's language (Jinja's, as most know it), with layouts, partials and values that are escaped.
//!
//! ```no_run
//! use gannet::prelude::*;
//! use gannet::templates::{TemplateError, Templates};
//! use gannet::{Html, State};
//!
//! # async fn run() -> gannet::Result<()> {
//! async fn hello(templates: State<Templates>) -> Result<Html<String>, TemplateError> {
//!     templates.render("hello.html", &serde_json::json!({ "name": "World" }))
//! }
//!
//! App::new().templates(Templates::folder("templates")).get("/", hello).run().await
//! # }
//! ```
//!
//! All files of the folder are templates, by their paths within it: `pages/task.html`. A mistake in any of them (what cannot be read, a layout, a partial,
//! a filter that is not there) is found when the application is built, and all of them are told at once. What a template prints is escaped where its name
//! ends in `.html`, `.htm` or `.xml`.
//!
//! While developing (in builds with debug assertions) the files are read again for each page, so that what was edited is seen; otherwise once.
//! [`Templates::embedded`] has them in the program itself: nothing has to be installed beside it.

mod error;
mod load;
mod source;

use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_core::Serialize;
/// The template engine.
pub use tera;
use tera::{Context, Tera};

pub use error::TemplateError;

use self::load::Loaded;
use self::source::Source;
use crate::{App, Embedded, Html};

/// The templates of an application: [`App::templates`](crate::App::templates) makes them a state, handlers take a `State<Templates>`.
pub struct Templates {
    source: Source,
    configure: Vec<Configure>,
    kept: Kept,
}

type Configure = Box<dyn Fn(&mut Tera) + Send + Sync>;

/// What was made of the files.
enum Kept {
    /// They are read once, and no lock is taken for a page.
    Once(Box<OnceLock<Loaded>>),
    /// They are read for each page, and what is new is loaded.
    Latest(Mutex<Option<Arc<Loaded>>>),
}

impl Templates {
    /// The templates of a folder, which is there when the program runs; a relative path begins in the folder that it runs in. At most
    /// [`FILES`](Templates::FILES) files, of [`BYTES`](Templates::BYTES) together. Names that begin with a dot or end with a tilde are passed over: editors leave them.
    pub fn folder(path: impl Into<PathBuf>) -> Templates {
        Templates::of(Source::Folder(path.into())).reload(cfg!(debug_assertions))
    }

    /// The templates of a folder that [`embed!`](crate::embed) has put into the program: `Templates::embedded(embed!("templates"))`. In builds with debug assertions they are
    /// read from that folder, as by [`folder`](Templates::folder), wherever the program runs.
    pub fn embedded(files: Embedded) -> Templates {
        match files.read_from() {
            Some(folder) => Templates::folder(folder),
            None => Templates::of(Source::Program(files)),
        }
    }

    /// The most files that a folder may have.
    pub const FILES: usize = source::FILES;

    /// The most bytes that the files of a folder may have together.
    pub const BYTES: usize = source::BYTES;

    fn of(source: Source) -> Templates {
        Templates { source, configure: Vec::new(), kept: Kept::Once(Box::default()) }
    }

    /// Whether the files are read for each page, so that what was edited is seen, which takes as long as reading them all does. By default in builds with debug
    /// assertions. What is embedded is not read from anywhere.
    #[must_use]
    pub fn reload(mut self, reload: bool) -> Templates {
        let reload = reload && self.source.can_change();
        self.kept = if reload { Kept::Latest(Mutex::default()) } else { Kept::Once(Box::default()) };
        self
    }

    /// Adds what the templates may use: filters, tests, functions, values that all pages have (`tera.global_context()`), other delimiters. It is done
    /// before the files are loaded, and each time that they are.
    #[must_use]
    pub fn configure(mut self, configure: impl Fn(&mut Tera) + Send + Sync + 'static) -> Templates {
        self.configure.push(Box::new(configure));
        self
    }

    /// Loads the templates, if they are not yet.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn check(&self) -> Result<(), TemplateError> {
        self.with(|_| Ok(()))
    }

    /// A page: the template of this name with the values of `context`, a struct or a map that can be serialised.
    ///
    /// # Errors
    /// When there is no such template, `context` cannot be serialised or is no map, or something goes wrong in the template (a value that it needs is not
    /// there); while developing, when the templates as they are now have mistakes. As a response it is a 500, and the log says why.
    pub fn render(&self, name: &str, context: impl Serialize) -> Result<Html<String>, TemplateError> {
        self.render_text(name, context).map(Html)
    }

    /// The same, as a text, for what is no HTML: mails, feeds.
    ///
    /// # Errors
    /// As [`render`](Templates::render).
    pub fn render_text(&self, name: &str, context: impl Serialize) -> Result<String, TemplateError> {
        let context =
            Context::from_serialize(&context).map_err(|error| TemplateError::context(name, &error))?;
        self.with(|tera| {
            if !tera.contains_template(name) {
                return Err(TemplateError::unknown(name, tera.get_template_names()));
            }
            tera.render(name, &context)
                .map_err(|error| TemplateError::rendering(&error, self.source.folder()))
        })
    }

    /// Does something with the templates as they are now.
    fn with<T>(&self, work: impl FnOnce(&Tera) -> Result<T, TemplateError>) -> Result<T, TemplateError> {
        match &self.kept {
            Kept::Once(kept) => work(kept.get_or_init(|| self.load(self.source.read())).tera()?),
            Kept::Latest(kept) => work(self.latest(kept).tera()?),
        }
    }

    /// What is loaded, if the files are still as they were then; else what they are now.
    fn latest(&self, kept: &Mutex<Option<Arc<Loaded>>>) -> Arc<Loaded> {
        let read = self.source.read();
        // Whoever panicked left what was loaded before, or nothing.
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(loaded) if loaded.is_of(&read) => loaded.clone(),
            _ => kept.insert(Arc::new(self.load(read))).clone(),
        }
    }

    fn load(&self, read: Result<source::Texts, String>) -> Loaded {
        let mut tera = Tera::new();
        for configure in &self.configure {
            configure(&mut tera);
        }
        Loaded::new(tera, read)
    }
}

impl App {
    /// Gives handlers these templates, as the argument [`State<Templates>`](crate::State). Every mistake in them is one that is found when the application is
    /// built.
    #[must_use]
    #[track_caller]
    pub fn templates(mut self, templates: Templates) -> App {
        if let Err(mistakes) = templates.check() {
            let place = Location::caller();
            self.mistake(place, format!("the templates have mistakes:\n{mistakes}"));
        }
        self.state(templates)
    }
}

#[cfg(test)]
mod tests;
