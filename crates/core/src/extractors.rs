//! The extractors that are types of others: the body as bytes and as text, the method; and those that may not be there.

use std::borrow::Cow;

use bytes::Bytes;
use gannet_proto::{BodyLength, Method, Status, Version};

use crate::{BodyError, Data, FromRequest, Needs, Place, ReceivedBody, Rejection, Request};

/// The longest body that extractors take as a whole, where nothing else is said: 2 MiB. Beyond it the answer is 413.
pub const BODY_BYTES: u64 = 2 * 1024 * 1024;

/// An extractor that there may be nothing for: what it says of that in an `Option`, as which it is an argument, too.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` is no argument of a handler",
    label = "there is always a `{Self}`, or the request is refused",
    note = "take `{Self}` itself, or `Result<{Self}, Rejection>` to decide in the handler"
)]
pub trait OptionalFromRequest: FromRequest {
    /// Whether there is something to make it of. Where there is, it has to be as it should be: else the request is refused.
    fn is_there(request: &Request) -> bool;
}

impl<T: OptionalFromRequest> FromRequest for Option<T> {
    const WAITS: bool = T::WAITS;

    async fn from_request(request: &mut Request) -> Result<Option<T>, Rejection> {
        if T::is_there(request) { T::from_request(request).await.map(Some) } else { Ok(None) }
    }

    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}

impl Request {
    /// Whether a body follows the head. One whose length was not said may turn out to have no bytes.
    pub fn has_body(&self) -> bool {
        !matches!(self.body_length(), BodyLength::None | BodyLength::Known(0))
    }

    /// The whole body: of 2 MiB at most, or of what a filter has said. For extractors. What comes in one piece is not copied.
    ///
    /// # Errors
    /// 413 when it is longer, 400 when it is not complete.
    pub async fn whole_body(&mut self) -> Result<Data, Rejection> {
        let mut body = self.take_body();
        let most = body.limited().unwrap_or(BODY_BYTES);
        let length = match self.body_length() {
            BodyLength::Known(length) => length,
            BodyLength::None | BodyLength::Chunked => 0,
        };
        if length > most {
            return Err(too_large(most));
        }
        body.limit(most);
        gather(&mut body, usize::try_from(length).unwrap_or(0)).await.map_err(|error| match error {
            BodyError::TooLarge => too_large(most),
            error => error.into(),
        })
    }
}

async fn gather(body: &mut ReceivedBody, expected: usize) -> Result<Data, BodyError> {
    let Some(first) = body.next().await.transpose()? else { return Ok(Bytes::new().into()) };
    let Some(second) = body.next().await.transpose()? else { return Ok(first) };
    let mut whole = Vec::with_capacity(expected.max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    drop(first);
    whole.extend_from_slice(&second);
    drop(second);
    while let Some(data) = body.next().await {
        whole.extend_from_slice(&data?);
    }
    Ok(whole.into())
}

fn too_large(most: u64) -> Rejection {
    Rejection::new(
        Status::CONTENT_TOO_LARGE,
        format!("the body is larger than the {most} bytes that are taken"),
    )
}

/// The whole body, whatever it is; of 2 MiB at most, unless a filter says otherwise.
impl FromRequest for Bytes {
    async fn from_request(request: &mut Request) -> Result<Bytes, Rejection> {
        Ok(match request.whole_body().await? {
            Data::Bytes(bytes) => bytes,
            Data::Chunk(chunk) => Bytes::copy_from_slice(&chunk),
        })
    }

    fn needs(needs: &mut Needs) {
        needs.body("Bytes");
    }
}

/// The whole body as text, whatever its type says; 400 when it is no UTF-8.
impl FromRequest for String {
    async fn from_request(request: &mut Request) -> Result<String, Rejection> {
        let body = request.whole_body().await?;
        match std::str::from_utf8(&body) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(no_text(error.valid_up_to())),
        }
    }

    fn needs(needs: &mut Needs) {
        needs.body("String");
    }
}

fn no_text(valid: usize) -> Rejection {
    Rejection::new(Status::BAD_REQUEST, format!("the body is not UTF-8 from byte {} on", valid + 1))
}

