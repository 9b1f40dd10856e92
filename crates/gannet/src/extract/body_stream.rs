//! `BodyStream`: a body as it comes.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use gannet_core::{BodyError, Bytes, Data, FromRequest, Needs, ReceivedBody, Rejection, Request};

/// The request's body as it comes, piece by piece: by [`next`](ReceivedBody::next), and as a `Stream` of `Bytes` for whoever takes one.
///
/// ```
/// # use gannet::prelude::*;
/// # use gannet::{BodyError, BodyStream};
/// async fn count(mut body: BodyStream) -> Result<String, BodyError> {
///     let mut length = 0;
///     while let Some(piece) = body.next().await {
///         length += piece?.len();
///     }
///     Ok(length.to_string())
/// }
/// App::new().post("/count", count);
/// ```
///
/// Reading it is what lets the client send on: at most 64 KiB wait. It may be as long as it likes, unless a filter says otherwise.
#[derive(Debug)]
pub struct BodyStream(pub ReceivedBody);

impl FromRequest for BodyStream {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<BodyStream, Rejection> {
        Ok(BodyStream(request.take_body()))
    }

    fn needs(needs: &mut Needs) {
        needs.body("BodyStream");
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.0.poll_next(context).map(|next| {
            next.map(|piece| {
                piece.map(|piece| match piece {
                    Data::Bytes(bytes) => bytes,
                    Data::Chunk(chunk) => Bytes::copy_from_slice(&chunk),
                })
            })
        })
    }
}

impl Deref for BodyStream {
    type Target = ReceivedBody;

    fn deref(&self) -> &ReceivedBody {
        &self.0
    }
}

impl DerefMut for BodyStream {
    fn deref_mut(&mut self) -> &mut ReceivedBody {
        &mut self.0
    }
}
