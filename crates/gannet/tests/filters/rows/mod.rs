//! The table: a row for each filter, a file for those that belong together.

mod bodies;
mod browsers;
mod codings;
mod guards;
mod requests;

use crate::case::Row;

pub fn all() -> Vec<Row> {
    [bodies::rows(), browsers::rows(), codings::rows(), guards::rows(), requests::rows()]
        .into_iter()
        .flatten()
        .collect()
}
