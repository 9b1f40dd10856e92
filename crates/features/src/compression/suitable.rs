//! Which responses may be compressed, and which would be if the client took it.

use gannet_core::{Body, Response, Status};

use crate::coding::is_compressible;

/// What a response is to a compressor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Suitable {
    /// To be sent as it is, whatever the client takes.
    No,
    /// It has no content, and speaks of one that may have been compressed (RFC 9110, 15.4.5).
    NotModified,
    /// To be compressed for who takes it.
    Yes,
}

/// Fields that say something of the very bytes of a content (RFC 9530; RFC 3230): other bytes would belie them.
const DIGESTS: [&str; 4] = ["content-digest", "repr-digest", "digest", "content-md5"];

impl Suitable {
    /// What `response` is. Contents of fewer than `least` bytes are not worth it.
    pub(super) fn of(response: &Response, least: u64) -> Suitable {
        let fields = response.fields();
        let has = |name: &str| fields.get(name).is_some();
        let may_be_changed = !has("content-encoding")
            && !fields.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("cache-control") && has_member(value, b"no-transform")
            });
        if !may_be_changed {
            return Suitable::No;
        }
        if response.status() == Status::NOT_MODIFIED {
            return Suitable::NotModified;
        }
        let is_whole = !matches!(response.status().code(), 100..200 | 204..=206) && !has("content-range");
        let is_stream = matches!(response.body(), Body::Bytes(_) | Body::Stream(_) | Body::Received(..));
        let is_large = response.body().length().is_none_or(|length| length >= least);
        let media_type = fields.get("content-type").and_then(|value| std::str::from_utf8(value).ok());
        let is_text = media_type.is_some_and(|media_type| is_compressible(&media_type.to_ascii_lowercase()));
        let fits = is_whole && is_stream && is_large && is_text && !DIGESTS.into_iter().any(has);
        if fits { Suitable::Yes } else { Suitable::No }
    }
}

/// Whether a list has a member (RFC 9110, 5.6.1).
pub(super) fn has_member(list: &[u8], member: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|other| other.trim_ascii().eq_ignore_ascii_case(member))
}

#[cfg(test)]
mod tests {
    use gannet_core::{Bytes, IntoResponse};

    use super::*;

    fn of(response: impl IntoResponse) -> Suitable {
        Suitable::of(&response.into_response(), 256)
    }

    fn large() -> Response {
        "a".repeat(256).into_response()
    }

    #[test]
    fn text_that_is_whole_and_large_enough_is_compressed() {
        assert_eq!(of(large()), Suitable::Yes);
        assert_eq!(of(large().with_status(Status::NOT_FOUND)), Suitable::Yes);
        assert_eq!(of("a".repeat(255).into_response()), Suitable::No);
        for (media_type, suitable) in [
            ("text/event-stream", Suitable::Yes),
            ("Application/JSON; charset=utf-8", Suitable::Yes),
            ("application/problem+json", Suitable::Yes),
            ("image/svg+xml", Suitable::Yes),
            ("image/png", Suitable::No),
            ("application/octet-stream", Suitable::No),
            ("application/gzip", Suitable::No),
            ("nonsense", Suitable::No),
        ] {
            let response = Response::new(Status::OK).with("Content-Type", media_type);
            assert_eq!(
                of(response.with_body(Body::Bytes(Bytes::from(vec![b'a'; 256])))),
                suitable,
                "{media_type}"
            );
        }
        let untyped = Response::new(Status::OK).with_body(Body::Bytes(Bytes::from(vec![b'a'; 256])));
        assert_eq!(of(untyped), Suitable::No);
    }

    #[test]
    fn what_is_coded_is_a_part_has_a_digest_or_is_not_to_be_changed_stays_as_it_is() {
        for (name, value) in [
            ("Content-Encoding", "gzip"),
            ("Content-Encoding", "identity"),
            ("Cache-Control", "public, No-Transform"),
            ("Content-Range", "bytes 0-255/1000"),
            ("Repr-Digest", "sha-256=:AA==:"),
        ] {
            assert_eq!(of(large().with(name, value)), Suitable::No, "{name}");
        }
        for code in [204, 205, 206] {
            assert_eq!(of(large().with_status(Status::new(code).expect("a status"))), Suitable::No, "{code}");
        }
        assert_eq!(of(large().with("Cache-Control", "no-transformation")), Suitable::Yes);
    }

    #[test]
    fn what_was_not_modified_may_have_been_compressed() {
        assert_eq!(of(Status::NOT_MODIFIED.into_response()), Suitable::NotModified);
        let coded = Status::NOT_MODIFIED.into_response().with("Content-Encoding", "br");
        assert_eq!(of(coded), Suitable::No);
    }
}
