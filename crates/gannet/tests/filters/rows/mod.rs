//! The table: a row for each filter, a file for those that belong together.

mod bodies;
mod browsers;
mod requests;

use crate::case::Row;

pub fn all() -> Vec<Row> {
    [bodies::rows(), browsers::rows(), requests::rows()].into_iter().flatten().collect()
}
