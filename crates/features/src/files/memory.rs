//! Small files that were asked for lately, ready to be sent.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use gannet_core::{Body, Bytes, Fields, OpenFile, Response, Status};
use quick_cache::Weighter;
use quick_cache::unsync::Cache;

/// What a worker keeps at most, in bytes of content.
const BUDGET_BYTES: u64 = 16 * 1024 * 1024;

/// How many files that is reckoned to be: where the cache begins to grow from.
const EXPECTED_FILES: usize = 1024;

/// For so long a file is answered without looking whether it changed.
const FRESH: Duration = Duration::from_secs(1);

/// Small files by the path they were asked by.
pub(super) struct Memory {
    pages: Cache<Box<str>, Page, ByContent>,
}

/// One file, as it is answered.
#[derive(Clone)]
pub(super) struct Page {
    content: Bytes,
    fields: Bytes,
    identity: (u64, u64),
    length: u64,
    modified: SystemTime,
    looked: Cell<Duration>,
}

/// Weighs a page by what it holds.
#[derive(Clone)]
struct ByContent;

impl Weighter<Box<str>, Page> for ByContent {
    fn weight(&self, path: &Box<str>, page: &Page) -> u64 {
        (path.len() + page.content.len() + page.fields.len()) as u64 + 128
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { pages: Cache::with_weighter(EXPECTED_FILES, BUDGET_BYTES, ByContent) }
    }
}

impl Memory {
    /// The answer for `path`, if it was looked at within the last second.
    pub(super) fn fresh(&self, path: &str, now: Duration) -> Option<Response> {
        let page = self.pages.get(path)?;
        (now.saturating_sub(page.looked.get()) < FRESH).then(|| page.response())
    }

    /// The answer for `path`, if the file is still the one it was made from.
    pub(super) fn unchanged(&self, path: &str, file: &OpenFile, now: Duration) -> Option<Response> {
        let page = self.pages.get(path)?;
        let same = (page.identity, page.length, page.modified) == (file.identity, file.length, file.modified);
        same.then(|| {
            page.looked.set(now);
            page.response()
        })
    }

    /// Keeps a page, in the place of one for the same path; others make room when the budget is used up.
    pub(super) fn keep(&mut self, path: &str, page: Page) -> Response {
        let response = page.response();
        self.pages.insert(path.into(), page);
        response
    }
}

impl Page {
    pub(super) fn new(content: Vec<u8>, content_type: String, file: &OpenFile, now: Duration) -> Page {
        let fields = Response::new(Status::OK).with("Content-Type", content_type).fields().prepare();
        Page {
            content: content.into(),
            fields,
            identity: file.identity,
            length: file.length,
            modified: file.modified,
            looked: Cell::new(now),
        }
    }

    fn response(&self) -> Response {
        let fields = Fields::with_prepared(self.fields.clone());
        Response::new(Status::OK).with_fields(fields).with_body(Body::Bytes(self.content.clone()))
    }
}
