//! A compressed radix trie over patterns with parameters and wildcards, and the walk through it.
//!
//! A node stands for the beginning that its patterns have in common, up to itself: a *static* node adds a label of bytes to its parent's, a
//! *parameter* node adds one segment that is not empty. Where a segment begins a node may have a parameter child and a
//! wildcard; where a pattern ends it has that.
//!
//! The walk goes down as far as the path leads, static child before parameter before wildcard, and up again for the next match. It keeps
//! no stack: a node knows its parent, and how much of the path it took can be seen from its label or from the path's slashes.
//! A node is reached in one way only, so a whole walk enters each at most once, whatever the path: that bounds it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::index;
use crate::pattern::{PARAMETER, WILDCARD};
use crate::word::{mask, slash, word};

/// No node, no route.
const NONE: u32 = u32::MAX;
const ROOT: u32 = 0;

/// The trie, ready to be walked.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// The first byte of each node's label.
    first_bytes: Vec<u8>,
    labels: Vec<u8>,
}

/// As large as a cache line, so that one of them is enough, and its place a shift away.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Node {
    /// The first eight bytes of the label.
    label: u64,
    label_start: u32,
    label_length: u32,
    parent: u32,
    /// The static children are next to one another.
    first_child: u32,
    children: u32,
    parameter: u32,
    /// The parameter's child, if that has the label `/`: where a slash behind the parameter leads.
    behind_parameter: u32,
    /// The route that ends here.
    route: u32,
    /// The route whose wildcard begins here.
    wildcard: u32,
}

/// A walk through the trie along a path, from match to match.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    node: u32,
    /// How much of the path lies behind.
    at: usize,
    next: Next,
    #[cfg(test)]
    pub(crate) entered: usize,
}

/// What is to be tried at the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// Its own route, or the static child.
    Static,
    Parameter,
    Wildcard,
    /// Nothing more: its parent's next.
    Up,
    Over,
}

impl Walk {
    /// The root stands for the slash that every pattern begins with.
    #[inline]
    pub(crate) fn new(path: &str) -> Walk {
        Walk {
            node: ROOT,
            at: 1,
            next: if path.starts_with('/') { Next::Static } else { Next::Over },
            #[cfg(test)]
            entered: 1,
        }
    }

    /// The next route that matches `path`, and where its wildcard's part begins (0: it has none).
    #[inline]
    pub(crate) fn next(&mut self, trie: &Trie, path: &str) -> Option<(u32, usize)> {
        let path = path.as_bytes();
        loop {
            match self.next {
                Next::Static | Next::Parameter => {
                    if let Some(route) = self.descend(trie, path) {
                        return Some((route, 0));
                    }
                }
                Next::Wildcard => {
                    self.next = Next::Up;
                    let wildcard = trie.nodes[self.node as usize].wildcard;
                    if wildcard != NONE {
                        return Some((wildcard, self.at));
                    }
                }
                Next::Up => self.leave(trie, path),
                Next::Over => return None,
            }
        }
    }

    /// Goes down as far as the path leads, to where only a wildcard is left to be tried. Gives the route that ends with the path.
    #[inline]
    fn descend(&mut self, trie: &Trie, path: &[u8]) -> Option<u32> {
        let mut tries_static = self.next == Next::Static;
        let (mut number, mut at) = (self.node, self.at);
        let route = loop {
            let node = &trie.nodes[number as usize];
            if at == path.len() {
                // Nothing is left for a parameter, which takes something.
                break if tries_static { node.route } else { NONE };
            }
            if tries_static && let Some((child, length)) = trie.child(node, path, at) {
                (number, at) = (child, at + length);
            } else {
                let end = if node.parameter == NONE { at } else { slash(path, at) };
                if end == at {
                    break NONE;
                }
                tries_static = true;
                (number, at) = match node.behind_parameter {
                    behind if behind != NONE && end < path.len() => (behind, end + 1),
                    _ => (node.parameter, end),
                };
            }
            #[cfg(test)]
            self.count();
        };
        (self.node, self.at, self.next) = (number, at, Next::Wildcard);
        (route != NONE).then_some(route)
    }

    #[cfg(test)]
    fn count(&mut self) {
        self.entered += 1;
    }

    /// Back to the parent, to what comes behind the node there.
    fn leave(&mut self, trie: &Trie, path: &[u8]) {
        if self.node == ROOT {
            self.next = Next::Over;
            return;
        }
        let node = &trie.nodes[self.node as usize];
        if node.label_length > 0 {
            self.at -= node.label_length as usize;
            self.next = Next::Parameter;
        } else {
            let slash = path[..self.at].iter().rposition(|byte| *byte == b'/');
            self.at = slash.expect("a parameter comes behind a slash") + 1;
            self.next = Next::Wildcard;
        }
        self.node = node.parent;
    }
}

impl Trie {
    /// The static child that the path goes on with, and its label's length. There is something left of the path.
    #[inline]
    fn child(&self, node: &Node, path: &[u8], at: usize) -> Option<(u32, usize)> {
        let next = word(path, at);
        // A loop, though eight bytes could be compared at once: it ends where it ended before, and what comes next need not wait for it.
        let children = node.first_child as usize..(node.first_child + node.children) as usize;
        let place = self.first_bytes[children].iter().position(|byte| *byte == next as u8)?;
        let number = node.first_child + place as u32;
        let child = &self.nodes[number as usize];
        let length = child.label_length as usize;
        let same = (next ^ child.label) & mask(length) == 0;
        (same && (length <= 8 || self.has_rest(child, &path[at..]))).then_some((number, length))
    }

