//! What is seen of the server from outside: counters, the access log, and the admin listener that tells.
//!
//! | file | what it is |
//! |---|---|
//! | `account` | the account of an exchange: the one place where it is counted and logged, when it is over |
//! | `tally`, `counters`, `histogram`, `limit` | what a worker counts, without a lock or an atomic addition |
//! | `record`, `ring` | what is logged, on its way from the worker |
//! | `writer`, `line`, `escape` | the thread that writes the access log, and its formats |
//! | `overview`, `families`, `exposition`, `process` | all workers' counters added up, as metrics |
//! | `admin` | the site of the admin listener |
//!
//! A worker pays for this with some plain additions for each request and, where there is an access log, two copies of some hundred
//! bytes. It never waits for whoever reads.

mod account;
mod admin;
mod counters;
mod escape;
mod exposition;
mod families;
mod histogram;
mod limit;
mod line;
mod overview;
mod process;
mod record;
mod ring;
mod tally;
mod writer;

pub(crate) use account::SetAside;
pub(crate) use account::{Accounts, NO_ROUTE, Observer};
pub(crate) use admin::site as admin_site;
pub(crate) use counters::ConnectionState;
pub use counters::WorkerCounters;
pub(crate) use limit::Limit;
pub use line::LogFormat;
pub(crate) use overview::{Condition, Overview};
pub(crate) use ring::{Bell, Scribe};
pub(crate) use writer::LogWriter;
pub use writer::{AccessLog, LogDestination};
