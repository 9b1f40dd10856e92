//! One Rust file as a flat list of tokens with their lines.
//!
//! Tokens, not text: a word in a comment or a string is then never taken for code, and code inside macros is seen.
//! Tokens, not a syntax tree: the checks need little more than "this word follows that one, and here is its brace".

use std::ops::RangeInclusive;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A word: identifier or keyword.
    Word(String),
    /// One punctuation character.
    Mark(char),
    /// A literal, as written.
    Literal(String),
    /// The opening of `(`, `[` or `{`, and the index of the token that closes it.
    Open(char, usize),
    /// The closing of what was opened by this character.
    Close(char),
}

/// A token and the line it begins on.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
}

/// A Rust file, read once for all checks.
#[derive(Debug)]
pub struct Source {
    /// From the repository's root.
    pub path: String,
    /// The file's lines; `lines[0]` is line 1.
    pub lines: Vec<String>,
    /// Every token, in order. Doc comments are attributes whose text is a literal.
    pub tokens: Vec<Token>,
    /// All of it is test code: a file under `tests/`, or one reached by a `#[cfg(test)] mod`.
    pub is_test: bool,
    /// The lines of items under `#[cfg(test)]`.
    pub test_lines: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// Reads a file's text; the error is the line at which it stops being Rust, and why.
    pub fn parse(path: &str, text: &str) -> Result<Source, (usize, String)> {
        let stream =
            TokenStream::from_str(text).map_err(|error| (error.span().start().line, error.to_string()))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut source = Source {
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            tokens,
            is_test: path.split('/').any(|part| part == "tests" || part == "benches"),
            test_lines: Vec::new(),
        };
        source.test_lines = source.find_test_items();
        Ok(source)
    }

    /// Whether the line is test code.
    pub fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// The word at this index, or "".
    pub fn word(&self, index: usize) -> &str {
        match self.tokens.get(index).map(|token| &token.kind) {
            Some(Kind::Word(word)) => word,
            _ => "",
        }
    }

    /// Whether the token at this index is this mark.
    pub fn is_mark(&self, index: usize, mark: char) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == Kind::Mark(mark))
    }

    /// If the token opens `bracket`, the index of its close.
    pub fn opens(&self, index: usize, bracket: char) -> Option<usize> {
        match self.tokens.get(index).map(|token| &token.kind) {
            Some(Kind::Open(open, close)) if *open == bracket => Some(*close),
            _ => None,
        }
    }

    /// Whether the words stand here as a path, `a::b::c`.
    pub fn is_path(&self, index: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(nth, word)| {
            let at = index + nth * 3;
            self.word(at) == *word && (nth == 0 || (self.is_mark(at - 1, ':') && self.is_mark(at - 2, ':')))
        })
    }

    /// The index of each token that is this word.
    pub fn find_word<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        (0..self.tokens.len()).filter(move |&index| self.word(index) == word)
    }

    /// The attributes, each as (index of its `[`, index of its `]`, whether it is an inner one, `#![...]`).
    pub fn attributes(&self) -> impl Iterator<Item = (usize, usize, bool)> + '_ {
        (0..self.tokens.len()).filter(|&index| self.is_mark(index, '#')).filter_map(|index| {
            let inner = self.is_mark(index + 1, '!');
            let open = index + 1 + usize::from(inner);
            self.opens(open, '[').map(|close| (open, close, inner))
        })
    }

    /// Whether an inner attribute says exactly `name(argument)`, or `name` where the argument is "".
    pub fn has_inner_attribute(&self, name: &str, argument: &str) -> bool {
        self.attributes().any(|(open, close, inner)| {
            let says_name = inner && self.word(open + 1) == name;
            let plain = argument.is_empty() && close == open + 2;
            says_name
                && (plain
                    || (!argument.is_empty() && (open + 2..close).any(|index| self.word(index) == argument)))
        })
    }

    /// The last token of the item that begins at `index`: its `;`, or the brace that closes it.
    pub fn item_end(&self, mut index: usize) -> usize {
        while let Some(token) = self.tokens.get(index) {
            match token.kind {
                Kind::Open('{', close) => return close,
                Kind::Open(_, close) => index = close + 1,
                Kind::Mark(';') | Kind::Close(_) => return index,
                _ => index += 1,
            }
        }
        self.tokens.len().saturating_sub(1)
    }

    fn find_test_items(&self) -> Vec<RangeInclusive<usize>> {
        let outer = self.attributes().filter(|&(_, _, inner)| !inner);
        let tests = outer.filter(|&(open, close, _)| self.is_cfg_test(open, close));
        tests
            .map(|(open, close, _)| self.tokens[open].line..=self.tokens[self.item_end(close + 1)].line)
            .collect()
    }

    /// Whether the attribute between these brackets is `cfg` of something with `test` that is not negated.
    pub fn is_cfg_test(&self, open: usize, close: usize) -> bool {
        let negated = (open..close).any(|index| self.word(index) == "not");
        self.word(open + 1) == "cfg" && !negated && (open + 2..close).any(|index| self.word(index) == "test")
    }
}

