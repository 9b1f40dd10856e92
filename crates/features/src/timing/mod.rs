//! Where the time went, told to browsers: `Server-Timing` (W3C Server Timing). Their tools show it beside the rest of a page's loading.

mod text;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::{Clock, Filter, FromRequest, IntoFilter, Rejection, Request, Response, around};

use crate::recycled::Recycled;

/// What all parts of one response may be long, in bytes. A part that has no room is left out.
const PARTS_BYTES: usize = 2048;

const FIELD: &str = "Server-Timing";

/// A filter that tells how long the answer took: `Server-Timing: total;dur=12.345`, in milliseconds, from when it saw the request to when it saw the
/// response's head; and the parts that handlers name ([`Timings`]).
///
/// It is read of a clock of its own, twice a request, since the worker's stands still within a turn: what a handler computes counts. What it
/// cannot know is what came before it and comes after: the head's way here, and the body's way out.
///
/// Scripts of the page can read it, those of other origins if `Timing-Allow-Origin` says so. Times tell strangers something, too (whether a user
/// exists, whether something is in a cache): [`when`](ServerTiming::when) says who is told.
#[derive(Clone, Default)]
pub struct ServerTiming {
    when: Option<Arc<When>>,
}

type When = dyn Fn(&Request) -> bool + Send + Sync;

/// What handlers add: the time that parts of their work took. As an argument of a handler that is not behind [`ServerTiming`], or of whom that is not told, it takes
/// everything and tells nothing.
///
/// ```
/// # use gannet_features::timing::Timings;
/// async fn page(timings: Timings) -> String {
///     let part = timings.start("db");
///     // ... asks the database ...
///     drop(part);
///     let _rendering = timings.start("render"); // until the handler returns
///     String::from("page")
/// }
/// ```
#[derive(Clone, Default)]
pub struct Timings {
    parts: Option<Rc<Parts>>,
}

/// Those of one request.
#[derive(Default)]
struct Parts {
    /// None until it is used.
    clock: Option<Rc<dyn Clock>>,
    began: Duration,
    text: RefCell<Vec<u8>>,
}

/// A part that has begun; it ends when this is dropped.
#[must_use = "a part ends when this is dropped"]
pub struct Part {
    timings: Timings,
    name: &'static str,
    began: Duration,
}

impl ServerTiming {
    /// Everybody is told.
    pub fn new() -> ServerTiming {
        ServerTiming::default()
    }

    /// Tells only in responses to requests of which `when` says so. By default everybody is told.
    #[must_use]
    pub fn when(mut self, when: impl Fn(&Request) -> bool + Send + Sync + 'static) -> ServerTiming {
        self.when = Some(Arc::new(when));
        self
    }
}

impl IntoFilter<ServerTiming> for ServerTiming {
    fn into_filter(self) -> Rc<dyn Filter> {
        let spare = Rc::new(Recycled::<Parts>::default());
        let spare_after = spare.clone();
        let scratch = RefCell::<Vec<u8>>::default();
        let before = move |request: &mut Request| {
            if self.when.as_ref().is_some_and(|when| !when(request)) {
                return Ok(None);
            }
            let clock = request.ports().clock.clone();
            let parts = spare.take(|parts| {
                parts.text.get_mut().clear();
                parts.began = clock.read();
                parts.clock = Some(clock);
            });
            request.extensions_mut().insert_shared(parts.clone());
            Ok(Some(parts))
        };
        around(before, move |parts: Option<Rc<Parts>>, mut response: Response| {
            let Some(parts) = parts else { return response };
            let total = parts.read().saturating_sub(parts.began);
            let text = &mut *scratch.borrow_mut();
            text.clear();
            text::push(text, "total", "", total);
            let named = parts.text.borrow();
            if !named.is_empty() {
                text.extend_from_slice(b", ");
                text.extend_from_slice(&named);
            }
            drop(named);
            response.fields_mut().append(FIELD, text).expect("tokens, numbers and quoted text can be sent");
            spare_after.give_back(parts);
            response
        })
    }
}

impl Parts {
    fn read(&self) -> Duration {
        self.clock.as_ref().map_or(Duration::ZERO, |clock| clock.read())
    }
}

impl Timings {
    /// Begins a part: it ends when what this gives is dropped. Its name is a token (letters, digits, `-`, `_` and the like); what is none of those becomes
    /// a hyphen.
    pub fn start(&self, name: &'static str) -> Part {
        Part {
            timings: self.clone(),
            name,
            began: self.parts.as_ref().map_or(Duration::ZERO, |parts| parts.read()),
        }
    }

    /// Adds a part that took so long. Several of one name are told each; what is beyond 2 KiB for all is left out.
    pub fn record(&self, name: &str, duration: Duration) {
        self.describe(name, "", duration);
    }

    /// The same with a description, which browsers show in the name's place; of ASCII.
    pub fn describe(&self, name: &str, description: &str, duration: Duration) {
        let Some(parts) = &self.parts else { return };
        let text = &mut *parts.text.borrow_mut();
        let length = text.len();
        text::push(text, name, description, duration);
        if text.len() > PARTS_BYTES {
            text.truncate(length);
        }
    }
}

impl FromRequest for Timings {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Timings, Rejection> {
        Ok(Timings { parts: request.extensions().and_then(|extensions| extensions.get_shared()) })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(parts) = &self.timings.parts {
            self.timings.record(self.name, parts.read().saturating_sub(self.began));
        }
    }
}

impl fmt::Debug for ServerTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTiming").field("when", &self.when.is_some()).finish()
    }
}

impl fmt::Debug for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timings").field("told", &self.parts.is_some()).finish()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("name", &self.name).finish()
    }
}
