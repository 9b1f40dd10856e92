//! The largest body that is taken: 413 beyond it (RFC 9110, 15.5.14).

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use gannet_core::{
    BodyError, BodyLength, Filter, Frame, IntoFilter, IntoResponse, ReceivedBody, Rejection, Request,
    Response, Source, Status, around,
};

/// A filter that takes bodies up to so many bytes; beyond it the answer is `413 Content Too Large`.
///
/// * Where `Content-Length` says more, the answer is given at once: no handler is asked, and nothing of the body is read that is not on its way already. A client that
///   waits to be asked for it (`Expect: 100-continue`) never sends it.
/// * Where the length is not said (chunks, HTTP/2), whoever reads the body gets so many bytes of it and then
///   [`BodyError::TooLarge`], which answers 413 where a handler gives it back. Whatever error is answered instead becomes 413, also what the proxy says of a body that broke off.
///
/// It is a limit for all that is behind it, and for extractors in the place of their own (2 MiB): larger or smaller. Of several the smallest counts.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit {
    bytes: u64,
}

/// A body whose length nobody has said, as it is read.
struct Limited {
    body: ReceivedBody,
    /// More has come than may.
    exceeded: Rc<Cell<bool>>,
}

impl BodyLimit {
    /// So many bytes; 0 takes no body at all.
    pub fn bytes(bytes: u64) -> BodyLimit {
        BodyLimit { bytes }
    }

    #[cold]
    fn refusal(self) -> Response {
        let detail = format!("the body is larger than the {} bytes that are taken", self.bytes);
        Rejection::new(Status::CONTENT_TOO_LARGE, detail).into_response()
    }

    /// Limits what is read; says where it is seen that there is more, if that is not known yet.
    fn limit(self, request: &mut Request) -> Result<Option<Rc<Cell<bool>>>, Response> {
        match request.body_length() {
            BodyLength::None => return Ok(None),
            BodyLength::Known(length) if length > self.bytes => return Err(self.refusal()),
            BodyLength::Known(_) => {
                request.body().limit(self.bytes);
                return Ok(None);
            }
            BodyLength::Chunked => {}
        }
        let exceeded = Rc::<Cell<bool>>::default();
        let mut body = request.take_body();
        let before = body.limited();
        body.limit(self.bytes);
        let mut limited = ReceivedBody::from_source(Limited { body, exceeded: exceeded.clone() });
        limited.limit(before.map_or(self.bytes, |before| before.min(self.bytes)));
        request.set_body(limited);
        Ok(Some(exceeded))
    }
}

impl Source for Limited {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = self.body.poll_frame(context);
        if matches!(polled, Poll::Ready(Some(Err(BodyError::TooLarge)))) {
            self.exceeded.set(true);
        }
        polled
    }
}

impl IntoFilter<BodyLimit> for BodyLimit {
    fn into_filter(self) -> Rc<dyn Filter> {
        around(
            move |request| self.limit(request),
            move |exceeded, response: Response| {
                let is_exceeded = exceeded.is_some_and(|exceeded| exceeded.get());
                let status = response.status();
                match is_exceeded && status.code() >= 400 && status != Status::CONTENT_TOO_LARGE {
                    true => self.refusal(),
                    false => response,
                }
            },
        )
    }
}
