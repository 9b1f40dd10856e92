//! Functions of extractors as handlers: one implementation for each number of arguments, plain and async.

use std::rc::Rc;

use crate::extract::{FromLast, at_once, reject};
use crate::future::Boxes;
use crate::{FromRequest, Handler, IntoHandler, IntoResponse, Needs, Reply, Request, Response};

/// What can be called with the arguments `A`: a function of up to ten, or a value, which takes none.
///
/// This trait and the next two are there for what the compiler says of a handler that is wrong. [`IntoHandler`] has one implementation for all functions and values, so it is taken, and
/// which of its conditions does not hold is reported: of two, neither would be. What tells functions apart (how many arguments, async or not) is a condition of its own, so that
/// no other depends on it.
pub trait Callable<A> {
    /// This type: what else it has to be is asked only if it can be called at all.
    type Own;
    /// What it returns.
    type Output;

    /// Calls it.
    fn call(&self, arguments: A) -> Self::Output;
}

/// What a function returns: a response now, or a future of one. `Marker` tells them apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made into a response",
    label = "what this returns is not `IntoResponse`",
    note = "text, bytes, a `Status`, a `Response`, `Json` of what is `Serialize`, `Html`, `Redirect`, ... can; `Option`s of these, `Result`s of which both sides are one, and these behind parts of a head: `(Status, R)`",
    note = "a value is sent as JSON by `Json(value)`; implement `IntoResponse` for a type of your own"
)]
pub trait Answer<Marker>: 'static {
    /// What is to be made into the response.
    type Response;

    /// The handler that calls `call` with what a request gives.
    fn handler<A: Arguments<M>, M>(call: impl Fn(A) -> Self + 'static) -> Rc<dyn Handler>
    where
        Self::Response: IntoResponse;
}

/// Marks functions of the arguments `A`, and how the last of them is made, and what is returned.
#[derive(Debug)]
pub struct Function<A, M, N>(A, M, N);

/// Marks what is returned as a response.
#[derive(Debug)]
pub struct Now;

/// Marks what is returned as a future of a response.
#[derive(Debug)]
pub struct Later;

/// The arguments of a value: none.
#[derive(Debug)]
pub struct Value;

impl<R: IntoResponse + Clone> Callable<Value> for R {
    type Own = R;
    type Output = R;

    #[inline(always)]
    fn call(&self, _: Value) -> R {
        self.clone()
    }
}

impl<R: IntoResponse + 'static> Answer<Now> for R {
    type Response = R;

    fn handler<A: Arguments<M>, M>(call: impl Fn(A) -> R + 'static) -> Rc<dyn Handler> {
        plain::<A, M, R>(call)
    }
}

impl<T: Future + 'static> Answer<Later> for T {
    type Response = T::Output;

    fn handler<A: Arguments<M>, M>(call: impl Fn(A) -> T + 'static) -> Rc<dyn Handler>
    where
        T::Output: IntoResponse,
    {
        later::<A, M, T>(call)
    }
}

impl<F, A, M, N> IntoHandler<Function<A, M, N>> for F
where
    F: Callable<A, Own = F>,
    F::Own: Clone + Send + Sync + 'static,
    A: Arguments<M>,
    F::Output: Answer<N>,
    <F::Output as Answer<N>>::Response: IntoResponse,
{
    fn into_handler(self) -> Rc<dyn Handler> {
        F::Output::handler::<A, M>(move |arguments| self.call(arguments))
    }

    fn needs(&self, needs: &mut Needs) {
        A::tell_needs(needs);
    }
}

/// The arguments of a function, all at a time.
pub trait Arguments<M>: Sized + 'static {
    /// Whether making them may wait.
    const WAITS: bool;
    /// Whether they hold the request.
    const HOLDS: bool;

    /// Makes them, or what is answered instead.
    fn extract(request: Request) -> impl Future<Output = Result<Self, Response>>;

    /// The same, of those that never wait: a request is not moved through futures that are over at once, which took 400 instructions.
    fn extract_now(request: Request) -> Result<Self, Response>;

    /// What they need.
    fn tell_needs(needs: &mut Needs);
}

impl Arguments<()> for () {
    const WAITS: bool = false;
    const HOLDS: bool = false;

    async fn extract(_: Request) -> Result<(), Response> {
        Ok(())
    }

    fn extract_now(_: Request) -> Result<(), Response> {
        Ok(())
    }

    fn tell_needs(_: &mut Needs) {}
}

impl Arguments<()> for Value {
    const WAITS: bool = false;
    const HOLDS: bool = false;

    async fn extract(_: Request) -> Result<Value, Response> {
        Ok(Value)
    }

    fn extract_now(_: Request) -> Result<Value, Response> {
        Ok(Value)
    }

    fn tell_needs(_: &mut Needs) {}
}

/// Arguments that are there at once, for a plain function.
struct AtOnce<C>(C);

impl<C: Fn(Request) -> Response> Handler for AtOnce<C> {
    fn handle(&self, request: Request) -> Reply {
        Reply::ready((self.0)(request))
    }
}

