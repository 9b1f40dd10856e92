//! What arguments of handlers say of themselves.

use gannet_core::{Bytes, Method, ReceivedBody, Rejection, Request, State, Version};
use schemars::JsonSchema;

use super::{DescribeArgument, Operation};
#[cfg(feature = "form")]
use crate::Form;
#[cfg(feature = "json")]
use crate::Json;
#[cfg(feature = "multipart")]
use crate::Multipart;
use crate::filters::{Nonce, RequestId, Timings};
use crate::{
    BodyStream, ClientAddr, Cookies, Extension, Header, Headers, Identity, Path, Query, Text, TlsInfo,
};

/// What says nothing of the request.
macro_rules! silent {
    ($(($($parameter:ident)*) $argument:ty;)+) => {$(
        impl<$($parameter)*> DescribeArgument for $argument {
            fn describe_argument(_: &mut Operation<'_>) {}
        }
    )+};
}

silent! {
    () ClientAddr;
    () Cookies;
    () Headers;
    () Identity;
    () Method;
    () Nonce;
    () Request;
    () RequestId;
    () Timings;
    () TlsInfo;
    () Version;
    (T) Extension<T>;
    (T) State<T>;
}

/// Who asks; that he has to say so is said by [`Api::security`](super::Api::security).
#[cfg(feature = "auth")]
impl DescribeArgument for crate::filters::User {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.problem(401);
    }
}

impl<T: JsonSchema> DescribeArgument for Path<T> {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.path::<T>();
        operation.problem(400);
    }
}

impl<T: JsonSchema> DescribeArgument for Query<T> {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.query::<T>();
        operation.problem(400);
    }
}

impl<T: JsonSchema> DescribeArgument for Header<T> {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.headers::<T>();
        operation.problem(400);
    }
}

#[cfg(feature = "json")]
impl<T: JsonSchema> DescribeArgument for Json<T> {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.body::<T>("application/json");
        read_body(operation);
        operation.problem(422);
    }
}

#[cfg(feature = "form")]
impl<T: JsonSchema> DescribeArgument for Form<T> {
    fn describe_argument(operation: &mut Operation<'_>) {
        if operation.has_content() {
            operation.body::<T>("application/x-www-form-urlencoded");
            read_body(operation);
            operation.problem(422);
        } else {
            // A form that is sent by GET is the query.
            operation.query::<T>();
            operation.problem(400);
        }
    }
}

#[cfg(feature = "multipart")]
impl DescribeArgument for Multipart {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.opaque_body("multipart/form-data");
        read_body(operation);
    }
}

macro_rules! text {
    ($($text:ty),+) => {$(
        impl DescribeArgument for $text {
            fn describe_argument(operation: &mut Operation<'_>) {
                operation.body::<String>("text/plain");
                read_body(operation);
            }
        }
    )+};
}
text!(String, Text);

/// They may be empty, and of any type.
macro_rules! bytes {
    ($($bytes:ty),+) => {$(
        impl DescribeArgument for $bytes {
            fn describe_argument(operation: &mut Operation<'_>) {
                operation.opaque_body("application/octet-stream");
                operation.problem(400);
                operation.problem(413);
            }
        }
    )+};
}
bytes!(BodyStream, Bytes, ReceivedBody);

/// What is answered where a body is cut short, too large or of another kind.
fn read_body(operation: &mut Operation<'_>) {
    for status in [400, 413, 415] {
        operation.problem(status);
    }
}

/// The handler decides what becomes of what is missing.
impl<T: DescribeArgument> DescribeArgument for Result<T, Rejection> {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.optional(T::describe_argument);
    }
}

impl<T: DescribeArgument> DescribeArgument for Option<T> {
    fn describe_argument(operation: &mut Operation<'_>) {
        operation.optional(T::describe_argument);
    }
}
