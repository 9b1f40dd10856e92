//! Filters: what sees a request before its handler, and the response after it.

use std::rc::Rc;

use crate::future::Boxes;
use crate::{Handler, IntoResponse, Reply, Request, Response};

/// One worker's instance of a filter. Most filters are functions of `(Request, Next)`, through [`IntoFilter`].
pub trait Filter {
    /// Answers, usually with what `next` answers.
    fn filter(&self, request: Request, next: Next) -> Reply;
}

/// What can be made into a filter: an async function of a [`Request`] and a [`Next`]. Each worker makes an instance of its own
/// from a clone; what all workers have in common is behind an `Arc` in it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter",
    label = "this is not a filter",
    note = "a filter is an async function of `(Request, Next)` whose result is `IntoResponse`, or one of `gannet::filters`"
)]
pub trait IntoFilter<Marker>: Clone + Send + Sync + 'static {
    /// Makes an instance.
    fn into_filter(self) -> Rc<dyn Filter>;
}

/// A handler behind filters, which itself is a handler. The first filter is outermost.
pub struct Chain {
    links: Rc<Links>,
}

struct Links {
    filters: Rc<[Rc<dyn Filter>]>,
    handler: Rc<dyn Handler>,
}

/// The rest of the chain, as a filter sees it.
pub struct Next {
    links: Rc<Links>,
    position: usize,
}

impl Chain {
    /// `handler` behind `filters`.
    pub fn new(filters: impl Into<Rc<[Rc<dyn Filter>]>>, handler: Rc<dyn Handler>) -> Chain {
        Chain { links: Rc::new(Links { filters: filters.into(), handler }) }
    }
}

impl Handler for Chain {
    fn handle(&self, request: Request) -> Reply {
        Next { links: self.links.clone(), position: 0 }.run(request)
    }

    fn forwards(&self) -> bool {
        self.links.handler.forwards()
    }
}

impl Next {
    /// What the rest of the chain answers.
    pub fn run(mut self, request: Request) -> Reply {
        let links = self.links.clone();
        match links.filters.get(self.position) {
            Some(filter) => {
                self.position += 1;
                filter.filter(request, self)
            }
            None => links.handler.handle(request),
        }
    }
}

/// Marks async functions of a request and what comes next.
#[derive(Debug)]
pub struct Function;

/// An async function of a request and what comes next.
struct Async<F, T> {
    function: F,
    boxes: Boxes<T>,
}

/// What a filter returns, which has its own words for what is none.
#[diagnostic::on_unimplemented(
    message = "a filter is an async function, and this one returns a `{Self}` at once",
    label = "this is not async",
    note = "write `async fn`, or `async |request: Request, next: Next|`, and await what `next.run(request)` gives"
)]
pub trait Promise: Future {}

#[diagnostic::do_not_recommend]
impl<T: Future> Promise for T {}

impl<F, T> IntoFilter<Function> for F
where
    F: Fn(Request, Next) -> T + Clone + Send + Sync + 'static,
    T: Promise<Output: IntoResponse> + 'static,
{
    fn into_filter(self) -> Rc<dyn Filter> {
        Rc::new(Async { function: self, boxes: Boxes::default() })
    }
}

impl<F, T> Filter for Async<F, T>
where
    F: Fn(Request, Next) -> T,
    T: Future<Output: IntoResponse> + 'static,
{
    fn filter(&self, mut request: Request, next: Next) -> Reply {
        request.detach();
        Reply::waiting(self.boxes.fill((self.function)(request, next)))
    }
}

/// Looks at requests before the rest of the chain, and at its responses after.
struct Around<B, A, L, T> {
    before: B,
    after: Rc<A>,
    later: L,
    boxes: Boxes<T>,
}

/// A filter that looks at a request (`before`), and then at the response that the rest of the chain gives (`after`), and may change both. What `after` is to
/// know of the request `before` gives; or a response, and then the rest of the chain is not asked. Where the rest answers at once so does this:
/// nothing of a request is moved or kept, and nothing is allocated.
pub fn around<C, B, A>(before: B, after: A) -> Rc<dyn Filter>
where
    C: 'static,
    B: Fn(&mut Request) -> Result<C, Response> + 'static,
    A: Fn(C, Response) -> Response + 'static,
{
    let after = Rc::new(after);
    let of_later = after.clone();
    let later = move |context: C, reply: Reply| {
        let after = of_later.clone();
        async move { after(context, reply.await) }
    };
    Rc::new(Around { before, after, later, boxes: Boxes::default() })
}

impl<C, B, A, L, T> Filter for Around<B, A, L, T>
where
    B: Fn(&mut Request) -> Result<C, Response>,
    A: Fn(C, Response) -> Response,
    L: Fn(C, Reply) -> T,
    T: Future<Output = Response> + 'static,
{
    fn filter(&self, mut request: Request, next: Next) -> Reply {
        let context = match (self.before)(&mut request) {
            Ok(context) => context,
            Err(response) => return Reply::ready(response),
        };
        let mut reply = next.run(request);
        match reply.take_ready() {
            Some(response) => Reply::ready((self.after)(context, response)),
            None => Reply::waiting(self.boxes.fill((self.later)(context, reply))),
        }
    }
}

/// Puts a future around replies that are not there at once.
struct Waiting<B, L, T> {
    before: B,
    later: L,
    boxes: Boxes<T>,
}

