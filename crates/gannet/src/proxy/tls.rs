//! Upstreams that are spoken to over TLS.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::sync::Arc;

use gannet_core::UpstreamTls;
use gannet_link::{ClientOptions, ClientTls, Roots};

/// How upstreams are spoken to over TLS: certificates lead to a root in this file, or to one that the system trusts. The roots are read when
/// the first upstream asks.
pub(super) fn to_upstreams(authorities: Option<PathBuf>) -> impl Fn(&str) -> Result<UpstreamTls, String> {
    let roots = authorities.map_or(Roots::System, Roots::File);
    let client = OnceCell::new();
    move |name| {
        let made = client.get_or_init(|| {
            ClientTls::new(&ClientOptions { roots: roots.clone() }).map_err(|error| error.to_string())
        });
        let settings = Arc::new(made.clone()?);
        if ClientTls::is_server_name(name) {
            Ok(UpstreamTls { server_name: name.into(), settings })
        } else {
            Err(format!("{name} is no name that a certificate can have"))
        }
    }
}
