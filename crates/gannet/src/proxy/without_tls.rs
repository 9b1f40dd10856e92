//! Without the feature `tls`: an upstream that is spoken to over it is a mistake.

use std::path::PathBuf;

use gannet_core::UpstreamTls;

/// How an upstream of this name is spoken to over TLS: it cannot be.
pub(super) fn to_upstreams(_authorities: Option<PathBuf>) -> impl Fn(&str) -> Result<UpstreamTls, String> {
    |name| Err(format!("{name} is to be spoken to over TLS; build with the feature `tls` of `gannet`"))
}
