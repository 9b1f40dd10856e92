//! The library's Cargo features: it builds without a warning with none, with each alone, and with all; and what is heavy is compiled for its
//! own feature only.

use std::fs;

use toml::{Table, Value};

use super::workspace::cargo;
use super::{Context, Outcome};

const MANIFEST: &str = "crates/gannet/Cargo.toml";

/// Packages that take long to compile, or bring many others, and the feature that they are for.
const HEAVY: &[(&str, &[&str])] = &[
    ("auth", &["argon2", "jsonwebtoken"]),
    ("compression", &["brotli", "flate2", "zstd-sys"]),
    ("cookies", &["cookie"]),
    ("files", &["mime_guess", "quick_cache"]),
    ("graphql", &["async-graphql"]),
    ("mount", &["http", "tower-service"]),
    ("openapi", &["schemars"]),
    ("proxy", &["gannet-client"]),
    ("templates", &["tera"]),
    ("tls", &["aws-lc-sys", "rcgen", "rustls", "x509-parser"]),
    ("websocket", &["bytestring", "sha1_smol"]),
];

/// Builds them all, and looks at what each is built from.
pub fn run(context: &Context) -> Outcome {
    Outcome::from(check(context))
}

fn check(context: &Context) -> Result<String, String> {
    let text =
        fs::read_to_string(context.root.join(MANIFEST)).map_err(|error| format!("{MANIFEST}: {error}"))?;
    let manifest: Table = text.parse().map_err(|error: toml::de::Error| format!("{MANIFEST}: {error}"))?;
    let features = manifest.get("features").and_then(Value::as_table).ok_or("there are no features")?;
    let names: Vec<&str> = features.keys().map(String::as_str).filter(|name| *name != "full").collect();
    for name in names.iter().chain(&["", "full", "full,test"]) {
        build(context, name).map_err(|error| format!("with the features \"{name}\" alone: {error}"))?;
    }
    let default = packages(context, "default")?;
    for (feature, heavy) in HEAVY {
        let own = packages(context, feature)?;
        for package in *heavy {
            if !own.iter().any(|name| name == package) {
                return Err(format!("`{feature}` does not need {package}: mend xtask/src/ci/features.rs"));
            }
            if default.iter().any(|name| name == package) {
                return Err(format!("{package}, which `{feature}` is for, is compiled by default"));
            }
        }
    }
    Ok(format!(
        "{} features, each alone and all together; {} packages of others by default",
        names.len() - 1,
        default.iter().filter(|name| !name.starts_with("gannet")).count()
    ))
}

/// Has the library checked with these features only, and with no warning: what only another feature uses is found so.
fn build(context: &Context, features: &str) -> Result<(), String> {
    let arguments =
        ["check", "--package", "gannet", "--lib", "--no-default-features", "--features", features];
    let ended = cargo(context, &arguments, &[])?;
    let warned = ended.stderr.lines().find(|line| line.starts_with("warning: "));
    warned.map_or(Ok(()), |line| Err(line.to_owned()))
}

/// The packages that the library is built from with these features only.
fn packages(context: &Context, features: &str) -> Result<Vec<String>, String> {
    let arguments = ["tree", "--package", "gannet", "--edges", "normal,build", "--prefix", "none"];
    let features = ["--no-default-features", "--features", features];
    let tree = cargo(context, &[&arguments[..], &features].concat(), &[])?.text();
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}
