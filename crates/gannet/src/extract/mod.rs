//! Extractors: what handlers take out of a request, one file each.

mod body_stream;
#[cfg(feature = "auth")]
mod claims;
mod connection;
mod cookies;
mod extension;
mod fault;
#[cfg(feature = "form")]
mod form;
mod header;
#[cfg(feature = "json")]
pub(crate) mod json;
mod media_type;
#[cfg(feature = "multipart")]
mod multipart;
#[cfg(feature = "json")]
mod objects;
mod pairs;
mod path;
mod plain_text;
mod query;
#[cfg(feature = "cookies")]
mod sealed_cookies;
mod shape;
mod text;
mod values;
mod wording;

pub use body_stream::BodyStream;
#[cfg(feature = "auth")]
pub use claims::Claims;
pub use connection::{ClientAddr, Identity, TlsInfo};
pub use cookies::Cookies;
pub(crate) use cookies::is_token;
pub use extension::Extension;
#[cfg(feature = "form")]
pub use form::Form;
pub use header::{Header, Headers};
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "multipart")]
pub use multipart::{Multipart, MultipartLimits, Part};
pub use path::Path;
pub use plain_text::Text;
pub use query::Query;
#[cfg(feature = "cookies")]
pub use sealed_cookies::{InvalidKey, Key, PrivateCookies, SignedCookies};
