//! Functions of extractors as handlers: one implementation for each number of arguments, plain and async.

use std::rc::Rc;

use crate::extract::{FromLast, at_once, reject};
use crate::future::Boxes;
use crate::{FromRequest, Handler, IntoHandler, IntoResponse, Needs, Reply, Request, Response};

/// Marks plain functions of these arguments.
#[derive(Debug)]
pub struct Plain<A, M>(A, M);

/// Marks async functions of these arguments.
#[derive(Debug)]
pub struct Async<A, M>(A, M);

/// The arguments of a function, all at a time.
trait Arguments<M>: Sized + 'static {
    /// Whether making them may wait.
    const WAITS: bool;
    /// Whether they hold the request.
    const HOLDS: bool;

    fn extract(request: Request) -> impl Future<Output = Result<Self, Response>>;

    /// The same, of those that never wait: a request is not moved through futures that are over at once, which took 400 instructions.
    fn extract_now(request: Request) -> Result<Self, Response>;

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

/// Arguments that are there at once, for a plain function.
struct AtOnce<C>(C);

impl<C: Fn(Request) -> Response> Handler for AtOnce<C> {
    fn handle(&self, request: Request) -> Reply {
        Reply::ready((self.0)(request))
    }
}

/// Arguments that are there at once, for an async function.
struct Later<C, T> {
    call: C,
    holds: bool,
    boxes: Boxes<T>,
}

impl<C, T, R> Handler for Later<C, T>
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
        return Rc::new(Later { call, holds: A::HOLDS, boxes: Boxes::default() });
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

        impl<F, R, M, $($argument,)* $last> IntoHandler<Plain<($($argument,)* $last,), M>> for F
        where
            F: Fn($($argument,)* $last) -> R + Clone + Send + Sync + 'static,
            R: IntoResponse + 'static,
            M: 'static,
            $($argument: FromRequest,)*
            $last: FromLast<M>,
        {
            #[allow(non_snake_case, reason = "arguments are called as their types are")]
            fn into_handler(self) -> Rc<dyn Handler> {
                plain::<($($argument,)* $last,), M, R>(move |($($argument,)* $last,)| self($($argument,)* $last))
            }

            fn needs(&self, needs: &mut Needs) {
                <($($argument,)* $last,) as Arguments<M>>::tell_needs(needs);
            }
        }

        impl<F, T, M, $($argument,)* $last> IntoHandler<Async<($($argument,)* $last,), M>> for F
        where
            F: Fn($($argument,)* $last) -> T + Clone + Send + Sync + 'static,
            T: Future<Output: IntoResponse> + 'static,
            M: 'static,
            $($argument: FromRequest,)*
            $last: FromLast<M>,
        {
            #[allow(non_snake_case, reason = "arguments are called as their types are")]
            fn into_handler(self) -> Rc<dyn Handler> {
                later::<($($argument,)* $last,), M, T>(move |($($argument,)* $last,)| self($($argument,)* $last))
            }

            fn needs(&self, needs: &mut Needs) {
                <($($argument,)* $last,) as Arguments<M>>::tell_needs(needs);
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

impl<F, R> IntoHandler<Plain<(), ()>> for F
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
    R: IntoResponse + 'static,
{
    fn into_handler(self) -> Rc<dyn Handler> {
        plain::<(), (), R>(move |()| self())
    }
}

impl<F, T> IntoHandler<Async<(), ()>> for F
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output: IntoResponse> + 'static,
{
    fn into_handler(self) -> Rc<dyn Handler> {
        later::<(), (), T>(move |()| self())
    }
}
