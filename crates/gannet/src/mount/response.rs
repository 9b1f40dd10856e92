//! A service's response, as the server sends it.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use gannet_core::{Body, BodyError, Data, Fields, Frame, Response, Source, Status};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use super::Pinned;
use super::body::Pump;

/// A body that is no longer than this is asked for at once: if it is there as a whole, so is the response.
const AT_ONCE_BYTES: u64 = 64 * 1024;

/// A service's body, and the request's, which may still be read while this is sent.
struct Streamed<B> {
    body: Pinned<B>,
    length: Option<u64>,
    pump: Pump,
}

/// What the body of a response to HEAD would have been: nothing of it is sent, but how long it is.
struct Unsent(Option<u64>);

/// The response, with what brings the request's body.
pub(super) fn converted<B>(response: http::Response<B>, is_head: bool, pump: Pump) -> Response
where
    B: http_body::Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let (parts, body) = response.into_parts();
    let length = body.size_hint().exact();
    let said = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = match () {
        // What is said counts: a service that answers HEAD leaves the body away.
        () if is_head => Body::stream(Unsent(said.or(length.filter(|length| *length > 0)))),
        () if body.is_end_stream() => Body::Empty,
        () => streamed(Box::pin(body), length.or(said), pump),
    };
    let status = Status::new(parts.status.as_u16()).unwrap_or(Status::INTERNAL_SERVER_ERROR);
    Response::new(status).with_fields(fields(&parts.headers)).with_body(body)
}

/// A body that is there as a whole is sent with its head; others are pulled.
fn streamed<B>(mut body: Pinned<B>, length: Option<u64>, pump: Pump) -> Body
where
    B: http_body::Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>> + 'static,
{
    let is_short = length.is_some_and(|length| length <= AT_ONCE_BYTES);
    if !is_short {
        return Body::stream(Streamed { body, length, pump });
    }
    // Whoever is to be woken says so when it is polled again.
    let mut context = Context::from_waker(Waker::noop());
    let first = match body.as_mut().poll_frame(&mut context) {
        Poll::Pending => return Body::stream(Streamed { body, length, pump }),
        Poll::Ready(first) => first.map(frame::<B>),
    };
    match first {
        Some(Ok(Frame::Data(Data::Bytes(bytes))))
            if Some(bytes.len() as u64) == length && body.is_end_stream() =>
        {
            Body::Bytes(bytes)
        }
        first => Body::stream(Begun { first, rest: Streamed { body, length, pump } }),
    }
}

/// A body whose first frame was taken.
struct Begun<B> {
    first: Option<Result<Frame, BodyError>>,
    rest: Streamed<B>,
}

impl<B> Source for Begun<B>
where
    B: http_body::Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn length(&self) -> Option<u64> {
        self.rest.length
    }
}

impl<B> Source for Streamed<B>
where
    B: http_body::Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            let this = &mut *self;
            if let Poll::Ready(polled) = this.body.as_mut().poll_frame(context) {
                return Poll::Ready(polled.map(frame::<B>));
            }
            if !this.pump.poll(context) {
                return Poll::Pending;
            }
        }
    }

    fn length(&self) -> Option<u64> {
        self.length
    }
}

/// A frame of a service's body. Its error is not the client's to read.
fn frame<B>(frame: Result<http_body::Frame<B::Data>, B::Error>) -> Result<Frame, BodyError>
where
    B: http_body::Body<Data: Buf, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let frame = frame.map_err(|error| {
        let error = error.into();
        tracing::error!(error = &*error as &(dyn Error + 'static), "the body of a mounted service broke off");
        BodyError::Aborted
    })?;
    Ok(match frame.into_data() {
        Ok(mut data) => Frame::Data(Data::Bytes(data.copy_to_bytes(data.remaining()))),
        Err(other) => match other.into_trailers() {
            Ok(trailers) => Frame::Trailers(fields(&trailers)),
            // Frames of other kinds mean nothing here.
            Err(_) => Frame::Data(Data::Bytes(Bytes::new())),
        },
    })
}

/// The fields, without what frames the message.
fn fields(headers: &HeaderMap) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in headers {
        fields.forward(name.as_str(), value.as_bytes());
    }
    fields
}

impl Source for Unsent {
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(None)
    }

    fn length(&self) -> Option<u64> {
        self.0
    }
}
