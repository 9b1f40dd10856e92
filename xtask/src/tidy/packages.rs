//! Each package says what it is and under which licence, and takes the workspace's lints.

use toml::{Table, Value};

use super::finding::Finding;
use super::manifest::Package;
use super::tree::Tree;

/// Holds each manifest to its fields.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.packages().iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let fields = package.table.get("package").and_then(Value::as_table);
    let lacks = |field: &str| fields.is_none_or(|fields| is_blank(fields.get(field)));
    let mut findings = Vec::new();
    for field in ["description", "license"] {
        if lacks(field) {
            let what = format!("the package has no `{field}`");
            findings.push(Finding::new(
                &package.manifest,
                package.line_of("package"),
                what,
                format!("give it a `{field}`"),
            ));
        }
    }
    let lints = package.table.get("lints").and_then(Value::as_table);
    let is_ours = !package.folder.starts_with("bench") && !package.folder.starts_with("fuzz");
    if is_ours && !lints.is_some_and(inherits) {
        let mend = "add `[lints]` with `workspace = true`";
        findings.push(Finding::new(
            &package.manifest,
            1,
            "the package leaves out the workspace's lints",
            mend,
        ));
    }
    findings
}

/// `field.workspace = true` is a table, and counts as said.
fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn inherits(lints: &Table) -> bool {
    lints.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_says_what_it_is() {
        let checked = |path: &str, text: &str| check(&Tree::of(&[(path, text)])).len();
        let whole = "[package]\nname = \"a\"\nlicense.workspace = true\ndescription = \"A.\"\n[lints]\nworkspace = true\n";
        assert_eq!(checked("crates/a/Cargo.toml", whole), 0);
        assert_eq!(checked("crates/a/Cargo.toml", &whole.replace("\"A.\"", "\"\"")), 1);
        assert_eq!(checked("crates/a/Cargo.toml", &whole.replace("license.workspace = true\n", "")), 1);
        let own_lints = whole.replace("[lints]\nworkspace = true\n", "");
        assert_eq!(checked("crates/a/Cargo.toml", &own_lints), 1);
        assert_eq!(checked("bench/Cargo.toml", &own_lints), 0);
    }
}
