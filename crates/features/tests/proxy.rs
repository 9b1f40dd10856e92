//! The proxy, with upstreams and a clock of the tests' own.

mod proxy {
    pub mod world;

    mod balancing;
    mod failures;
    mod forwarded;
    mod hops;
    mod requests;
}
