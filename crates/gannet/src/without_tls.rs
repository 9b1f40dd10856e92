//! Without the feature `tls`: an application that speaks it cannot be written.

use std::convert::Infallible;

use gannet_link::ServerTls;

/// How an application speaks TLS: not at all.
pub(crate) struct Tls(Infallible);

impl Tls {
    pub(crate) fn build(self, _http1_only: bool) -> Result<ServerTls, Infallible> {
        match self.0 {}
    }
}
