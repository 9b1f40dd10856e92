//! What results of handlers say of themselves.

use std::borrow::Cow;
use std::convert::Infallible;

use gannet_core::{
    Body, BodyError, Bytes, CpuError, Fields, ReceivedBody, Rejection, Response, ResponsePart, Status,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{DescribeResponse, Operation};
#[cfg(feature = "files")]
use crate::FileResponse;
use crate::{Attachment, Created, Failure, Html, NoContent, Redirect, StreamBody, Text};

/// What went wrong, as a [`Rejection`] tells it (RFC 9457).
pub(super) struct ProblemDetails;

impl JsonSchema for ProblemDetails {
    fn schema_name() -> Cow<'static, str> {
        "ProblemDetails".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What went wrong (RFC 9457).",
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": { "type": "string", "description": "The kind of problem, as a URI." },
                "title": { "type": "string", "description": "The kind of problem, in words." },
                "status": { "type": "integer", "description": "The status of the response." },
                "detail": { "type": "string", "description": "What went wrong this time." },
                "errors": {
                    "description": "What is wrong where.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["detail"],
                        "properties": {
                            "detail": { "type": "string", "description": "What is wrong." },
                            "pointer": { "type": "string", "description": "A place in a body of JSON: the fragment of a JSON Pointer (RFC 6901)." },
                            "parameter": { "type": "string", "description": "A parameter of the path or the query." },
                            "field": { "type": "string", "description": "A field of the head or of a form." },
                        },
                    },
                },
            },
        })
    }
}

impl DescribeResponse for () {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.plain_response(204);
    }
}

impl DescribeResponse for NoContent {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.plain_response(204);
    }
}

/// What no type says anything of; [`Api`](super::Api) may.
macro_rules! silent {
    ($($response:ty),+) => {$(
        impl DescribeResponse for $response {
            fn describe_response(_: &mut Operation<'_>) {}
        }
    )+};
}
silent!(Body, Fields, Infallible, ReceivedBody, Redirect, Response, Status);

macro_rules! text {
    ($($text:ty),+) => {$(
        impl DescribeResponse for $text {
            fn describe_response(operation: &mut Operation<'_>) {
                operation.response::<String>(200, "text/plain");
            }
        }
    )+};
}
text!(&'static str, Box<str>, Cow<'static, str>, String, Text, char);

impl<T> DescribeResponse for Html<T> {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.response::<String>(200, "text/html");
    }
}

macro_rules! bytes {
    ($($bytes:ty),+) => {$(
        impl DescribeResponse for $bytes {
            fn describe_response(operation: &mut Operation<'_>) {
                operation.opaque_response(200, "application/octet-stream");
            }
        }
    )+};
}
bytes!(&'static [u8], Bytes, Vec<u8>);

/// Of any type.
macro_rules! opaque {
    ($($response:ty),+) => {$(
        impl DescribeResponse for $response {
            fn describe_response(operation: &mut Operation<'_>) {
                operation.opaque_response(200, "*/*");
            }
        }
    )+};
}
opaque!(Attachment, StreamBody);
#[cfg(feature = "files")]
opaque!(FileResponse);

#[cfg(feature = "json")]
impl<T: JsonSchema> DescribeResponse for crate::Json<T> {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.response::<T>(200, "application/json");
    }
}

impl<R: DescribeResponse> DescribeResponse for Created<R> {
    fn describe_response(operation: &mut Operation<'_>) {
        R::describe_response(operation);
        operation.set_status(201);
    }
}

/// Anything that a handler fails with may become a response; those of the library are problem details.
macro_rules! problems {
    ($($error:ty),+) => {$(
        impl DescribeResponse for $error {
            fn describe_response(operation: &mut Operation<'_>) {
                operation.other_problems();
            }
        }
    )+};
}
problems!(BodyError, CpuError, Failure, Rejection);

#[cfg(feature = "templates")]
impl DescribeResponse for crate::templates::TemplateError {
    fn describe_response(operation: &mut Operation<'_>) {
        operation.opaque_response(500, "text/plain");
    }
}

/// What parts of a head do, the status among them, no type says; [`Api::status`](super::Api::status) does.
macro_rules! parts {
    ($(($($part:ident)+);)+) => {$(
        impl<$($part: ResponsePart,)+ R: DescribeResponse> DescribeResponse for ($($part,)+ R) {
            fn describe_response(operation: &mut Operation<'_>) {
                R::describe_response(operation);
            }
        }
    )+};
}

parts! {
    (A);
    (A B);
    (A B C);
    (A B C D);
    (A B C D E);
}

/// What is not there is not found.
impl<R: DescribeResponse> DescribeResponse for Option<R> {
    fn describe_response(operation: &mut Operation<'_>) {
        R::describe_response(operation);
        operation.problem(404);
    }
}

impl<T: DescribeResponse, E: DescribeResponse> DescribeResponse for Result<T, E> {
    fn describe_response(operation: &mut Operation<'_>) {
        T::describe_response(operation);
        E::describe_response(operation);
    }
}
