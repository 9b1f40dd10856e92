//! Who asks: names and passwords ([`basic`]), tokens ([`bearer`]).

pub mod basic;
pub mod bearer;
mod challenge;
mod user;

pub use user::User;
