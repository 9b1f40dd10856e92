//! What is wrong with a set of patterns, as values: which patterns, where, and the way out.

use alloc::string::String;
use core::fmt;

use crate::PARAMETERS;

/// One thing that is wrong. All of a set come at once, from [`Builder::build`](crate::Builder::build).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// The pattern, as it was written.
    pub pattern: String,
    /// Which call of [`Builder::insert`](crate::Builder::insert) had it, counted from 0.
    pub position: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What may be wrong with a pattern. `at` is an offset into it, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// It does not begin with a slash.
    NoSlash,
    /// A star that is not the begin of the last segment.
    Star {
        /// Where the star is.
        at: usize,
    },
    /// A parameter that is only a part of its segment.
    PartOfSegment {
        /// Where it begins.
        at: usize,
    },
    /// A brace without its partner.
    Brace {
        /// Where the brace is.
        at: usize,
    },
    /// A parameter without a name.
    NoName {
        /// Where its segment begins.
        at: usize,
    },
    /// A name of other characters than letters, digits, `_` and `-`.
    Name {
        /// Where its segment begins.
        at: usize,
        /// The name.
        name: String,
    },
    /// Two parameters of one name.
    NameTwice {
        /// Where the second's segment begins.
        at: usize,
        /// The name.
        name: String,
    },
    /// More than [`PARAMETERS`] parameters.
    TooManyParameters {
        /// How many.
        count: usize,
    },
    /// A character that is in no path as a client sends it (RFC 3986, 3.3), so that the pattern would never match.
    Unmatchable {
        /// Where it is.
        at: usize,
        /// The character.
        character: char,
    },
    /// The same pattern was there before.
    Twice {
        /// Which call of `insert` had it first.
        first: usize,
    },
    /// Another pattern was there that matches the same paths, with other names for its parameters.
    SameShape {
        /// The other pattern, as it was written.
        other: String,
        /// Which call of `insert` had it.
        first: usize,
    },
}

impl Problem {
    /// The same, in a text that has `by` bytes before this one.
    pub(crate) fn moved(mut self, by: usize) -> Problem {
        use Problem::{Brace, Name, NameTwice, NoName, PartOfSegment, Star, Unmatchable};
        match &mut self {
            Star { at } | PartOfSegment { at } | Brace { at } | NoName { at } => *at += by,
            Name { at, .. } | NameTwice { at, .. } | Unmatchable { at, .. } => *at += by,
            Problem::NoSlash
            | Problem::TooManyParameters { .. }
            | Problem::Twice { .. }
            | Problem::SameShape { .. } => {}
        }
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pattern {:?} {}", self.pattern, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoSlash => f.write_str("does not begin with a slash: put one in front"),
            Problem::Star { at } => {
                write!(
                    f,
                    "has a star at {at}: a star begins the last segment, as in \"/api/*\" or \"/api/*rest\""
                )
            }
            Problem::PartOfSegment { at } => write!(
                f,
                "has a parameter at {at} that is part of a segment: make it the whole segment, as in \"/files/:name\", \
                 and look at the value in the handler; for the character itself write it twice"
            ),
            Problem::Brace { at } => {
                write!(
                    f,
                    "has a brace without its partner at {at}: write \"{{name}}\", or the brace twice for itself"
                )
            }
            Problem::NoName { at } => {
                write!(f, "has a parameter without a name at {at}: give it one, as in \"/:id\"")
            }
            Problem::Name { at, name } => write!(
                f,
                "has a parameter called {name:?} at {at}: a parameter is a whole segment, and its name is of letters, \
                 digits, \"_\" and \"-\""
            ),
            Problem::NameTwice { at, name } => {
                write!(f, "has a second parameter called {name:?} at {at}: give one of them another name")
            }
            Problem::TooManyParameters { count } => {
                write!(
                    f,
                    "has {count} parameters and may have {PARAMETERS}: end it with \"*rest\" and split that"
                )
            }
            Problem::Unmatchable { at, character } => {
                write!(f, "has {character:?} at {at}, which no path has")?;
                match character {
                    '?' | '#' => {
                        f.write_str(": leave it away with what follows, the query is no part of the path")
                    }
                    _ => f.write_str(": write it percent-encoded, as clients send it"),
                }
            }
            Problem::Twice { .. } => f.write_str("is there twice: leave one of them away"),
            Problem::SameShape { other, .. } => write!(
                f,
                "matches the same paths as {other:?}: give their parameters the same names, or leave one of them away"
            ),
        }
    }
}

impl core::error::Error for Mistake {}
