//! What handlers return besides what [`core`](gannet_core::IntoResponse) knows, one file each.

#[cfg(feature = "json")]
mod json;
