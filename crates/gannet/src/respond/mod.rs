//! What handlers return besides what [`core`](gannet_core::IntoResponse) knows, one file each.

mod attachment;
mod failure;
#[cfg(feature = "files")]
mod file;
#[cfg(feature = "json")]
mod json;
mod redirect;
mod set_cookie;
mod small;
mod stream;

pub use attachment::Attachment;
pub use failure::Failure;
#[cfg(feature = "files")]
pub use file::FileResponse;
pub use redirect::Redirect;
pub use set_cookie::{SameSite, SetCookie};
pub use small::{Created, Html, NoContent};
pub use stream::StreamBody;