/// The body as a stream. It may be as long as it likes, unless a filter says otherwise: what is read of it is for the handler to bound.
impl FromRequest for ReceivedBody {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<ReceivedBody, Rejection> {
        Ok(request.take_body())
    }

    fn needs(needs: &mut Needs) {
        needs.body("ReceivedBody");
    }
}

impl FromRequest for Method {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Method, Rejection> {
        Ok(request.method())
    }
}

impl FromRequest for Version {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<Version, Rejection> {
        Ok(request.version())
    }
}

impl Rejection {
    /// 415: the body is not of the type that is taken.
    pub fn unsupported(taken: impl Into<Cow<'static, str>>) -> Rejection {
        Rejection::new(Status::UNSUPPORTED_MEDIA_TYPE, "the body is of a type that is not taken here")
            .with_error(Place::field("Content-Type"), taken)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use gannet_block::Pool;

    use super::*;
    use crate::Incoming;
    use crate::request::tests::request;

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("all of the body is there"),
        }
    }

    /// A request whose body came in these pieces.
    fn sent(pieces: &[&[u8]]) -> Request {
        let incoming = std::rc::Rc::new(Incoming::default());
        incoming.begin(Some(Waker::noop().clone()));
        let pool = Pool::new(64 * 1024, 100);
        for piece in pieces {
            let mut block = pool.take().expect("the pool is large enough");
            block.append(piece);
            incoming.push(block.share());
        }
        incoming.end(Ok(()), None);
        let mut request = request("POST", "/");
        request.set_body(ReceivedBody::new(incoming));
        request
    }

    #[test]
    fn a_body_is_whole_however_many_pieces_it_came_in_and_not_copied_if_it_was_one() {
        assert!(now(sent(&[]).whole_body()).unwrap().is_empty());
        let one = vec![1; 50_000];
        assert!(matches!(now(sent(&[&one]).whole_body()), Ok(Data::Chunk(chunk)) if *chunk == one[..]));
        let whole = now(Bytes::from_request(&mut sent(&[&one, &one, b"end"]))).unwrap();
        assert_eq!((whole.len(), &whole[100_000..]), (100_003, &b"end"[..]));
        assert_eq!(now(String::from_request(&mut sent(&[b"caf\xc3", b"\xa9"]))).unwrap(), "café");
    }

    #[test]
    fn a_body_that_is_too_long_or_no_text_is_refused() {
        let mut limited = sent(&[b"12345", &[b'6'; 50_000]]);
        limited.body().limit(5);
        let rejection = now(Bytes::from_request(&mut limited)).unwrap_err();
        assert_eq!(rejection.status(), Status::CONTENT_TOO_LARGE);
        assert!(rejection.detail().contains(" 5 bytes"), "{rejection}");
        let pieces = vec![&[0; 64 * 1024][..]; 32];
        assert_eq!(now(Bytes::from_request(&mut sent(&pieces))).unwrap().len(), 2 * 1024 * 1024);
        let pieces = [&pieces[..], &[b"1"]].concat();
        let rejection = now(Bytes::from_request(&mut sent(&pieces))).unwrap_err();
        assert_eq!(rejection.status(), Status::CONTENT_TOO_LARGE);
        let rejection = now(String::from_request(&mut sent(&[b"ab\xff"]))).unwrap_err();
        assert_eq!(
            (rejection.status(), rejection.detail()),
            (Status::BAD_REQUEST, "the body is not UTF-8 from byte 3 on")
        );
    }

    #[test]
    fn what_is_not_there_is_none_and_what_is_there_has_to_be_right() {
        struct Even(usize);
        impl FromRequest for Even {
            async fn from_request(request: &mut Request) -> Result<Even, Rejection> {
                let length = request.query().unwrap_or_default().len();
                if length.is_multiple_of(2) { Ok(Even(length)) } else { Err(Status::BAD_REQUEST.into()) }
            }
        }
        impl OptionalFromRequest for Even {
            fn is_there(request: &Request) -> bool {
                request.query().is_some()
            }
        }
        let of = |target: &str| now(<Option<Even>>::from_request(&mut request("GET", target)));
        assert!(matches!(of("/"), Ok(None)) && matches!(of("/?ab"), Ok(Some(Even(2)))) && of("/?a").is_err());
    }
}
