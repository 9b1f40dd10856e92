//! Patterns to values, by specificity and never by order. Knows no HTTP.
//!
//! # Patterns
//! A pattern begins with a slash. Its segments, what stands between slashes, are of three kinds:
//!
//! | kind | written | matches |
//! |---|---|---|
//! | static | `about` | the same bytes |
//! | parameter | `:id` or `{id}`, which mean the same | one segment that is not empty |
//! | wildcard | `*`, or with a name `*rest` or `{*rest}`; only as the last segment | everything from there on: one segment or more, the first of which may be empty |
//!
//! So `/api/*` matches `/api/` and all below it, but not `/api`; `/` matches only itself. A parameter is a whole segment. A colon or a
//! brace that stands for itself is written twice (`/items::search`). Paths are compared as they are given, byte by byte: what is percent-encoded
//! in one and not in the other is not the same.
//!
//! # Which one
//! Let the kinds be ordered: static before parameter before wildcard. Of two patterns that match a path, the *more specific* is the one
//! whose kind comes first at the first segment where their kinds differ. Two different patterns that match one path differ
//! in the kind of some segment (where both are static, both are the path's own bytes), unless they have the same *shape*: the same
//! segments but for the names. Those are a conflict. So the patterns that match a path are always in a strict order, and it does not matter
//! in which order they were added. In particular an exact path comes before everything, and of two prefixes the longer one first.
//!
//! [`Router::matches`] gives all matching patterns in that order, each when it is asked for.
//!
//! # How fast
//! Patterns without parameter and wildcard are in a perfect hash: one hash, one compare, whatever path is asked for. The others
//! are in a compressed radix trie. A walk through it enters each node at most once and remembers nothing but where it is; so no path, however hostile, can make
//! it longer than the trie is large. Nothing is allocated by a look-up.
//!
//! Nanoseconds for a look-up in the 130 patterns of GitHub's API, `matchit` 0.9 beside it, medians of one run of
//! `cargo bench -p gannet-router` on a busy virtual machine of two cores (so read the ratios, which other runs had between 0.7 and 0.8 for all 130):
//!
//! | paths | here | `matchit` | ratio |
//! |---|---:|---:|---:|
//! | all 130 | 28.0 | 36.2 | 0.77 |
//! | 27 exact ones | 12.1 | 23.2 | 0.52 |
//! | 103 with parameters | 35.8 | 44.1 | 0.81 |

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod builder;
mod hosts;
mod mistake;
mod pattern;
mod perfect;
mod router;
mod trie;
mod word;

pub use builder::Builder;
pub use hosts::{HOST_BYTES, HostMistake, HostProblem, Hosts, HostsBuilder};
pub use mistake::{Mistake, Problem};
pub use pattern::{PARAMETERS, Parameter, uri_template};
pub use router::{Match, Matches, Route, Router};

/// An offset or a number as it is stored.
fn index(value: usize) -> u32 {
    u32::try_from(value).expect("a site has less than four gigabytes of patterns")
}
