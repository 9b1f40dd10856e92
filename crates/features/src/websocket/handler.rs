//! Handlers of conversations.

use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use gannet_core::ws::{CloseCode, CloseFrame};
use gannet_core::{
    Arguments, Body, Callable, Duplex, Handler, IntoHandler, Needs, Request, Response, Status, Upgrade,
};

use pin_project_lite::pin_project;

use super::line::Line;
use super::socket::Pending;
use super::{Ended, WebSocket, WebSocketError, WebSocketOptions, handshake};

/// A handler of conversations, and how they are agreed on: an async function of a [`WebSocket`](super::WebSocket) and of whatever else handlers take, in any order, that
/// returns nothing or a [`WebSocketResult`](super::WebSocketResult).
///
/// What it takes besides is made of the request before that is answered: what cannot be made is answered in the place of the upgrade. So can filters refuse it. What asks for no
/// WebSocket is answered 426; a page of another [origin](WebSocketOptions::origins) 403.
pub struct WebSockets<F, M> {
    handler: F,
    options: WebSocketOptions,
    marker: PhantomData<fn() -> M>,
}

impl<F, M> WebSockets<F, M> {
    /// Converses by `handler`, with the options of [`WebSocketOptions::new`].
    pub fn new(handler: F) -> WebSockets<F, M>
    where
        F: Converses<M>,
    {
        WebSockets { handler, options: WebSocketOptions::new(), marker: PhantomData }
    }

    /// With these options.
    #[must_use]
    pub fn options(mut self, options: WebSocketOptions) -> WebSockets<F, M> {
        self.options = options;
        self
    }
}

/// Async functions that converse: what [`WebSockets`] takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot converse over a WebSocket",
    note = "a handler of WebSockets is an async function of a `WebSocket` and of extractors, and returns nothing or a `WebSocketResult`"
)]
pub trait Converses<M>: Clone + Send + Sync + 'static {
    /// Its arguments.
    type Arguments;

    /// Answers a request: agrees, and begins the conversation.
    fn answer(
        self,
        request: Request,
        options: Arc<WebSocketOptions>,
    ) -> impl Future<Output = Response> + 'static;

    /// What the arguments need.
    fn tell_needs(needs: &mut Needs);
}

/// What a conversation ends with.
#[diagnostic::on_unimplemented(
    message = "a conversation cannot end with `{Self}`",
    note = "a handler of WebSockets returns nothing, or a `WebSocketResult`: `Ok(())` at its end"
)]
pub trait Ending {
    /// What the client is told, if it is to be told anything else than that it was all.
    fn says(self) -> Option<CloseFrame>;
}

impl Ending for () {
    fn says(self) -> Option<CloseFrame> {
        None
    }
}

impl Ending for Result<(), Ended> {
    fn says(self) -> Option<CloseFrame> {
        let error = self.err()?;
        match error.error().downcast_ref::<WebSocketError>() {
            Some(WebSocketError::NotJson) => Some(CloseFrame::new(
                CloseCode::INVALID_PAYLOAD,
                "a message is not the JSON that was expected",
            )),
            // What the client did it knows.
            Some(_) => None,
            None => {
                tracing::error!(error = %error.error(), "a conversation failed");
                Some(CloseFrame::new(CloseCode::INTERNAL_ERROR, "something went wrong"))
            }
        }
    }
}

/// Marks functions of these arguments.
pub struct Conversing<A, M>(PhantomData<(A, M)>);

impl<F, A, M, T> Converses<Conversing<A, M>> for F
where
    F: Callable<A, Output = T> + Clone + Send + Sync + 'static,
    A: Arguments<M>,
    M: 'static,
    T: Future<Output: Ending> + 'static,
{
    type Arguments = A;

    async fn answer(self, mut request: Request, options: Arc<WebSocketOptions>) -> Response {
        let agreement = match handshake::agree(&request, &options) {
            Ok(agreement) => agreement,
            Err(response) => return response,
        };
        let line = Rc::new(Line::new(request.shared_ports(), options, agreement.protocol));
        #[cfg(feature = "compression")]
        line.compress(agreement.compression);
        request.extensions_mut().insert(Pending(line.clone()));
        let arguments = match A::extract(request).await {
            Ok(arguments) => arguments,
            Err(response) => return response,
        };
        let converse = move || {
            let duplex: Rc<dyn Duplex> = line.clone();
            (Conversation { handler: Some(self.call(arguments)), line }, duplex)
        };
        let mut response = Response::new(Status::SWITCHING_PROTOCOLS);
        *response.fields_mut() = agreement.fields;
        response.with_body(Body::Upgrade(Upgrade::duplex(converse)))
    }

    fn tell_needs(needs: &mut Needs) {
        A::tell_needs(needs);
    }
}

pin_project! {
    /// The whole of a conversation: the handler's, and its end. By hand, since what an async function awaits it has twice.
    struct Conversation<T> {
        #[pin]
        handler: Option<T>,
        line: Rc<Line>,
    }
}

/// Closes what a handler leaves by a panic.
struct Closing<'a>(&'a Line);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.abandon(&CloseFrame::new(CloseCode::INTERNAL_ERROR, "something went wrong"));
    }
}

impl<T: Future<Output: Ending>> Future for Conversation<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if let Some(handler) = this.handler.as_mut().as_pin_mut() {
            let closing = Closing(this.line);
            let polled = handler.poll(context);
            std::mem::forget(closing);
            let says = ready!(polled).says();
            this.handler.set(None);
            let says = says.unwrap_or_else(|| CloseFrame::new(CloseCode::NORMAL, ""));
            this.line.close(Some(&says));
        }
        this.line.poll_closed(context)
    }
}

/// Marks what agrees to conversations.
pub struct Agreeing<M>(PhantomData<M>);

impl<F, M: 'static> IntoHandler<Agreeing<M>> for WebSockets<F, M>
where
    F: Converses<M>,
{
    fn into_handler(self) -> Rc<dyn Handler> {
        let WebSockets { handler, options, .. } = self;
        let options = Arc::new(options);
        (move |request: Request| handler.clone().answer(request, options.clone())).into_handler()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.provides::<WebSocket>();
        F::tell_needs(needs);
    }
}

impl<F: Clone, M> Clone for WebSockets<F, M> {
    fn clone(&self) -> WebSockets<F, M> {
        WebSockets { handler: self.handler.clone(), options: self.options.clone(), marker: PhantomData }
    }
}
