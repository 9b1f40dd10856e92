//! `embed!` of a folder that is not there: its path begins in the package, where `Cargo.toml` is.

use gannet::Embedded;
use gannet::prelude::*;

static SITE: Embedded = gannet::embed!("pubilc");

fn main() {
    let _ = App::new().files("/", SITE);
}
