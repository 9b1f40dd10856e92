//! The instruction ratchet: no scenario takes more instructions per request than its row says.

use super::{Context, Outcome};
use crate::instructions::{self, Verdict};

/// Counts, where the rows bind.
pub fn run(context: &Context) -> Outcome {
    match instructions::check(&context.root) {
        Ok(Verdict::Holds(seen)) => Outcome::Ran(seen),
        Ok(Verdict::LeftOut(why)) => Outcome::LeftOut(why),
        Err(why) => Outcome::Failed(why),
    }
}