/// Arguments that are there at once, for an async function.
struct Promised<C, T> {
    call: C,
    holds: bool,
    boxes: Boxes<T>,
}

impl<C, T, R> Handler for Promised<C, T>
where
    C: Fn(Request) -> Result<T, Response>,
    T: Future<Output = R> + 'static,
    R: IntoResponse,
{
    fn handle(&self, mut request: Request) -> Reply {
        if self.holds {
            // The future may wait for long, and then must not hold the memory that is received into.
            request.detach();
        }
        match (self.call)(request) {
            Ok(future) => Reply::waiting(self.boxes.fill(future)),
            Err(response) => Reply::ready(response),
        }
    }
}

/// A handler whose arguments may have to be waited for.
struct Extracting<C, T> {
    call: C,
    boxes: Boxes<T>,
}

impl<C, T> Handler for Extracting<C, T>
where
    C: Fn(Request) -> T,
    T: Future<Output = Response> + 'static,
{
    fn handle(&self, mut request: Request) -> Reply {
        request.detach();
        Reply::waiting(self.boxes.fill((self.call)(request)))
    }
}

/// A plain function's handler.
fn plain<A, M, R>(call: impl Fn(A) -> R + 'static) -> Rc<dyn Handler>
where
    A: Arguments<M>,
    R: IntoResponse,
{
    if !A::WAITS {
        return Rc::new(AtOnce(move |request| match A::extract_now(request) {
            Ok(arguments) => call(arguments).into_response(),
            Err(response) => response,
        }));
    }
    let call = Rc::new(call);
    let call = move |request| {
        let call = call.clone();
        async move {
            match A::extract(request).await {
                Ok(arguments) => call(arguments).into_response(),
                Err(response) => response,
            }
        }
    };
    Rc::new(Extracting { call, boxes: Boxes::default() })
}

/// An async function's handler.
fn later<A, M, T>(call: impl Fn(A) -> T + 'static) -> Rc<dyn Handler>
where
    A: Arguments<M>,
    T: Future<Output: IntoResponse> + 'static,
{
    if !A::WAITS {
        let call = move |request| A::extract_now(request).map(&call);
        return Rc::new(Promised { call, holds: A::HOLDS, boxes: Boxes::default() });
    }
    let call = Rc::new(call);
    let call = move |request| {
        let call = call.clone();
        async move {
            match A::extract(request).await {
                Ok(arguments) => call(arguments).await.into_response(),
                Err(response) => response,
            }
        }
    };
    Rc::new(Extracting { call, boxes: Boxes::default() })
}

/// Handlers of so many arguments, of which the last may be the request.
macro_rules! handlers {
    ($(($($argument:ident)*) $last:ident;)+) => {$(
        impl<$($argument,)* $last, M> Arguments<M> for ($($argument,)* $last,)
        where
            $($argument: FromRequest,)*
            $last: FromLast<M>,
        {
            const WAITS: bool = $($argument::WAITS ||)* $last::WAITS;
            const HOLDS: bool = $last::HOLDS;

            #[allow(non_snake_case, unused_mut, reason = "arguments are called as their types are; one alone changes nothing")]
            async fn extract(mut request: Request) -> Result<Self, Response> {
                $(let $argument = match $argument::from_request(&mut request).await {
                    Ok(argument) => argument,
                    Err(rejection) => return Err(reject(rejection, &request)),
                };)*
                Ok(($($argument,)* $last::from_last(request).await?,))
            }

            #[allow(non_snake_case, unused_mut, reason = "as above")]
            #[inline(always)]
            fn extract_now(mut request: Request) -> Result<Self, Response> {
                $(let $argument = match at_once($argument::from_request(&mut request)) {
                    Ok(argument) => argument,
                    Err(rejection) => return Err(reject(rejection, &request)),
                };)*
                Ok(($($argument,)* $last::from_last_now(request)?,))
            }

            fn tell_needs(needs: &mut Needs) {
                $($argument::needs(needs);)*
                $last::needs(needs);
            }
        }

        impl<F, R, $($argument,)* $last> Callable<($($argument,)* $last,)> for F
        where
            F: Fn($($argument,)* $last) -> R,
        {
            type Own = F;
            type Output = R;

            #[allow(non_snake_case, reason = "arguments are called as their types are")]
            #[inline(always)]
            fn call(&self, ($($argument,)* $last,): ($($argument,)* $last,)) -> R {
                self($($argument,)* $last)
            }
        }
    )+};
}

handlers! {
    () A;
    (A) B;
    (A B) C;
    (A B C) D;
    (A B C D) E;
    (A B C D E) G;
    (A B C D E G) H;
    (A B C D E G H) I;
    (A B C D E G H I) J;
    (A B C D E G H I J) K;
}

impl<F: Fn() -> R, R> Callable<()> for F {
    type Own = F;
    type Output = R;

    #[inline(always)]
    fn call(&self, (): ()) -> R {
        self()
    }
}
