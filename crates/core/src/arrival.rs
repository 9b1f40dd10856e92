//! How requests arrive: what all that come by one connection have in common.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::Tls;

/// The connection that a request came by, as far as the request tells it.
#[derive(Clone, Default, Debug)]
pub struct Arrival {
    /// Who is at its other end; `None` at a Unix socket's.
    pub peer: Option<SocketAddr>,
    /// Our own address, if it has one and that is known.
    pub server: Option<SocketAddr>,
    /// Its TLS; `None` in clear text.
    pub tls: Option<Rc<Tls>>,
}
