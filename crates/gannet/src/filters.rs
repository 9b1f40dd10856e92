//! Filters: what sees a request before its handler, and the response after it. Each is put on an application or on a group with `with`.

pub use gannet_features::rate_limit::{Allowance, IntoRate, InvalidRate, Key, Rate, RateLimit, limit};
