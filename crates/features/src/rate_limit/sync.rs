//! The primitives of the table. The model in `tests/limit_model.rs` compiles it against loom's instead.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};
