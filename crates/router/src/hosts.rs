//! Host names to values, by specificity and never by order.
//!
//! A pattern is a name (`example.com`, `127.0.0.1`, `[::1]`) or a wildcard (`*.example.com`: one label or more, and
//! then the rest). The name itself comes before every wildcard, and of the wildcards that match the longest one counts. What nothing
//! matches gets the default, if there is one.
//!
//! Names are compared without case (RFC 4343), and without the dot that may end them (RFC 1034, 3.1). Otherwise they are compared as they are given: a name
//! of other letters than ASCII is written as clients send it (`xn--bcher-kva.example`), an IPv6 address as it is sent. What
//! [`Hosts::find`] is asked for may have a port (RFC 9110, 7.2), which does not count; a pattern has none.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

use crate::index;
use crate::perfect::{SEEDS, Table};

/// The longest name there can be (RFC 1035, 3.1: 255 bytes in a message, 253 as text). A longer one is nobody's: it gets the default, and is not
/// looked for. This bounds the search for a wildcard.
pub const HOST_BYTES: usize = 253;

/// Values by host. A [`HostsBuilder`] makes it.
#[derive(Clone, Debug)]
pub struct Hosts<T> {
    values: Vec<T>,
    exact: Names,
    /// Without their star and its dot.
    wildcards: Names,
    default: Option<T>,
}

/// Host patterns and values on their way to [`Hosts`].
#[derive(Clone, Debug)]
pub struct HostsBuilder<T> {
    values: Vec<T>,
    exact: BTreeMap<String, Added>,
    wildcards: BTreeMap<String, Added>,
    default: Option<T>,
    insertions: usize,
    mistakes: Vec<HostMistake>,
}

/// One thing that is wrong with a set of host patterns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostMistake {
    /// The pattern, as it was written.
    pub pattern: String,
    /// Which call of [`HostsBuilder::insert`] had it, counted from 0.
    pub position: usize,
    /// What is wrong with it.
    pub problem: HostProblem,
}

/// What may be wrong with a host pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostProblem {
    /// Nothing is written, or nothing between two dots.
    Empty,
    /// More than [`HOST_BYTES`].
    TooLong,
    /// A star that is not the whole first label, or has nothing behind it.
    Star,
    /// A port.
    Port,
    /// No IPv6 address within the brackets.
    Literal,
    /// A character that no host has.
    Unmatchable(char),
    /// The same pattern was there before.
    Twice {
        /// Which call of `insert` had it first.
        first: usize,
    },
}

#[derive(Clone, Copy, Debug)]
struct Added {
    /// The number of the value.
    value: u32,
    position: usize,
}

/// A set of names.
#[derive(Clone, Debug)]
enum Names {
    Hashed(Box<Table<true>>),
    /// There is no perfect hash for them.
    Listed(BTreeMap<String, Added>),
}

impl<T> Hosts<T> {
    /// The value for `authority`: a host, with a port or without.
    #[inline(always)]
    pub fn find(&self, authority: &str) -> Option<&T> {
        let named = if self.has_patterns() { self.named(host(authority)) } else { None };
        named.or(self.default.as_ref())
    }

    /// Whether there is any pattern. Most sites have none: then the default is what [`find`](Hosts::find) gives for every authority, and
    /// nobody needs to know it.
    #[inline]
    pub fn has_patterns(&self) -> bool {
        !self.values.is_empty()
    }

    /// The value of what no pattern matches.
    pub fn default(&self) -> Option<&T> {
        self.default.as_ref()
    }

    fn named(&self, host: &str) -> Option<&T> {
        if host.len() > HOST_BYTES {
            return None;
        }
        let number = self.exact.find(host).or_else(|| self.below(host))?;
        self.values.get(number as usize)
    }

