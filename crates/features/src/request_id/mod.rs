//! Request ids: a name for each request, by which what is said of it here, by proxies before and by servers behind can be found again.

mod uuid;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use gannet_core::{Filter, FromRequest, IntoFilter, Rejection, Request, Response, Status, around};

use crate::random::Random;
use crate::recycled::Recycled;

/// The field that it is told in, by proxies, to clients and to upstreams. No standard names it; Heroku, Envoy, nginx and others do.
pub const FIELD: &str = "X-Request-Id";

/// The longest id that is taken from others, in bytes; of a longer one a new one is made.
pub const ID_BYTES: usize = 128;

/// A filter that gives each request an id, and tells it in the response (`X-Request-Id`).
///
/// It is what the request says already, if that is well-formed (1 to 128 letters, digits and `-_.:=+/@~`) and comes from a
/// proxy that is trusted (`App::trust`): what anybody else says is not believed, since it would end up in logs. Else it is made: a UUID of
/// version 7 (RFC 9562, 5.7), by the worker's clock and the system's random numbers, so that ids sort by time.
///
/// Handlers and filters behind this one read it as an argument, [`RequestId`], or by `request.extension::<RequestId>()`; the [request
/// log](crate::request_log) has it among its fields, and the proxy tells it to upstreams in the place of what the client said.
///
/// It costs no allocation.
#[derive(Clone, Copy, Default, Debug)]
pub struct RequestIds {
    believed: Believed,
    seed: Option<u64>,
}

/// Whose ids are taken.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Believed {
    /// Those of proxies that are trusted.
    #[default]
    Trusted,
    /// Everybody's.
    Everybody,
    /// Nobody's: each request gets a new one.
    Nobody,
}

/// A request's id. As an argument of a handler that is not behind [`RequestIds`] it is a mistake of the application: 500.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    text: [u8; ID_BYTES],
    length: u8,
}

impl RequestIds {
    /// Ids of trusted proxies are taken, others made.
    pub fn new() -> RequestIds {
        RequestIds::default()
    }

    /// Whose ids are taken. By default those of proxies that are trusted.
    #[must_use]
    pub fn believe(mut self, believed: Believed) -> RequestIds {
        self.believed = believed;
        self
    }

    /// Makes the ids' random part from a seed, the same on each worker: for tests, since anybody can foretell them. By default the
    /// system's random numbers are taken.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> RequestIds {
        self.seed = Some(seed);
        self
    }

    /// What is taken of a request as it comes.
    fn believable<'a>(&self, request: &'a Request) -> Option<&'a [u8]> {
        let is_believed = match self.believed {
            Believed::Trusted => {
                let trusted = &request.ports().trusted;
                request.peer().is_some_and(|peer| trusted.contains(peer.ip()))
            }
            Believed::Everybody => true,
            Believed::Nobody => false,
        };
        let said = if is_believed { request.field(FIELD) } else { None };
        said.filter(|said| is_well_formed(said))
    }
}

impl IntoFilter<RequestIds> for RequestIds {
    fn into_filter(self) -> Rc<dyn Filter> {
        let random = RefCell::new(Random::new(self.seed));
        let spare = Rc::new(Recycled::<RequestId>::default());
        let spare_after = spare.clone();
        let before = move |request: &mut Request| {
            let id = spare.take(|id| match self.believable(request) {
                Some(said) => id.set(said),
                None => {
                    let unix_milliseconds = request.ports().clock.unix_milliseconds();
                    id.set(&uuid::uuid(unix_milliseconds, &mut random.borrow_mut()));
                }
            });
            request.extensions_mut().insert_shared(id.clone());
            Ok(id)
        };
        around(before, move |id: Rc<RequestId>, mut response: Response| {
            // An upstream may have told it, too, or another of its own.
            let told = response.fields_mut().insert(FIELD, id.as_str());
            debug_assert!(told.is_ok(), "its letters can be sent");
            spare_after.give_back(id);
            response
        })
    }
}

impl RequestId {
    /// The id of a request, if a filter gave it one.
    pub fn of(request: &Request) -> Option<&RequestId> {
        request.extension()
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).expect("only ASCII is put in")
    }

    /// Both were looked at: `text` is ASCII, and not too long.
    fn set(&mut self, text: &[u8]) {
        self.text[..text.len()].copy_from_slice(text);
        self.length = text.len() as u8;
    }
}

impl FromRequest for RequestId {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<RequestId, Rejection> {
        let missing = "this handler takes a RequestId, and is not behind the filter RequestIds";
        let id = request.extension().copied();
        id.ok_or_else(|| Rejection::new(Status::INTERNAL_SERVER_ERROR, missing))
    }
}

impl Default for RequestId {
    fn default() -> RequestId {
        RequestId { text: [0; ID_BYTES], length: 0 }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can stand in a log, a field and a URI as it is.
fn is_well_formed(id: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/@~".contains(byte);
    (1..=ID_BYTES).contains(&id.len()) && id.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_as_others_make_them_are_well_formed_and_what_would_forge_a_line_is_not() {
        for id in [
            "7b0ef6a4-9a5e-4d0e-9a6f-3b1a7f6a2c11",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "Root=1-67891233-abcdef012345678912345678",
            "a",
            &"x".repeat(ID_BYTES),
        ] {
            assert!(is_well_formed(id.as_bytes()), "{id}");
        }
        for id in ["", "a b", "a\tb", "a\"b", "a,b", "a;b", "<script>", "\u{e9}", "a%0a", &"x".repeat(129)] {
            assert!(!is_well_formed(id.as_bytes()), "{id}");
        }
    }
}
