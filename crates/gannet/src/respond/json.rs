//! A value, as a response of JSON.

use std::cell::RefCell;

use gannet_core::{Body, Bytes, Fields, IntoResponse, Rejection, Response, Status};
use serde_core::Serialize;

use crate::extract::Json;

/// Memory to write into that a thread keeps; more is given back.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    /// Where responses are written before their length is known.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        // Taken: a value that is written may write another as it goes.
        let mut text = SCRATCH.take();
        let written = serde_json::to_writer(&mut text, &self.0);
        let body = Bytes::copy_from_slice(&text);
        if text.capacity() <= SCRATCH_BYTES {
            text.clear();
            SCRATCH.set(text);
        }
        match written {
            Ok(()) => Response::new(Status::OK)
                .with_fields(Fields::with_prepared(Bytes::from_static(b"Content-Type: application/json\r\n")))
                .with_body(Body::Bytes(body)),
            Err(error) => unwritten(&error),
        }
    }
}

#[cold]
fn unwritten(error: &serde_json::Error) -> Response {
    tracing::error!("a response cannot be written as JSON: {error}");
    Rejection::new(Status::INTERNAL_SERVER_ERROR, "the response could not be written").into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_value_is_sent_as_json_and_one_that_cannot_be_is_a_500() {
        for _ in 0..2 {
            let response = Json(BTreeMap::from([("a", vec![1, 2]), ("é", vec![])])).into_response();
            assert_eq!(response.fields().get("content-type"), Some(&b"application/json"[..]));
            let Body::Bytes(body) = response.body() else { panic!("it is in memory") };
            assert_eq!(body, "{\"a\":[1,2],\"é\":[]}");
        }
        let unwritable = Json(BTreeMap::from([((1, 2), "a key is a text")])).into_response();
        assert_eq!(unwritable.status(), Status::INTERNAL_SERVER_ERROR);
    }
}