    /// The wildcard that matches, the longest one first.
    fn below(&self, host: &str) -> Option<u32> {
        let mut dots = host.match_indices('.').map(|(dot, _)| dot).filter(|dot| *dot > 0);
        dots.find_map(|dot| self.wildcards.find(&host[dot + 1..]))
    }
}

impl Names {
    fn new(names: BTreeMap<String, Added>, seeds: u64) -> Names {
        let table = Table::new(names.iter().map(|(name, added)| (name.as_str(), added.value)), seeds);
        table.map_or(Names::Listed(names), |table| Names::Hashed(Box::new(table)))
    }

    fn find(&self, name: &str) -> Option<u32> {
        match self {
            Names::Hashed(table) => table.find(name),
            Names::Listed(names) => {
                let mut names = names.iter();
                names.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, added)| added.value)
            }
        }
    }
}

/// Without the port, and without the dot at the end.
fn host(authority: &str) -> &str {
    let is_literal = authority.starts_with('[');
    let end = if is_literal { authority.find(']').map(|at| at + 1) } else { authority.find(':') };
    let host = &authority[..end.unwrap_or(authority.len())];
    host.strip_suffix('.').unwrap_or(host)
}

impl<T> Default for HostsBuilder<T> {
    fn default() -> HostsBuilder<T> {
        HostsBuilder {
            values: Vec::new(),
            exact: BTreeMap::new(),
            wildcards: BTreeMap::new(),
            default: None,
            insertions: 0,
            mistakes: Vec::new(),
        }
    }
}

impl<T> HostsBuilder<T> {
    /// No hosts yet, and no default.
    pub fn new() -> HostsBuilder<T> {
        HostsBuilder::default()
    }

    /// Adds a host pattern. What is wrong with it [`build`](HostsBuilder::build) says.
    pub fn insert(&mut self, pattern: &str, value: T) {
        let position = self.insertions;
        self.insertions += 1;
        if let Err(problem) = self.add(pattern, position, value) {
            self.mistakes.push(HostMistake { pattern: pattern.into(), position, problem });
        }
    }

    /// The value of what no pattern matches, in the place of the one that was given before.
    pub fn set_default(&mut self, value: T) {
        self.default = Some(value);
    }

    /// The hosts.
    ///
    /// # Errors
    /// Every mistake that was made, in the order in which they were.
    pub fn build(self) -> Result<Hosts<T>, Vec<HostMistake>> {
        self.build_with(SEEDS)
    }

    fn build_with(self, seeds: u64) -> Result<Hosts<T>, Vec<HostMistake>> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let (exact, wildcards) = (Names::new(self.exact, seeds), Names::new(self.wildcards, seeds));
        Ok(Hosts { values: self.values, exact, wildcards, default: self.default })
    }

    fn add(&mut self, pattern: &str, position: usize, value: T) -> Result<(), HostProblem> {
        let (name, names) = match pattern.strip_prefix("*.") {
            Some(name) => (name, &mut self.wildcards),
            None => (pattern, &mut self.exact),
        };
        add(names, name, Added { value: index(self.values.len()), position })?;
        self.values.push(value);
        Ok(())
    }
}

/// Adds a name, whatever its value is.
fn add(names: &mut BTreeMap<String, Added>, name: &str, added: Added) -> Result<(), HostProblem> {
    let name = name.strip_suffix('.').unwrap_or(name);
    check(name)?;
    let name = name.to_ascii_lowercase();
    if let Some(Added { position, .. }) = names.get(&name) {
        return Err(HostProblem::Twice { first: *position });
    }
    names.insert(name, added);
    Ok(())
}

