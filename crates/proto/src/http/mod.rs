//! The vocabulary of HTTP (RFC 9110) that all its versions share.

mod head;
mod hop;
mod method;
mod priority;
mod response_head;
mod status;

use head::field_values;
pub use head::{BodyLength, Field, Head, Span, TargetForm, Version};
pub(crate) use hop::members;
pub use hop::{connection_options, is_hop_by_hop};
pub use method::Method;
pub use priority::Priority;
pub use response_head::{ResponseBody, ResponseHead};
pub use status::Status;
