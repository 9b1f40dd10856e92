//! The proxy, with upstreams and a clock of the tests' own.

#[path = "proxy/world.rs"]
mod world;

#[path = "proxy/requests.rs"]
mod requests;

#[path = "proxy/failures.rs"]
mod failures;