fn check(name: &str) -> Result<(), HostProblem> {
    if name.len() > HOST_BYTES {
        return Err(HostProblem::TooLong);
    }
    if let Some(literal) = name.strip_prefix('[') {
        let (address, port) = literal.split_once(']').ok_or(HostProblem::Literal)?;
        address.parse::<Ipv6Addr>().map_err(|_| HostProblem::Literal)?;
        return if port.is_empty() { Ok(()) } else { Err(HostProblem::Port) };
    }
    for character in name.chars() {
        match character {
            '*' => return Err(HostProblem::Star),
            ':' => return Err(HostProblem::Port),
            '/' | '?' | '#' | '@' | '\\' | ',' | '"' | '<' | '>' => {
                return Err(HostProblem::Unmatchable(character));
            }
            _ if character.is_whitespace() || character.is_control() => {
                return Err(HostProblem::Unmatchable(character));
            }
            _ => {}
        }
    }
    if name.split('.').any(str::is_empty) { Err(HostProblem::Empty) } else { Ok(()) }
}

impl fmt::Display for HostMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {:?} {}", self.pattern, self.problem)
    }
}

impl fmt::Display for HostProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostProblem::Empty => f.write_str("has nothing in the place of a label: write a name, as in \"example.com\""),
            HostProblem::TooLong => write!(f, "is longer than the {HOST_BYTES} bytes that a name can have: shorten it"),
            HostProblem::Star => f.write_str(
                "has a star elsewhere than in \"*.example.com\": write it so, or leave the host away to answer for every one",
            ),
            HostProblem::Port => f.write_str(
                "has a port: leave it away, a host is meant on every address that is listened on (an IPv6 address stands in brackets)",
            ),
            HostProblem::Literal => f.write_str("has brackets without an IPv6 address: write it as in \"[::1]\""),
            HostProblem::Unmatchable(character) => {
                write!(f, "has {character:?}, which no host has: write the name alone")
            }
            HostProblem::Twice { .. } => f.write_str("is there twice: leave one of them away"),
        }
    }
}

