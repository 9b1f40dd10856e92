//! Extractors: what handlers take out of a request, one file each.

mod fault;
mod pairs;
mod text;
mod values;
