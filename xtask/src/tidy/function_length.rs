//! A function fits the eye: at most 70 lines, unless its body is one flat `match`.

use super::finding::Finding;
use super::source::{Kind, Source};
use super::tree::Tree;

const EYE: usize = 70;
/// What may stand around the `match` of a function that is one.
const AROUND: usize = 10;
/// What an arm of a flat `match` may take; above that it hides a function of its own.
const ARM: usize = 8;

/// Measures every function, tests too, from its `fn` to the brace that closes it.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources_in(&["crates/", "xtask/", "examples/"]).flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for index in source.find_word("fn").filter(|&index| !source.word(index + 1).is_empty()) {
        let close = source.item_end(index);
        let Kind::Close('{') = source.tokens[close].kind else { continue };
        let line = source.tokens[index].line;
        let length = source.tokens[close].line - line + 1;
        if length > EYE && !is_flat_match(source, index, close) {
            let what = format!("`{}` has {length} lines; {EYE} fit the eye", source.word(index + 1));
            let mend = "name its steps and make them functions (only one flat `match` may be longer)";
            findings.push(Finding::new(&source.path, line, what, mend));
        }
    }
    findings
}

/// Whether the function is little but one `match` whose arms are short.
fn is_flat_match(source: &Source, function: usize, close: usize) -> bool {
    let Some(open) = (function..close).find(|&index| source.opens(index, '{') == Some(close)) else {
        return false;
    };
    let Some((begin, end)) = top_level_match(source, open + 1, close) else { return false };
    let line = |index: usize| source.tokens[index].line;
    let around = (line(close) - line(function)) - (line(end) - line(begin));
    let mut starts: Vec<usize> = arms(source, begin, end).map(line).collect();
    starts.push(line(end));
    around <= AROUND && starts.len() > 2 && starts.windows(2).all(|pair| pair[1] - pair[0] <= ARM)
}

/// The braces of the first `match` that is not inside something else.
fn top_level_match(source: &Source, mut index: usize, end: usize) -> Option<(usize, usize)> {
    let mut is_match = false;
    while index < end {
        is_match |= source.word(index) == "match";
        match source.tokens[index].kind {
            Kind::Open('{', close) if is_match => return Some((index, close)),
            Kind::Open(_, close) => index = close + 1,
            _ => index += 1,
        }
    }
    None
}

/// The `=>` of each arm.
fn arms(source: &Source, begin: usize, end: usize) -> impl Iterator<Item = usize> + '_ {
    let mut index = begin + 1;
    std::iter::from_fn(move || {
        while index < end {
            let at = index;
            index = match source.tokens[at].kind {
                Kind::Open(_, close) => close + 1,
                _ => at + 1,
            };
            if source.is_mark(at, '=') && source.is_mark(at + 1, '>') {
                return Some(at);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn checked(text: &str) -> Vec<String> {
        places(&check(&Tree::of(&[("crates/a/src/a.rs", text)])))
    }

    fn function(body_lines: usize) -> String {
        format!("//! A.\nfn a<T>(b: [u8; 2]) -> T where T: B {{\n{}}}\n", "    b();\n".repeat(body_lines))
    }

    #[test]
    fn seventy_lines_fit_and_more_do_not() {
        assert!(checked(&function(68)).is_empty());
        assert_eq!(checked(&function(69)), ["crates/a/src/a.rs:2"]);
    }

    #[test]
    fn a_flat_match_may_be_longer() {
        let flat = format!(
            "fn a(b: u8) -> u8 {{\n    match b {{\n{}        _ => 0,\n    }}\n}}",
            "        1 => 2,\n".repeat(100)
        );
        assert!(checked(&flat).is_empty());
        let arm = format!("        1 => {{\n{}        }}\n", "            c();\n".repeat(20));
        let deep = format!("fn a(b: u8) {{\n    match b {{\n{}    }}\n}}", arm.repeat(5));
        assert_eq!(checked(&deep).len(), 1);
        let around = format!(
            "fn a(b: u8) {{\n{}    match b {{\n{}    }}\n}}",
            "    c();\n".repeat(20),
            "        1 => 2,\n".repeat(60)
        );
        assert_eq!(checked(&around).len(), 1);
    }

    #[test]
    fn a_function_without_a_body_is_no_function_to_read() {
        assert!(checked(&format!("trait A {{\n    fn a();\n{}}}\n", "    fn b();\n".repeat(80))).is_empty());
    }
}
