//! What a check found: the place, what is wrong there, and how to mend it.

/// One departure from a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the repository's root.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
    /// Worth a look, but not a failure.
    pub is_warning: bool,
}

impl Finding {
    /// A finding that fails the run.
    pub fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into(), mend: mend.into(), is_warning: false }
    }

    /// A finding that is only listed.
    pub fn warning(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { is_warning: true, ..Finding::new(path, line, what, mend) }
    }

    /// The finding as `file:line`, what, and how to mend it.
    pub fn text(&self, check: &str) -> String {
        let kind = if self.is_warning { "warning" } else { "error" };
        format!("{}:{}: {kind} [{check}]: {}\n    mend: {}", self.path, self.line, self.what, self.mend)
    }
}

/// The findings as `path:line`, for tests.
#[cfg(test)]
pub fn places(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_what_and_how_to_mend_it() {
        let text = Finding::new("a.rs", 7, "too long", "split it").text("length");
        assert_eq!(text, "a.rs:7: error [length]: too long\n    mend: split it");
        assert!(
            Finding::warning("a.rs", 7, "long", "split it").text("length").starts_with("a.rs:7: warning")
        );
    }
}
