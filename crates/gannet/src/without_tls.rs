//! Without the feature `tls`: an application that speaks it cannot be written, and an upstream that does is a mistake.

use std::convert::Infallible;
use std::path::PathBuf;

use gannet_core::UpstreamTls;
use gannet_link::ServerTls;

/// How an application speaks TLS: not at all.
pub(crate) struct Tls(Infallible);

impl Tls {
    pub(crate) fn build(self, _http1_only: bool) -> Result<ServerTls, Infallible> {
        match self.0 {}
    }
}

/// How an upstream of this name is spoken to over TLS: it cannot be.
pub(crate) fn to_upstreams(_authorities: Option<PathBuf>) -> impl Fn(&str) -> Result<UpstreamTls, String> {
    |name| Err(format!("{name} is to be spoken to over TLS; build with the feature `tls` of `gannet`"))
}
