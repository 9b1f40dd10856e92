//! Handlers: what answers a request.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::future::{Boxed, Boxes};
use crate::{IntoResponse, Needs, Request, Response};

/// One worker's instance of a handler.
///
/// Most handlers are functions and closures, through [`IntoHandler`]; implement this to answer without a future where you
/// can, and with one where you must.
pub trait Handler {
    /// Answers, now or later.
    fn handle(&self, request: Request) -> Reply;

    /// Whether it passes requests on to another server. An offer of HTTP/2 (`Upgrade: h2c`) is not taken up then: a proxy before this one might have let
    /// it pass without knowing that what follows are requests that it does not see.
    fn forwards(&self) -> bool {
        false
    }
}

/// What a handler gives back: a response, or a future of one.
pub struct Reply {
    state: State,
}

enum State {
    Ready(Option<Response>),
    Waiting(Boxed),
}

/// What can be made into a handler. `Marker` only tells the kinds apart; nobody needs to name it.
///
/// * a function or a closure of extractors ([`FromRequest`](crate::FromRequest)), up to ten of them, that returns what is [`IntoResponse`]:
///   `|id: Path<u64>| format!("user {}", *id)`
/// * an async one: `async |user: Json<User>, db: State<Db>| db.insert(user).await`. A closure with captures gives its
///   future what it needs: `move |id: Path<u64>| { let name = name.clone(); async move { name } }`
/// * either with the [`Request`] itself as its last argument: `|request: Request| request.path().to_owned()`
/// * a value that is [`IntoResponse`] and `Clone`: `"hello"`
///
/// Each worker makes an instance of its own from a clone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "this is not a handler",
    note = "a handler is a function or async function of up to ten extractors (`Path`, `Query`, `Json`, `State`, ...; a `Request` only as the last) that returns what is `IntoResponse`; or a value that is `IntoResponse`",
    note = "it is the function itself, not what a call of it gives: `.get(\"/\", index)`, not `.get(\"/\", index())`"
)]
pub trait IntoHandler<Marker>: Clone + Send + Sync + 'static {
    /// Makes an instance.
    fn into_handler(self) -> Rc<dyn Handler>;

    /// Says what must be there for it, so that what is not is a mistake that is found when the application is built.
    fn needs(&self, needs: &mut Needs) {
        let _ = needs; // nothing
    }
}

/// Makes a worker's instance of a handler.
pub type HandlerFactory = Arc<dyn Fn() -> Rc<dyn Handler> + Send + Sync>;

/// What makes each worker's instance of `handler`.
pub fn factory<M>(handler: impl IntoHandler<M>) -> HandlerFactory {
    Arc::new(move || handler.clone().into_handler())
}

impl Reply {
    /// An answer at once.
    pub fn ready(response: Response) -> Reply {
        Reply { state: State::Ready(Some(response)) }
    }

    pub(crate) fn waiting(future: Boxed) -> Reply {
        Reply { state: State::Waiting(future) }
    }

    /// The response, if it was there at once, to be looked at.
    pub fn as_ready(&self) -> Option<&Response> {
        match &self.state {
            State::Ready(response) => response.as_ref(),
            State::Waiting(_) => None,
        }
    }

    /// The response, if it was there at once. Then there is nothing to poll.
    pub fn take_ready(&mut self) -> Option<Response> {
        match &mut self.state {
            State::Ready(response) => response.take(),
            State::Waiting(_) => None,
        }
    }
}

impl Future for Reply {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        match &mut self.state {
            State::Ready(response) => {
                Poll::Ready(response.take().expect("a future is not polled after it was ready"))
            }
            State::Waiting(future) => future.poll(context),
        }
    }
}

/// Answers at once where it can, and with a future where it must.
struct Quick<N, F, T> {
    now: N,
    later: F,
    boxes: Boxes<T>,
}

/// A handler that answers with what `now` gives, and where that is nothing with what the future gives that `later` makes. Neither
/// allocates, but for what they do themselves.
pub fn quick<N, F, T>(now: N, later: F) -> Rc<dyn Handler>
where
    N: Fn(&Request) -> Option<Response> + 'static,
    F: Fn(Request) -> T + 'static,
    T: Future<Output: IntoResponse> + 'static,
{
    Rc::new(Quick { now, later, boxes: Boxes::default() })
}

impl<N, F, T> Handler for Quick<N, F, T>
where
    N: Fn(&Request) -> Option<Response>,
    F: Fn(Request) -> T,
    T: Future<Output: IntoResponse> + 'static,
{
    fn handle(&self, mut request: Request) -> Reply {
        match (self.now)(&request) {
            Some(response) => Reply::ready(response),
            None => {
                request.detach();
                Reply::waiting(self.boxes.fill((self.later)(request)))
            }
        }
    }
}

/// Prepares at once, while the request is where it was received, and answers with a future of what was prepared.
struct Forwarding<P, F, T> {
    prepare: P,
    later: F,
    boxes: Boxes<T>,
}

/// A handler that passes requests on: it makes of each what its future needs, and no more, or a response at once. Neither allocates, but for what
/// they do themselves.
pub fn forwarding<P, S, F, T>(prepare: P, later: F) -> Rc<dyn Handler>
where
    P: Fn(Request) -> Result<S, Response> + 'static,
    F: Fn(S) -> T + 'static,
    T: Future<Output: IntoResponse> + 'static,
{
    Rc::new(Forwarding {
        prepare: move |request, later: &F| prepare(request).map(later),
        later,
        boxes: Boxes::default(),
    })
}

impl<P, F, T> Handler for Forwarding<P, F, T>
where
    P: Fn(Request, &F) -> Result<T, Response>,
    T: Future<Output: IntoResponse> + 'static,
{
    fn handle(&self, request: Request) -> Reply {
        match (self.prepare)(request, &self.later) {
            Ok(future) => Reply::waiting(self.boxes.fill(future)),
            Err(response) => Reply::ready(response),
        }
    }

    fn forwards(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::request::tests::request;

    fn status<M>(handler: impl IntoHandler<M>) -> u16 {
        let mut reply = handler.into_handler().handle(request("GET", "/"));
        match Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => response.status().code(),
            Poll::Pending => 0,
        }
    }

    #[test]
    fn functions_async_functions_and_values_are_handlers() {
        async fn teapot(_: Request) -> crate::Status {
            crate::Status::new(418).expect("a status")
        }
        let greeting = String::from("hello");
        assert_eq!(status(|_: Request| "hello"), 200);
        assert_eq!(status(async |request: Request| request.path().to_owned()), 200);
        let counts = move |_: Request| {
            let length = greeting.len();
            async move { length.to_string() }
        };
        assert_eq!(status(counts), 200);
        assert_eq!(status(teapot), 418);
        assert_eq!(status("hello"), 200);
        assert_eq!(status(|_: Request| Err::<&str, _>(crate::Status::NOT_FOUND)), 404);
        assert_eq!(status(async |_: Request| std::future::pending::<&str>().await), 0);
    }
}
