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
/// from a clone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter",
    note = "a filter is a `Clone + Send + Sync` async function of `(Request, Next)` whose result is `IntoResponse`"
)]
pub trait IntoFilter<Marker>: Clone + Send + Sync + 'static {
    /// The instance.
    type Filter: Filter + 'static;

    /// Makes an instance.
    fn into_filter(self) -> Self::Filter;
}

/// A handler behind filters, which itself is a handler. The first filter is outermost.
pub struct Chain {
    links: Rc<Links>,
}

struct Links {
    filters: Vec<Box<dyn Filter>>,
    handler: Rc<dyn Handler>,
}

/// The rest of the chain, as a filter sees it.
pub struct Next {
    links: Rc<Links>,
    position: usize,
}

impl Chain {
    /// `handler` behind `filters`.
    pub fn new(filters: Vec<Box<dyn Filter>>, handler: Rc<dyn Handler>) -> Chain {
        Chain { links: Rc::new(Links { filters, handler }) }
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

/// An async function of a request and what comes next.
pub struct Async<F, T> {
    function: F,
    boxes: Boxes<T>,
}

impl<F, T> IntoFilter<Async<(), T>> for F
where
    F: Fn(Request, Next) -> T + Clone + Send + Sync + 'static,
    T: Future<Output: IntoResponse> + 'static,
{
    type Filter = Async<F, T>;

    fn into_filter(self) -> Async<F, T> {
        Async { function: self, boxes: Boxes::default() }
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

impl<F: Filter + ?Sized> Filter for Box<F> {
    fn filter(&self, request: Request, next: Next) -> Reply {
        (**self).filter(request, next)
    }
}

/// Changes responses to some requests.
struct Edited<W, E, L, T> {
    wanted: W,
    edit: Rc<E>,
    later: L,
    boxes: Boxes<T>,
}

/// A filter that changes, by `edit`, what the rest of the chain answers to the requests that are `wanted`. Where that answers at once so does
/// this, and nothing of a request is moved or kept.
pub fn edited<W, E>(wanted: W, edit: E) -> Box<dyn Filter>
where
    W: Fn(&Request) -> bool + 'static,
    E: Fn(&mut Response) + 'static,
{
    let edit = Rc::new(edit);
    let of_later = edit.clone();
    let later = move |reply: Reply| {
        let edit = of_later.clone();
        async move {
            let mut response = reply.await;
            edit(&mut response);
            response
        }
    };
    Box::new(Edited { wanted, edit, later, boxes: Boxes::default() })
}

impl<W, E, L, T> Filter for Edited<W, E, L, T>
where
    W: Fn(&Request) -> bool,
    E: Fn(&mut Response),
    L: Fn(Reply) -> T,
    T: Future<Output = Response> + 'static,
{
    fn filter(&self, request: Request, next: Next) -> Reply {
        let wanted = (self.wanted)(&request);
        let mut reply = next.run(request);
        if !wanted {
            return reply;
        }
        match reply.take_ready() {
            Some(mut response) => {
                (self.edit)(&mut response);
                Reply::ready(response)
            }
            None => Reply::waiting(self.boxes.fill((self.later)(reply))),
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
        let filters: Vec<Box<dyn Filter>> =
            vec![Box::new(mark("outer").into_filter()), Box::new(mark("inner").into_filter())];
        let chain = Chain::new(filters, Rc::new("hello".into_handler()));
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
        let chain = Chain::new(vec![Box::new(refuse.into_filter())], Rc::new("secret".into_handler()));
        let mut reply = chain.handle(request("GET", "/"));
        let Poll::Ready(response) = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing here waits")
        };
        assert_eq!(response.status().code(), 403);
    }
    #[test]
    fn an_edited_response_is_there_at_once_where_it_was_and_else_when_it_is() {
        let wanted = |request: &Request| request.path() == "/marked";
        let mark =
            || edited(wanted, |response| response.fields_mut().append("x-seen", "edited").expect("a field"));
        let later = async |_: Request| "later";
        for (target, marked) in [("/marked", 1), ("/", 0)] {
            let chain = Chain::new(vec![mark()], Rc::new("now".into_handler()));
            let mut reply = chain.handle(request("GET", target));
            let response = reply.take_ready().expect("there was an answer at once");
            assert_eq!(response.fields().iter().filter(|(name, _)| *name == "x-seen").count(), marked);
            let chain = Chain::new(vec![mark()], Rc::new(later.into_handler()));
            let mut reply = chain.handle(request("GET", target));
            assert!(reply.take_ready().is_none());
            let polled = Pin::new(&mut reply).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(response) = polled else { panic!("nothing here waits") };
            assert_eq!(response.fields().iter().filter(|(name, _)| *name == "x-seen").count(), marked);
        }
    }
}
