//! The vocabulary of HTTP (RFC 9110) that all its versions share.

mod head;
mod method;
mod status;

pub use head::{BodyLength, Field, Head, Span, TargetForm, Version};
pub use method::Method;
pub use status::Status;
