//! Extracting: what a handler's arguments are made of, and what they need to be there.

use std::any::{Any, TypeId, type_name};
use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::{IntoResponse, Rejection, Request, Response};

/// An argument of a handler: what can be made of a request. The one trait for extractors, those of the library and your own.
///
/// ```
/// # use gannet_core::{FromRequest, Rejection, Request, Status};
/// struct ApiKey(String);
///
/// impl FromRequest for ApiKey {
///     const WAITS: bool = false;
///
///     async fn from_request(request: &mut Request) -> Result<ApiKey, Rejection> {
///         let key = request.field_str("X-Api-Key");
///         key.map(|key| ApiKey(key.to_owned())).ok_or_else(|| Rejection::new(Status::UNAUTHORIZED, "There is no X-Api-Key."))
///     }
/// }
/// ```
///
/// Arguments are made in their order. What cannot be made answers in the handler's place with its [`Rejection`]; as a `Result<T, Rejection>`
/// the argument is made in any case, and the handler decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a request, so it is no argument of a handler",
    label = "an argument of this is not `FromRequest`",
    note = "arguments are extractors: `Path`, `Query`, `Json`, `Form`, `State`, `Text`, `Bytes`, ...; implement `FromRequest` for your own",
    note = "a `Request` itself can only be the last argument, since it takes all that there is"
)]
pub trait FromRequest: Sized + 'static {
    /// Whether it may have to wait: for the body, or for something else. One that says `false` looks at the head only, and its future is ready
    /// when it is first polled: then plain handlers answer at once, and others hold nothing of the request while they wait.
    const WAITS: bool = true;

    /// Makes it.
    fn from_request(request: &mut Request) -> impl Future<Output = Result<Self, Rejection>>;

    /// Says what must be there for it, so that what is not is a mistake that is found when the application is built.
    fn needs(needs: &mut Needs) {
        let _ = needs; // nothing
    }
}

/// What handlers need: collected when an application is built, and compared with what there is.
#[derive(Default)]
pub struct Needs {
    states: Vec<(TypeId, &'static str)>,
    bodies: Vec<&'static str>,
    parameters: Vec<String>,
    parameter_count: Option<usize>,
    /// What takes something that only handlers of a kind have, and the mistake where it is none.
    wanted: Vec<(TypeId, &'static str)>,
    provided: Vec<TypeId>,
    notes: Vec<Box<dyn Any + Send + Sync>>,
}

impl Needs {
    /// A state of this type ([`State`](crate::State)).
    pub fn state<T: 'static>(&mut self) {
        self.states.push((TypeId::of::<T>(), type_name::<T>()));
    }

    /// The body, which can be taken once: `by` is who takes it.
    pub fn body(&mut self, by: &'static str) {
        self.bodies.push(by);
    }

    /// A parameter of this name in the route's pattern.
    pub fn parameter(&mut self, name: impl Into<String>) {
        self.parameters.push(name.into());
    }

    /// Exactly so many parameters in the route's pattern.
    pub fn parameter_count(&mut self, count: usize) {
        self.parameter_count = Some(count);
    }

    /// A `T`, which only handlers that [provide](Needs::provides) it have; `mistake` says what is wrong with others.
    pub fn wants<T: 'static>(&mut self, mistake: &'static str) {
        self.wanted.push((TypeId::of::<T>(), mistake));
    }

    /// The handler gives its arguments a `T`.
    pub fn provides<T: 'static>(&mut self) {
        self.provided.push(TypeId::of::<T>());
    }

    /// Anything else that a handler tells those who list routes: a description of itself.
    pub fn note(&mut self, note: impl Any + Send + Sync) {
        self.notes.push(Box::new(note));
    }

    /// The notes of a type.
    pub fn notes<T: Any>(&self) -> impl Iterator<Item = &T> {
        self.notes.iter().filter_map(|note| note.downcast_ref())
    }

    /// The states, by their types and what those are called.
    pub fn states(&self) -> &[(TypeId, &'static str)] {
        &self.states
    }

    /// What a handler on a pattern with these parameters lacks, or has twice: a line each. States are not looked at.
    pub fn mistakes(&self, parameters: &[&str]) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let [first, second, ..] = &self.bodies[..] {
            mistakes.push(format!(
                "takes the body twice, as {first} and as {second}: it is there once; leave one of them away"
            ));
        }
        for name in self.parameters.iter().filter(|name| !parameters.contains(&name.as_str())) {
            mistakes.push(format!(
                "takes a parameter {name:?} that the pattern does not have: put \":{name}\" into the pattern, or take another"
            ));
        }
        if let Some(count) = self.parameter_count.filter(|count| *count != parameters.len()) {
            let has = parameters.len();
            mistakes.push(format!("takes {count} of the path's parameters, and the pattern has {has}"));
        }
        let unmet = self.wanted.iter().filter(|(wanted, _)| !self.provided.contains(wanted));
        mistakes.extend(unmet.map(|(_, mistake)| (*mistake).to_owned()));
        mistakes
    }
}

