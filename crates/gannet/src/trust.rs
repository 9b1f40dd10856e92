//! Who is trusted.

use gannet_core::{InvalidNetwork, Networks};

/// What can be made into [`Networks`]: their text (`10.0.0.0/8, loopback`), or `Networks` themselves.
pub trait IntoNetworks {
    /// Makes it so.
    ///
    /// # Errors
    /// When the text is no list of networks.
    fn into_networks(self) -> Result<Networks, InvalidNetwork>;
}

impl IntoNetworks for Networks {
    fn into_networks(self) -> Result<Networks, InvalidNetwork> {
        Ok(self)
    }
}

impl IntoNetworks for &str {
    fn into_networks(self) -> Result<Networks, InvalidNetwork> {
        self.parse()
    }
}