    /// Finds the nodes behind parameters that a walk can go to at once.
    fn shorten(&mut self) {
        for number in 0..self.nodes.len() {
            let Some(parameter) = self.nodes.get(self.nodes[number].parameter as usize) else { continue };
            let child = parameter.first_child;
            if parameter.children == 1 && self.nodes[child as usize].label == word(b"/", 0) {
                self.nodes[number].behind_parameter = child;
            }
        }
    }

    /// Whether a label of more than eight bytes is what the path goes on with.
    fn has_rest(&self, child: &Node, rest: &[u8]) -> bool {
        rest.starts_with(&self.labels[child.label_start as usize..][..child.label_length as usize])
    }

    /// How many nodes there are, the root among them.
    #[cfg(test)]
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }
}

/// A trie that grows.
#[derive(Debug)]
pub(crate) struct Growing {
    nodes: Vec<Branch>,
}

#[derive(Debug, Default)]
struct Branch {
    /// Empty for the root and for parameters.
    label: String,
    children: Vec<usize>,
    parameter: Option<usize>,
    route: Option<u32>,
    wildcard: Option<u32>,
}

impl Growing {
    pub(crate) fn new() -> Growing {
        Growing { nodes: vec![Branch::default()] }
    }

    /// Adds a pattern's shape; no other of this shape is there.
    pub(crate) fn insert(&mut self, shape: &str, route: u32) {
        let mut node = 0;
        let mut rest = &shape[1..]; // the slash is the root's
        while let Some(at) = rest.find([PARAMETER, WILDCARD]) {
            node = self.add_static(node, &rest[..at]);
            if rest[at..].starts_with(WILDCARD) {
                self.nodes[node].wildcard = Some(route);
                return;
            }
            node = self.add_parameter(node);
            rest = &rest[at + PARAMETER.len_utf8()..];
        }
        node = self.add_static(node, rest);
        self.nodes[node].route = Some(route);
    }

    fn add_parameter(&mut self, node: usize) -> usize {
        if let Some(parameter) = self.nodes[node].parameter {
            return parameter;
        }
        let parameter = self.add(Branch::default());
        self.nodes[node].parameter = Some(parameter);
        parameter
    }

    /// The node for `text` below `node`; makes it, and divides another whose label begins with some of `text`.
    fn add_static(&mut self, mut node: usize, mut text: &str) -> usize {
        while let Some(first) = text.bytes().next() {
            let mut children = self.nodes[node].children.iter().copied();
            let Some(child) = children.find(|child| self.nodes[*child].label.as_bytes()[0] == first) else {
                let child = self.add(Branch { label: text.into(), ..Branch::default() });
                self.nodes[node].children.push(child);
                return child;
            };
            let common = common_length(&self.nodes[child].label, text);
            if common < self.nodes[child].label.len() {
                self.divide(child, common);
            }
            (node, text) = (child, &text[common..]);
        }
        node
    }

    /// Gives the first part of a node's label to the node, and the rest, with all that comes behind, to a new child of it.
    fn divide(&mut self, node: usize, at: usize) {
        let rest = self.nodes[node].label.split_off(at);
        let first = Branch { label: core::mem::take(&mut self.nodes[node].label), ..Branch::default() };
        let behind = core::mem::replace(&mut self.nodes[node], first);
        let child = self.add(Branch { label: rest, ..behind });
        self.nodes[node].children.push(child);
    }

    fn add(&mut self, branch: Branch) -> usize {
        self.nodes.push(branch);
        self.nodes.len() - 1
    }

    /// The trie, level by level, so that a node's children lie together.
    pub(crate) fn grown(self) -> Trie {
        let mut trie = Trie { nodes: Vec::new(), first_bytes: Vec::new(), labels: Vec::new() };
        // The nodes in the order in which they lie, each with its parent's place there.
        let mut order: Vec<(usize, u32)> = vec![(0, NONE)];
        let mut at = 0;
        while let Some((branch, parent)) = order.get(at).copied() {
            let Branch { label, children, parameter, route, wildcard } = &self.nodes[branch];
            let first_child = index(order.len());
            order.extend(children.iter().chain(parameter).map(|child| (*child, index(at))));
            trie.nodes.push(Node {
                label: word(label.as_bytes(), 0),
                label_start: index(trie.labels.len()),
                label_length: index(label.len()),
                parent,
                first_child,
                children: index(children.len()),
                parameter: parameter.map_or(NONE, |_| first_child + index(children.len())),
                behind_parameter: NONE,
                route: route.unwrap_or(NONE),
                wildcard: wildcard.unwrap_or(NONE),
            });
            trie.first_bytes.push(label.bytes().next().unwrap_or(0));
            trie.labels.extend_from_slice(label.as_bytes());
            at += 1;
        }
        trie.shorten();
        trie
    }
}

fn common_length(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}