/// What the last argument of a handler is: an extractor, or the request itself. `Marker` tells them apart; nobody needs to name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a request, so it is no argument of a handler",
    label = "an argument of this is not `FromRequest`",
    note = "arguments are extractors: `Path`, `Query`, `Json`, `Form`, `State`, `Text`, `Bytes`, ...; implement `FromRequest` for your own"
)]
pub trait FromLast<Marker>: Sized + 'static {
    /// As [`FromRequest::WAITS`].
    const WAITS: bool;
    /// Whether it holds the request.
    const HOLDS: bool;

    /// Makes it, or what is answered instead.
    fn from_last(request: Request) -> impl Future<Output = Result<Self, Response>>;

    /// The same, of what never waits.
    fn from_last_now(request: Request) -> Result<Self, Response>;

    /// As [`FromRequest::needs`].
    fn needs(needs: &mut Needs);
}

/// The last argument is an extractor like the others.
#[derive(Debug)]
pub struct Part;

/// The last argument is the request.
#[derive(Debug)]
pub struct Whole;

impl<T: FromRequest> FromLast<Part> for T {
    const WAITS: bool = T::WAITS;
    const HOLDS: bool = false;

    async fn from_last(mut request: Request) -> Result<T, Response> {
        match T::from_request(&mut request).await {
            Ok(argument) => Ok(argument),
            Err(rejection) => Err(reject(rejection, &request)),
        }
    }

    #[inline(always)]
    fn from_last_now(mut request: Request) -> Result<T, Response> {
        at_once(T::from_request(&mut request)).map_err(|rejection| reject(rejection, &request))
    }

    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}

impl FromLast<Whole> for Request {
    const WAITS: bool = false;
    const HOLDS: bool = true;

    fn from_last(request: Request) -> impl Future<Output = Result<Request, Response>> {
        ready(Ok(request))
    }

    #[inline(always)]
    fn from_last_now(request: Request) -> Result<Request, Response> {
        Ok(request)
    }

    fn needs(_: &mut Needs) {}
}

impl<T: FromRequest> FromRequest for Result<T, Rejection> {
    const WAITS: bool = T::WAITS;

    async fn from_request(request: &mut Request) -> Result<Result<T, Rejection>, Rejection> {
        Ok(T::from_request(request).await)
    }

    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}

/// What an application answers in the place of a [`Rejection`]; as a state it is asked for each.
pub struct Rejections(Box<AnswerRejection>);

type AnswerRejection = dyn Fn(Rejection, &Request) -> Response + Send + Sync;

impl Rejections {
    /// What `answer` gives.
    pub fn new<R: IntoResponse>(
        answer: impl Fn(Rejection, &Request) -> R + Send + Sync + 'static,
    ) -> Rejections {
        Rejections(Box::new(move |rejection, request| answer(rejection, request).into_response()))
    }
}

/// The answer to a request of which an argument could not be made.
#[cold]
pub(crate) fn reject(rejection: Rejection, request: &Request) -> Response {
    match request.state::<Rejections>() {
        Some(rejections) => (rejections.0)(rejection, request),
        None => rejection.into_response(),
    }
}

/// What a future gives that is ready at its first poll.
///
/// # Panics
/// If it is not: then an extractor says of itself that it never waits, and does.
#[inline(always)]
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => {
            panic!("an extractor whose FromRequest::WAITS is false waited; leave that constant away")
        }
    }
}
