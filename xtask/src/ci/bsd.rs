//! The engine, type-checked for the systems that this is not: see `check_bsd`.

use super::{Context, Outcome};
use crate::check_bsd::{self, Unchecked};

/// Checks it, in the folder that `cargo xtask check-bsd` uses.
pub fn run(context: &Context) -> Outcome {
    match check_bsd::check(&context.root, &check_bsd::default_folder(&context.target)) {
        Ok(seen) => Outcome::Ran(seen),
        Err(Unchecked::Lacking(what)) => Outcome::LeftOut(what),
        Err(Unchecked::Failed(what)) => Outcome::Failed(what),
    }
}
