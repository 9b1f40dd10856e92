//! Nothing half done stays: no notes to self, no stubs, no tests left out, no lint silenced without a reason.

use super::finding::Finding;
use super::source::Source;
use super::tree::Tree;

/// Notes to self. What is to be done is an issue, or is done.
const NOTES: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];
/// Macros that stand for code that is not there.
const STUBS: &[&str] = &["todo", "unimplemented"];

/// Looks through the crates.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources_in(&["crates/"])
        .flat_map(|source| [notes(source), stubs(source), attributes(source)].into_iter().flatten())
        .collect()
}

fn notes(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        let mut words =
            line.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
        if let Some(word) = words.find(|word| NOTES.contains(word)) {
            let mend = "do it, or say in the documentation what is so and why";
            findings.push(Finding::new(&source.path, index + 1, format!("a note to self: {word}"), mend));
        }
    }
    findings
}

fn stubs(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        if STUBS.contains(&source.word(index)) && source.is_mark(index + 1, '!') {
            let what = format!("a stub: `{}!`", source.word(index));
            findings.push(Finding::new(&source.path, token.line, what, "write what belongs there"));
        }
    }
    findings
}

fn attributes(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (open, close, _) in source.attributes() {
        let line = source.tokens[open].line;
        if source.word(open + 1) == "ignore" && close == open + 2 {
            let mend = "let it run, delete it, or say what it waits for: `#[ignore = \"...\"]`";
            findings.push(Finding::new(&source.path, line, "a test left out without a reason", mend));
        }
        for index in (open..close).filter(|&index| matches!(source.word(index), "allow" | "expect")) {
            let Some(end) = source.opens(index + 1, '(') else { continue };
            let has_reason =
                (index..end).any(|at| source.word(at) == "reason" && source.is_mark(at + 1, '='));
            if !has_reason {
                let what = format!("`{}` without a reason", source.word(index));
                let mend =
                    "use `#[expect(..., reason = \"...\")]`, which also says when it is no longer needed";
                findings.push(Finding::new(&source.path, line, what, mend));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of(&[("crates/a/src/a.rs", text)])).len()
    }

    #[test]
    fn notes_to_self_are_found_in_any_comment_but_not_inside_words() {
        assert_eq!(found("// TODO: later\n/// FIXME\nfn a() {} // XXX, HACK\n"), 3);
        assert_eq!(found("const TODO_LIST: u8 = 1;\n// xxx hack\n"), 0);
    }

    #[test]
    fn stubs_are_found() {
        assert_eq!(found("fn a() { todo!() }\nfn b() { unimplemented!(\"later\") }"), 2);
        assert_eq!(found("/// Never `todo!()`.\nfn todo() {}"), 0);
    }

    #[test]
    fn a_silenced_lint_and_a_left_out_test_have_their_reasons() {
        assert_eq!(found("#[allow(dead_code)]\nfn a() {}"), 1);
        assert_eq!(found("#![expect(dead_code)]"), 1);
        assert_eq!(found("#[cfg_attr(unix, allow(dead_code))]\nfn a() {}"), 1);
        assert_eq!(
            found("#[expect(dead_code, reason = \"the tests use it\")]\nfn a() { b().expect(\"c\") }"),
            0
        );
        assert_eq!(found("#[test]\n#[ignore]\nfn a() {}"), 1);
        assert_eq!(found("#[test]\n#[ignore = \"needs a disk of 10 GiB\"]\nfn a() {}"), 0);
    }
}