/// A filter that puts a future around the reply of the rest of the chain, where that is not there at once: `later` makes it of what `before` said of the
/// request. Where it is there at once nothing is done with it. Neither allocates, but for what they do themselves.
pub fn waiting<C, B, L, T>(before: B, later: L) -> Rc<dyn Filter>
where
    C: 'static,
    B: Fn(&mut Request) -> C + 'static,
    L: Fn(C, Reply) -> T + 'static,
    T: Future<Output: IntoResponse> + 'static,
{
    Rc::new(Waiting { before, later, boxes: Boxes::default() })
}

impl<C, B, L, T> Filter for Waiting<B, L, T>
where
    B: Fn(&mut Request) -> C,
    L: Fn(C, Reply) -> T,
    T: Future<Output: IntoResponse> + 'static,
{
    fn filter(&self, mut request: Request, next: Next) -> Reply {
        let context = (self.before)(&mut request);
        let reply = next.run(request);
        match reply.as_ready() {
            Some(_) => reply,
            None => Reply::waiting(self.boxes.fill((self.later)(context, reply))),
        }
    }
}

/// What a filter decides of a request at once.
#[derive(Debug)]
pub enum Decision {
    /// The rest of the chain answers.
    Pass,
    /// This is the answer.
    Answer(Response),
    /// It has to wait before it knows.
    Later,
}

/// Decides at once where it can, and with a future where it must.
struct Deciding<N, L, T> {
    now: N,
    later: L,
    boxes: Boxes<T>,
}

/// A filter that decides of most requests at once (`now`), and of those of which it cannot with a future that `later` makes. Neither allocates, but for
/// what they do themselves.
pub fn deciding<N, L, T>(now: N, later: L) -> Rc<dyn Filter>
where
    N: Fn(&mut Request) -> Decision + 'static,
    L: Fn(Request, Next) -> T + 'static,
    T: Future<Output: IntoResponse> + 'static,
{
    Rc::new(Deciding { now, later, boxes: Boxes::default() })
}

impl<N, L, T> Filter for Deciding<N, L, T>
where
    N: Fn(&mut Request) -> Decision,
    L: Fn(Request, Next) -> T,
    T: Future<Output: IntoResponse> + 'static,
{
    fn filter(&self, mut request: Request, next: Next) -> Reply {
        match (self.now)(&mut request) {
            Decision::Pass => next.run(request),
            Decision::Answer(response) => Reply::ready(response),
            Decision::Later => {
                request.detach();
                Reply::waiting(self.boxes.fill((self.later)(request, next)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::request::tests::request;
    use crate::{IntoHandler, Response};

    #[test]
    fn filters_see_the_request_from_the_outermost_in_and_the_response_from_the_innermost_out() {
        let mark = |name: &'static str| {
            move |request: Request, next: Next| async move {
                let response: Response = next.run(request).await;
                response.with("x-seen", name)
            }
        };
        let filters = [mark("outer").into_filter(), mark("inner").into_filter()];
        let chain = Chain::new(filters, "hello".into_handler());
        let mut reply = chain.handle(request("GET", "/"));
        let Poll::Ready(response) = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing here waits")
        };
        let seen: Vec<_> =
            response.fields().iter().filter(|(name, _)| *name == "x-seen").map(|(_, value)| value).collect();
        assert_eq!(seen, [b"inner", b"outer"]);
    }

    #[test]
    fn a_filter_may_answer_without_asking_further() {
        let refuse = async |_: Request, _: Next| crate::Status::FORBIDDEN;
        let chain = Chain::new([refuse.into_filter()], "secret".into_handler());
        let mut reply = chain.handle(request("GET", "/"));
        let Poll::Ready(response) = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing here waits")
        };
        assert_eq!(response.status().code(), 403);
    }

    #[test]
    fn what_is_around_answers_at_once_where_the_rest_does_and_else_when_it_has() {
        let mark = || {
            around(
                |request| match request.path() {
                    "/refused" => Err(Response::new(crate::Status::FORBIDDEN)),
                    path => Ok(path.to_owned()),
                },
                |path, response| response.with("x-path", path),
            )
        };
        let later = async |_: Request| "later";
        for (target, marked, status) in [("/marked", true, 200), ("/refused", false, 403)] {
            let chain = Chain::new([mark()], "now".into_handler());
            let response = chain.handle(request("GET", target)).take_ready().expect("an answer at once");
            assert_eq!(response.fields().get("x-path").is_some(), marked);
            assert_eq!(response.status().code(), status);
        }
        let chain = Chain::new([mark()], later.into_handler());
        let mut reply = chain.handle(request("GET", "/later"));
        assert!(reply.take_ready().is_none());
        let polled = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(response) = polled else { panic!("nothing here waits") };
        assert_eq!(response.fields().get("x-path"), Some(&b"/later"[..]));
    }

    #[test]
    fn who_decides_waits_only_where_that_is_said() {
        let decide = || {
            deciding(
                |request| match request.path() {
                    "/pass" => Decision::Pass,
                    "/answer" => Decision::Answer(Response::new(crate::Status::FORBIDDEN)),
                    _ => Decision::Later,
                },
                async |request: Request, next: Next| {
                    if request.path() == "/later" {
                        next.run(request).await
                    } else {
                        Response::text("unknown")
                    }
                },
            )
        };
        for (target, at_once, status) in
            [("/pass", true, 200), ("/answer", true, 403), ("/later", false, 200)]
        {
            let mut reply = Chain::new([decide()], "now".into_handler()).handle(request("GET", target));
            assert_eq!(reply.as_ready().is_some(), at_once, "{target}");
            let polled = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(response) = polled else { panic!("nothing here waits") };
            assert_eq!(response.status().code(), status, "{target}");
        }
    }
}
