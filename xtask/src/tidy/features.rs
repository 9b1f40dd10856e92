//! The library's Cargo features are told where its users look: each has a row on the crate's page, and no row is without its feature.

use std::collections::BTreeMap;

use toml::Value;

use super::finding::Finding;
use super::manifest::Package;
use super::tree::Tree;

const MANIFEST: &str = "crates/gannet/Cargo.toml";
const PAGE: &str = "crates/gannet/src/lib.rs";

/// What stands for others.
const LISTS: [&str; 2] = ["default", "full"];

/// Holds the rows of the page to the features of the manifest, and both to which of them are there by default.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(package) = tree.packages().iter().find(|package| package.manifest == MANIFEST) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let features = features(package);
    let rows = rows(tree.text(PAGE).unwrap_or_default());
    for (feature, is_default) in &features {
        let wanted = if *is_default { format!("`{feature}` (default)") } else { format!("`{feature}`") };
        match rows.get(feature) {
            Some((_, told)) if told == is_default => {}
            _ => findings.push(Finding::new(
                MANIFEST,
                package.line_of(feature),
                format!("the feature `{feature}` has no row on the crate's page, or not the right one"),
                format!("begin a row of the table in {PAGE} with {wanted}"),
            )),
        }
    }
    for (feature, (line, _)) in rows.iter().filter(|(feature, _)| !features.contains_key(*feature)) {
        let what = format!("there is no feature `{feature}`");
        findings.push(Finding::new(PAGE, *line, what, "take the row out, or name what is meant"));
    }
    findings
}

/// The features, and whether they are there by default.
fn features(package: &Package) -> BTreeMap<String, bool> {
    let Some(table) = package.table.get("features").and_then(Value::as_table) else { return BTreeMap::new() };
    let default = table.get("default").and_then(Value::as_array);
    let is_default =
        |name: &str| default.is_some_and(|default| default.iter().any(|one| one.as_str() == Some(name)));
    let single = table.keys().filter(|name| !LISTS.contains(&name.as_str()));
    single.map(|name| (name.clone(), is_default(name))).collect()
}

/// The rows of the table whose first column is headed `feature`: their lines, and whether they say `(default)`.
fn rows(page: &str) -> BTreeMap<String, (usize, bool)> {
    let lines = page.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let table = lines.skip_while(|(_, line)| !line.starts_with("//! | feature |")).skip(2);
    let rows = table.take_while(|(_, line)| line.starts_with("//! |"));
    let read = rows.filter_map(|(number, line)| {
        let cell = line.split('|').nth(1)?;
        Some((cell.split('`').nth(1)?.to_owned(), (number, cell.contains("(default)"))))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn found(rows: &str) -> Vec<String> {
        let manifest = "[package]\nname = \"gannet\"\n[features]\ndefault = [\"json\"]\nfull = [\"json\", \"tls\"]\njson = []\ntls = []\n";
        let page = format!(
            "//! A page.\n//!\n//! | feature | brings |\n//! |---|---|\n{rows}//!\n//! | `other` | |\n"
        );
        places(&check(&Tree::of(&[(MANIFEST, manifest), (PAGE, &page)])))
    }

    #[test]
    fn every_feature_has_its_row() {
        assert!(found("//! | `json` (default) | JSON |\n//! | `tls` | TLS |\n").is_empty());
        assert_eq!(found("//! | `json` (default) | JSON |\n"), ["crates/gannet/Cargo.toml:7"]);
    }

    #[test]
    fn a_row_says_what_is_there_by_default() {
        assert_eq!(found("//! | `json` | JSON |\n//! | `tls` | TLS |\n"), ["crates/gannet/Cargo.toml:6"]);
        assert_eq!(
            found("//! | `json` (default) | |\n//! | `tls` (default) | |\n"),
            ["crates/gannet/Cargo.toml:7"]
        );
    }

    #[test]
    fn a_row_without_a_feature_is_found() {
        let rows = "//! | `json` (default) | JSON |\n//! | `tls` | TLS |\n//! | `quic` | QUIC |\n";
        assert_eq!(found(rows), ["crates/gannet/src/lib.rs:7"]);
    }
}
