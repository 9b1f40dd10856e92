//! The layer rule: a crate uses only what its row names, so that the walk of a request goes one way.
//!
//! The table here is the one in `ARCHITECTURE.md`; a check of its own holds the two together.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::tree::Tree;

/// One row: a crate of ours, by its folder under `crates/`.
struct Layer {
    name: &'static str,
    /// The crates of ours that it is built from.
    may_use: &'static [&'static str],
    /// Foreign packages that would break what the layer promises, whatever it needs them for.
    never: &'static [&'static str],
}

/// No runtime below the server: the data path is ours.
const RUNTIME: &[&str] = &["tokio"];
/// A feature works through the ports of `core`, so that it runs in the simulator and under a faked clock.
const OUTSIDE: &[&str] = &["tokio", "rustix", "socket2", "libc", "io-uring", "mio"];

/// Every layer, lowest first. (dev-dependencies are free: a test may use anything.)
const LAYERS: &[Layer] = &[
    Layer { name: "testing", may_use: &[], never: OUTSIDE },
    Layer { name: "macros", may_use: &[], never: OUTSIDE },
    Layer { name: "block", may_use: &[], never: RUNTIME },
    Layer { name: "engine", may_use: &["block"], never: RUNTIME },
    Layer { name: "link", may_use: &["block", "engine"], never: RUNTIME },
    Layer { name: "proto", may_use: &[], never: OUTSIDE },
    Layer { name: "router", may_use: &[], never: OUTSIDE },
    Layer { name: "core", may_use: &["block", "proto"], never: OUTSIDE },
    Layer { name: "client", may_use: &["engine", "link", "proto", "core"], never: RUNTIME },
    Layer {
        name: "server",
        may_use: &["block", "engine", "link", "proto", "router", "core", "client"],
        never: &[],
    },
    Layer { name: "features", may_use: &["core"], never: OUTSIDE },
    Layer {
        name: "gannet",
        may_use: &["engine", "link", "proto", "router", "core", "server", "features", "macros"],
        never: &[],
    },
    Layer {
        name: "cli",
        may_use: &[
            "block", "engine", "link", "proto", "router", "core", "client", "server", "features", "macros",
            "gannet",
        ],
        never: &[],
    },
];

/// Holds each manifest under `crates/` to its row.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages() {
        let Some(folder) = package.folder.strip_prefix("crates/") else { continue };
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == folder) else {
            let mend = "give it a row in xtask/src/tidy/layers.rs and in ARCHITECTURE.md";
            findings.push(Finding::new(
                &package.manifest,
                1,
                format!("the crate `{folder}` has no layer"),
                mend,
            ));
            continue;
        };
        for dependency in package.production_dependencies() {
            if let Some((what, mend)) = judge(layer, &dependency) {
                findings.push(Finding::new(&package.manifest, package.line_of(&dependency), what, mend));
            }
        }
    }
    findings
}

/// What is wrong with this dependency in this layer, and how to mend it.
fn judge(layer: &Layer, dependency: &str) -> Option<(String, String)> {
    if layer.never.contains(&dependency) {
        let what = format!("`{}` depends on `{dependency}`, which its layer keeps out", layer.name);
        let mend = "take it in through a port of `core`, or move the code to the layer that may".to_owned();
        return Some((what, mend));
    }
    let other = layer_of(dependency)?;
    if layer.may_use.contains(&other) {
        return None;
    }
    let allowed =
        if layer.may_use.is_empty() { "nothing of ours".to_owned() } else { layer.may_use.join(", ") };
    let what = format!("`{}` depends on `{other}`, but may use {allowed}", layer.name);
    Some((what, "pass in what it needs from above, or move what both need to a lower layer".to_owned()))
}

/// The layer a package of ours is: `gannet-core` is `core`, `gannet` itself `gannet`.
fn layer_of(package: &str) -> Option<&str> {
    if package == "gannet" { Some(package) } else { package.strip_prefix("gannet-") }
}

