//! Filters: what sees requests before handlers do, and responses after.
//!
//! They are put before an application, or a group of routes, by [`App::with`](crate::App::with). The first one is outermost. Each is the same over
//! HTTP/1.1 and HTTP/2, in clear text and over TLS, and sees what is refused, too: 404, 405 and what OPTIONS is answered. `docs/filters.md` shows how
//! they go together.

/// The examples of the document.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/filters.md")]
struct Document;

#[cfg(feature = "auth")]
pub use gannet_features::auth::User;
#[cfg(feature = "auth")]
pub use gannet_features::auth::basic::{BasicAuth, InvalidPasswordHash, hash_password, verify_password};
#[cfg(feature = "auth")]
pub use gannet_features::auth::bearer::{Bearer, InvalidKey, Jwt, TokenClaims, VerifyingKey};
pub use gannet_features::body_limit::BodyLimit;
#[cfg(feature = "compression")]
pub use gannet_features::compression::Compression;
pub use gannet_features::cors::Cors;
#[cfg(feature = "compression")]
pub use gannet_features::decompression::Decompression;
pub use gannet_features::error_pages::{ErrorPages, Failure};
pub use gannet_features::hsts::Hsts;
pub use gannet_features::rate_limit::{Allowance, IntoRate, InvalidRate, Key, Rate, RateLimit, limit};
pub use gannet_features::request_id::{Believed, RequestId, RequestIds};
pub use gannet_features::request_log::{LogField, RequestLog};
pub use gannet_features::security_headers::{ContentSecurityPolicy, Nonce, SecurityHeaders};
pub use gannet_features::timeout::Timeout;
pub use gannet_features::timing::{Part, ServerTiming, Timings};
pub use gannet_features::transform::Transform;