impl core::error::Error for HostMistake {}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    fn builder(patterns: &[&'static str]) -> HostsBuilder<&'static str> {
        let mut builder = HostsBuilder::new();
        patterns.iter().for_each(|pattern| builder.insert(pattern, *pattern));
        builder
    }

    fn hosts(patterns: &[&'static str]) -> Hosts<&'static str> {
        builder(patterns).build().expect("no mistakes")
    }

    #[test]
    fn the_name_comes_before_wildcards_and_the_longest_wildcard_before_others() {
        let mut patterns = ["*.com", "*.example.com", "a.example.com", "example.com", "*.b.example.com"];
        for _ in 0..patterns.len() {
            patterns.rotate_left(1);
            let hosts = hosts(&patterns);
            for (host, pattern) in [
                ("a.example.com", Some("a.example.com")),
                ("example.com", Some("example.com")),
                ("b.example.com", Some("*.example.com")),
                ("a.a.example.com", Some("*.example.com")),
                ("c.d.b.example.com", Some("*.b.example.com")),
                ("other.com", Some("*.com")),
                ("com", None),
                (".com", None),
                ("xexample.org", None),
            ] {
                assert_eq!(hosts.find(host).copied(), pattern, "{host}");
            }
        }
    }

    #[test]
    fn a_wildcard_begins_at_a_dot() {
        let hosts = hosts(&["*.example.com"]);
        assert_eq!(hosts.find("notexample.com"), None);
        assert_eq!(hosts.find("example.com"), None);
        assert_eq!(hosts.find(".example.com"), None);
    }

    #[test]
    fn case_ports_and_a_last_dot_do_not_count() {
        let hosts = hosts(&["Example.com", "[::1]", "*.Wild.example.", "127.0.0.1"]);
        for host in ["example.com", "EXAMPLE.COM:80", "example.com.", "example.com.:8443", "example.com:"] {
            assert_eq!(hosts.find(host), Some(&"Example.com"), "{host}");
        }
        assert_eq!(hosts.find("a.wild.EXAMPLE:1"), Some(&"*.Wild.example."));
        assert_eq!(hosts.find("[::1]:8080"), Some(&"[::1]"));
        assert_eq!(hosts.find("[::1]"), Some(&"[::1]"));
        assert_eq!(hosts.find("127.0.0.1:80"), Some(&"127.0.0.1"));
        assert_eq!(
            (hosts.find("[::2]"), hosts.find("["), hosts.find(""), hosts.find(":80")),
            (None, None, None, None)
        );
    }

    #[test]
    fn what_no_pattern_matches_gets_the_default() {
        let mut builder = builder(&["example.com"]);
        builder.set_default("default");
        let hosts = builder.build().expect("no mistakes");
        for host in ["example.org", "", "a.example.com", "[::1]:80"] {
            assert_eq!(hosts.find(host), Some(&"default"), "{host}");
        }
        assert_eq!(hosts.default(), Some(&"default"));
        assert_eq!(hosts.find("example.com"), Some(&"example.com"));
    }

    #[test]
    fn a_name_longer_than_names_are_is_nobody_s() {
        let hosts = hosts(&["*.example.com"]);
        let name = |length: usize| format!("{}.example.com", "a".repeat(length - 12));
        assert!(hosts.find(&name(HOST_BYTES)).is_some());
        assert!(hosts.find(&name(HOST_BYTES + 1)).is_none());
        assert!(hosts.find(&".".repeat(60_000)).is_none());
    }

    #[test]
    fn all_mistakes_come_at_once_and_say_the_way_out() {
        let patterns = [
            "example.com",
            "",
            "*",
            "a.*.com",
            "*.",
            "a..b",
            "a.com:80",
            "::1",
            "[::1]:80",
            "[x]",
            "a/b",
            "EXAMPLE.com.",
            "a b",
            "*.Example.com",
            "*.example.com",
            "a*.com",
        ];
        let mistakes = builder(&patterns).build().expect_err("mistakes");
        let found: Vec<_> = mistakes.iter().map(|mistake| (mistake.position, mistake.problem)).collect();
        use HostProblem::{Empty, Literal, Port, Star, Twice, Unmatchable};
        let expected = [
            (1, Empty),
            (2, Star),
            (3, Star),
            (4, Empty),
            (5, Empty),
            (6, Port),
            (7, Port),
            (8, Port),
            (9, Literal),
            (10, Unmatchable('/')),
            (11, Twice { first: 0 }),
            (12, Unmatchable(' ')),
            (14, Twice { first: 13 }),
            (15, Star),
        ];
        assert_eq!(found, expected);
        for mistake in mistakes {
            let said = mistake.to_string();
            assert!(
                said.starts_with(&format!("host {:?} ", mistake.pattern)) && said.contains(": "),
                "{said}"
            );
        }
    }

    #[test]
    fn a_pattern_longer_than_names_are_is_a_mistake() {
        let mut builder = HostsBuilder::new();
        builder.insert(&"a".repeat(HOST_BYTES + 1), ());
        assert_eq!(builder.build().expect_err("a mistake")[0].problem, HostProblem::TooLong);
    }

    #[test]
    fn hosts_are_found_where_there_is_no_perfect_hash() {
        let patterns = ["example.com", "*.example.com", "*.b.example.com"];
        let hosts = builder(&patterns).build_with(0).expect("no mistakes");
        assert!(matches!(hosts.exact, Names::Listed(_)));
        for (host, pattern) in [("EXAMPLE.com", 0), ("a.example.com", 1), ("c.B.example.com", 2)] {
            assert_eq!(hosts.find(host), Some(&patterns[pattern]), "{host}");
        }
        assert_eq!(hosts.find("com"), None);
    }

    #[test]
    fn a_thousand_hosts_are_all_found() {
        let names: Vec<String> = (0..1000).map(|number| format!("site-{number}.example")).collect();
        let mut builder = HostsBuilder::new();
        names.iter().enumerate().for_each(|(number, name)| builder.insert(name, number));
        let hosts = builder.build().expect("no mistakes");
        names.iter().enumerate().for_each(|(number, name)| assert_eq!(hosts.find(name), Some(&number)));
    }
}