/// Appends the stream's tokens in order, groups as their opening, content and closing.
fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let kind = match tree {
            TokenTree::Ident(word) => Kind::Word(word.to_string()),
            TokenTree::Punct(mark) => Kind::Mark(mark.as_char()),
            TokenTree::Literal(literal) => Kind::Literal(literal.to_string()),
            TokenTree::Group(group) => {
                let bracket = match group.delimiter() {
                    Delimiter::Parenthesis => '(',
                    Delimiter::Bracket => '[',
                    Delimiter::Brace => '{',
                    Delimiter::None => ' ',
                };
                let open = tokens.len();
                tokens.push(Token { kind: Kind::Close(bracket), line });
                flatten(group.stream(), tokens);
                tokens[open].kind = Kind::Open(bracket, tokens.len());
                tokens.push(Token { kind: Kind::Close(bracket), line: group.span_close().start().line });
                continue;
            }
        };
        tokens.push(Token { kind, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Source {
        Source::parse("crates/a/src/a.rs", text).expect("the fixture is Rust")
    }

    #[test]
    fn words_in_comments_and_strings_are_not_code() {
        let source = parse("//! unsafe\n// unsafe\nconst A: &str = \"unsafe\";\nfn unsafe_name() {}\n");
        assert_eq!(source.find_word("unsafe").count(), 0);
        assert_eq!(source.find_word("unsafe_name").count(), 1);
    }

    #[test]
    fn words_inside_macros_are_code_with_their_line() {
        let source = parse("macro! {\n  if a { tokio::spawn(b) }\n}");
        let at = source.find_word("tokio").next().expect("the word is there");
        assert_eq!(source.tokens[at].line, 2);
        assert!(source.is_path(at, &["tokio", "spawn"]));
        assert!(!source.is_path(at, &["tokio", "time"]));
    }

    #[test]
    fn the_lines_of_test_items_are_known() {
        let source =
            parse("fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n#[cfg(not(test))]\nfn c() {}\n");
        let is_test: Vec<bool> = (1..=7).map(|line| source.is_test_line(line)).collect();
        assert_eq!(is_test, [false, true, true, true, true, false, false]);
        assert!(Source::parse("crates/a/tests/a.rs", "fn a() {}").expect("Rust").is_test_line(1));
    }

    #[test]
    fn inner_attributes_are_told_from_outer_ones() {
        let source = parse("#![no_std]\n#![forbid(unsafe_code)]\n#[no_main]\nfn a() {}");
        assert!(source.has_inner_attribute("no_std", ""));
        assert!(source.has_inner_attribute("forbid", "unsafe_code"));
        assert!(!source.has_inner_attribute("forbid", "missing_docs"));
        assert!(!source.has_inner_attribute("no_main", ""));
    }

    #[test]
    fn what_is_not_rust_is_an_error_with_its_line() {
        let (line, _) = Source::parse("a.rs", "fn a() {\n  (}\n}").expect_err("the brackets do not match");
        assert_eq!(line, 2);
    }
}
