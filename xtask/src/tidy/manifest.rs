//! What the checks need of a `Cargo.toml`.

use toml::{Table, Value};

/// A package and where it lies.
#[derive(Debug)]
pub struct Package {
    /// `crates/engine/Cargo.toml`
    pub manifest: String,
    /// `crates/engine`, or "" for the root.
    pub folder: String,
    /// `gannet-engine`
    pub name: String,
    /// The manifest.
    pub table: Table,
    text: String,
}

impl Package {
    /// Reads a manifest; none where it describes a workspace only.
    pub fn parse(path: &str, text: &str) -> Result<Option<Package>, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let Some(name) = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str)
        else {
            return Ok(None);
        };
        Ok(Some(Package {
            manifest: path.to_owned(),
            folder: path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned(),
            name: name.to_owned(),
            table: table.clone(),
            text: text.to_owned(),
        }))
    }

    /// The first line of the manifest that begins with this key, or 1.
    pub fn line_of(&self, key: &str) -> usize {
        let begins = |line: &str| {
            let rest = line.trim_start_matches([' ', '[', '"']).strip_prefix(key);
            rest.is_some_and(|rest| {
                !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-' || next == '_')
            })
        };
        self.text.lines().position(begins).map_or(1, |index| index + 1)
    }

    /// The names of the packages this one is built from: its dependencies and build-dependencies, for every target,
    /// optional ones too; not its dev-dependencies.
    pub fn production_dependencies(&self) -> Vec<String> {
        let targets = self.table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = targets.filter_map(Value::as_table).chain([&self.table]);
        let kinds =
            tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)));
        let dependencies = kinds.flatten().filter_map(Value::as_table).flatten();
        dependencies.map(|(key, value)| package_name(key, value)).collect()
    }

    /// The `name` (or `path`) of each target of this kind that the manifest spells out: `bin`, `example`, `test`, `bench`.
    pub fn targets(&self, kind: &str, field: &str) -> Vec<&str> {
        let list = self.table.get(kind).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|target| target.get(field)).filter_map(Value::as_str).collect()
    }
}

/// `key = { package = "name" }` renames; else the key is the name.
fn package_name(key: &str, value: &Value) -> String {
    value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "gannet-x"

[dependencies]
tokio.workspace = true
ring = { package = "io-uring", version = "0.7", optional = true }

[target.'cfg(unix)'.dependencies]
libc = "0.2"

[build-dependencies]
cc = "1"

[dev-dependencies]
hyper = "1"

[[example]]
name = "e"
"#;

    #[test]
    fn production_dependencies_are_all_but_the_dev_ones_under_their_true_names() {
        let package = Package::parse("crates/x/Cargo.toml", MANIFEST).expect("TOML").expect("a package");
        let mut names = package.production_dependencies();
        names.sort();
        assert_eq!(names, ["cc", "io-uring", "libc", "tokio"]);
    }

    #[test]
    fn a_package_knows_its_folder_its_lines_and_its_targets() {
        let package = Package::parse("crates/x/Cargo.toml", MANIFEST).expect("TOML").expect("a package");
        assert_eq!((package.folder.as_str(), package.name.as_str()), ("crates/x", "gannet-x"));
        assert_eq!(package.line_of("tokio"), 6);
        assert_eq!(package.line_of("tok"), 1);
        assert_eq!(package.targets("example", "name"), ["e"]);
    }

    #[test]
    fn a_manifest_without_a_package_is_none() {
        assert!(Package::parse("Cargo.toml", "[workspace]").expect("TOML").is_none());
        assert!(Package::parse("Cargo.toml", "[workspace").is_err());
    }
}