/// Holds the table of `ARCHITECTURE.md` (the one with a column `may use`) to the one here.
pub fn check_architecture(tree: &Tree) -> Vec<Finding> {
    const PATH: &str = "ARCHITECTURE.md";
    let Some(text) = tree.text(PATH) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut above: BTreeSet<&str> = BTreeSet::new();
    let mut column = None;
    for (index, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        if !line.trim_start().starts_with('|') {
            column = None;
        } else if let Some(at) = cells.iter().position(|cell| cell.eq_ignore_ascii_case("may use")) {
            column = Some(at);
        } else if let (Some(at), Some(name)) =
            (column, cells.first().and_then(|cell| in_backticks(cell).next()))
        {
            let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else { continue };
            let said = said_to_use(cells.get(at).copied().unwrap_or(""), &above);
            let meant: BTreeSet<&str> = layer.may_use.iter().copied().collect();
            above.insert(layer.name);
            if said != meant {
                let what =
                    format!("`{name}` may use {said:?} here, and {meant:?} in xtask/src/tidy/layers.rs");
                findings.push(Finding::new(PATH, index + 1, what, "make both tables say what is true"));
            }
        }
    }
    findings
}

/// The crates that a cell of the column `may use` names; "all above" are the rows before.
fn said_to_use<'a>(cell: &'a str, above: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut said: BTreeSet<&str> = in_backticks(cell).map(|name| layer_of(name).unwrap_or(name)).collect();
    if cell.contains("all above") {
        said.extend(above);
    }
    said
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    fn manifest(name: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}")
    }

    fn checked(folder: &str, dependencies: &str) -> Vec<Finding> {
        check(&Tree::of(&[(&format!("crates/{folder}/Cargo.toml"), &manifest("gannet-x", dependencies))]))
    }

    #[test]
    fn a_crate_uses_only_what_its_row_names() {
        assert!(checked("engine", "gannet-block.workspace = true\nlibc = \"0.2\"\n").is_empty());
        let found = checked("engine", "gannet-block.workspace = true\ngannet-core.workspace = true\n");
        assert_eq!(places(&found), ["crates/engine/Cargo.toml:5"]);
        assert!(found[0].what.contains("`engine` depends on `core`"));
        assert_eq!(checked("proto", "gannet-block.workspace = true").len(), 1);
        assert_eq!(checked("core", "gannet.workspace = true").len(), 1);
    }

    #[test]
    fn a_dependency_is_known_under_another_key_and_behind_a_target() {
        let renamed = "block = { package = \"gannet-block\", path = \"../block\" }";
        assert_eq!(checked("router", renamed).len(), 1);
        assert_eq!(
            checked("router", "[target.'cfg(unix)'.dependencies]\ngannet-core.workspace = true").len(),
            1
        );
    }

    #[test]
    fn dev_dependencies_are_free() {
        assert!(
            checked("proto", "[dev-dependencies]\ngannet-block.workspace = true\ntokio = \"1\"").is_empty()
        );
    }

    #[test]
    fn features_reach_the_world_through_ports_only() {
        assert!(checked("features", "bytes = \"1\"\ngannet-core.workspace = true").is_empty());
        for outside in ["tokio", "rustix", "socket2", "libc"] {
            assert_eq!(checked("features", &format!("{outside} = \"1\"")).len(), 1, "{outside}");
        }
    }

    #[test]
    fn tokio_is_for_the_server_and_what_stands_on_it() {
        for layer in ["server", "gannet", "cli"] {
            assert!(checked(layer, "tokio.workspace = true").is_empty(), "{layer}");
        }
        for layer in ["block", "engine", "proto", "router", "core", "features"] {
            assert_eq!(checked(layer, "tokio.workspace = true").len(), 1, "{layer}");
        }
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        assert!(checked("mystery", "")[0].what.contains("has no layer"));
    }

    #[test]
    fn the_architecture_table_says_the_same() {
        let table = |engine: &str| {
            format!(
                "| crate | what it is | may use |\n|---|---|---|\n| `block` | memory | nothing of ours |\n| `engine` | I/O | {engine} |\n"
            )
        };
        let checked = |engine: &str| check_architecture(&Tree::of(&[("ARCHITECTURE.md", &table(engine))]));
        assert!(checked("`block`, the OS").is_empty());
        assert!(checked("all above").is_empty());
        assert_eq!(places(&checked("`block`, `core`")), ["ARCHITECTURE.md:4"]);
        assert_eq!(places(&checked("the OS")), ["ARCHITECTURE.md:4"]);
    }
}
