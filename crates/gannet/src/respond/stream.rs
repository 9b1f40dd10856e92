//! `StreamBody`: a response that comes piece by piece.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use gannet_core::{Body, BodyError, Data, Frame, IntoResponse, Response, Source, Status};

/// A response's body from a `Stream` of results of bytes or text, which is asked for the next when the last is on its way.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::StreamBody;
/// # use std::convert::Infallible;
/// async fn count() -> impl IntoResponse {
///     let numbers = tokio_stream::iter(0..1_000_000).map(|number| Ok::<_, Infallible>(format!("{number}\n")));
///     ([("Content-Type", "text/plain")], StreamBody::new(numbers))
/// }
/// # use tokio_stream::StreamExt;
/// App::new().get("/count", count);
/// ```
///
/// It is sent in chunks, and has no type unless it is told one. An error ends the connection, or HTTP/2's stream, so that the client sees that
/// something is missing; the log has what it was.
pub struct StreamBody(Body);

impl StreamBody {
    /// What `stream` gives.
    pub fn new<S, D, E>(stream: S) -> StreamBody
    where
        S: Stream<Item = Result<D, E>> + 'static,
        D: Into<Data>,
        E: Display,
    {
        StreamBody(Body::stream(Streamed(Box::pin(stream))))
    }
}

impl IntoResponse for StreamBody {
    fn into_response(self) -> Response {
        Response::new(Status::OK).with_body(self.0)
    }
}

/// The body is given to who may move it: the stream stays where it is.
struct Streamed<S>(Pin<Box<S>>);

impl<S, D, E> Source for Streamed<S>
where
    S: Stream<Item = Result<D, E>>,
    D: Into<Data>,
    E: Display,
{
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        self.0.as_mut().poll_next(context).map(|next| {
            next.map(|piece| match piece {
                Ok(piece) => Ok(Frame::Data(piece.into())),
                Err(error) => {
                    tracing::error!("the stream of a response's body broke off: {error}");
                    Err(BodyError::Aborted)
                }
            })
        })
    }
}
