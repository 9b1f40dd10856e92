//! Extractors: what handlers take out of a request, one file each.

mod fault;
#[cfg(feature = "form")]
mod form;
#[cfg(feature = "json")]
mod json;
mod media_type;
mod pairs;
mod path;
mod query;
mod shape;
mod text;
mod values;

#[cfg(feature = "form")]
pub use form::Form;
#[cfg(feature = "json")]
pub use json::Json;
pub use path::Path;
pub use query::Query;
