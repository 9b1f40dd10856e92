//! The commands in the documents are real: each `cargo` line of a ```` ```sh ```` block names a package, a target and a
//! folder that are there. (That they also succeed is for `cargo test` and `cargo xtask ci` to show.)

use super::finding::Finding;
use super::links::documents;
use super::manifest::Package;
use super::tree::Tree;

/// Subcommands whose options are looked at; each comes with Cargo, rustup or `cargo install`.
const KNOWN: &[&str] =
    &["run", "build", "check", "test", "bench", "clippy", "doc", "fmt", "install", "deny", "fuzz"];

/// Reads each document's shell blocks.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in documents(tree) {
        for (line, command) in shell_lines(tree.text(path).unwrap_or("")) {
            for words in cargo_commands(&command) {
                if let Err(why) = Command::read(&words, tree).and_then(|command| command.check(tree)) {
                    let what = format!("`{}` does not work: {why}", words.join(" "));
                    findings.push(Finding::new(path, line, what, "write the command as one types it today"));
                }
            }
        }
    }
    findings
}

/// The lines of the shell blocks with their numbers, continued lines joined, comments and prompts taken off.
fn shell_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let (mut is_shell, mut continues) = (false, false);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(language) = line.strip_prefix("```") {
            is_shell = !is_shell && matches!(language, "sh" | "bash" | "shell" | "console");
            continue;
        }
        if !is_shell {
            continue;
        }
        let bare = line.trim_start_matches("$ ").split(" #").next().unwrap_or("");
        let part = bare.trim_end_matches('\\').trim();
        match lines.last_mut().filter(|_| continues) {
            Some((_, before)) => *before = format!("{before} {part}"),
            None => lines.push((index + 1, part.to_owned())),
        }
        continues = bare.ends_with('\\');
    }
    lines
}

/// The words of each `cargo` command on a line: after `&&`, `;`, `|`, and after variables set for it.
fn cargo_commands(line: &str) -> Vec<Vec<String>> {
    let parts = line.split("&&").flat_map(|part| part.split([';', '|']));
    let commands = parts.map(|part| {
        let words = part.split_whitespace().skip_while(|word| is_assignment(word));
        words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect::<Vec<_>>()
    });
    commands.filter(|words| words.first().is_some_and(|word| word == "cargo")).collect()
}

fn is_assignment(word: &str) -> bool {
    let is_name =
        |name: &str| name.chars().all(|character| character.is_ascii_uppercase() || character == '_');
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && is_name(name))
}

/// A `cargo` command taken apart.
struct Command<'a> {
    subcommand: &'a str,
    /// Where its packages are: "" for the workspace at the root, else `bench` or `fuzz`.
    workspace: String,
    /// The options that name something, with what they name.
    named: Vec<(&'a str, &'a str)>,
    /// The words before `--` that are neither.
    plain: Vec<&'a str>,
    /// The words after `--`.
    passed: &'a [String],
}

impl<'a> Command<'a> {
    fn read(words: &'a [String], tree: &Tree) -> Result<Command<'a>, String> {
        let own = words.iter().position(|word| word == "--").unwrap_or(words.len());
        let passed = words.get(own + 1..).unwrap_or_default();
        let mut before = words[1..own].iter().map(String::as_str).filter(|word| !word.starts_with('+'));
        let subcommand = before.next().ok_or("it names no subcommand")?;
        let mut command =
            Command { subcommand, workspace: String::new(), named: Vec::new(), plain: Vec::new(), passed };
        while let Some(word) = before.next() {
            let (option, joined) =
                word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
            if !matches!(
                option,
                "-p" | "--package"
                    | "--example"
                    | "--bin"
                    | "--test"
                    | "--bench"
                    | "--path"
                    | "--manifest-path"
            ) {
                command.plain.extend(Some(word).filter(|word| !word.starts_with('-')));
                continue;
            }
            let value =
                joined.or_else(|| before.next()).ok_or_else(|| format!("`{option}` names nothing"))?;
            command.named.push((option, value));
            if option == "--manifest-path" {
                if tree.text(value).is_none() {
                    return Err(format!("there is no `{value}`"));
                }
                value.trim_end_matches("Cargo.toml").trim_end_matches('/').clone_into(&mut command.workspace);
            }
        }
        Ok(command)
    }

    fn check(&self, tree: &Tree) -> Result<(), String> {
        match self.subcommand {
            "xtask" => self.check_xtask(),
            "fuzz" => self.check_fuzz(tree),
            known if KNOWN.contains(&known) => self.check_names(tree),
            other => Err(format!("`cargo {other}` is not known here")),
        }
    }

    fn check_xtask(&self) -> Result<(), String> {
        let name = self.plain.first().copied().unwrap_or("");
        let is_there = crate::COMMANDS.iter().any(|command| command.name == name);
        if is_there { Ok(()) } else { Err(format!("xtask has no command `{name}`")) }
    }

    fn check_fuzz(&self, tree: &Tree) -> Result<(), String> {
        let package = tree
            .packages()
            .iter()
            .find(|package| package.folder == "fuzz")
            .ok_or("there is no folder `fuzz`")?;
        match self.plain.as_slice() {
            ["run", target, ..] if !package.targets("bin", "name").contains(target) => {
                Err(format!("there is no fuzz target `{target}`"))
            }
            _ => Ok(()),
        }
    }

    fn check_names(&self, tree: &Tree) -> Result<(), String> {
        for &(option, value) in &self.named {
            let is_there = match option {
                "-p" | "--package" => self.packages(tree).any(|package| package.name == value),
                "--path" => tree.exists(value.trim_start_matches("./")),
                "--manifest-path" => true,
                target => self.has_target(tree, target.trim_start_matches('-'), value),
            };
            if !is_there {
                return Err(format!("`{option} {value}` names nothing that is there"));
            }
        }
        if self.subcommand == "run" { self.check_passed(tree) } else { Ok(()) }
    }

    /// What is passed to the program and looks like a path of ours is there.
    fn check_passed(&self, tree: &Tree) -> Result<(), String> {
        let is_path =
            |word: &str| word.contains('/') && !word.contains(':') && !word.starts_with(['-', '/', '~', '.']);
        let relative = self.passed.iter().map(|word| word.strip_prefix("./").unwrap_or(word));
        let mut missing = relative.filter(|word| is_path(word) && !tree.exists(word));
        missing.next().map_or(Ok(()), |word| Err(format!("there is no `{word}`")))
    }

    /// The packages the command can mean by name.
    fn packages<'b>(&'b self, tree: &'b Tree) -> impl Iterator<Item = &'b Package> {
        let is_apart = |folder: &str| {
            ["bench", "fuzz"].iter().any(|apart| folder == *apart || folder.starts_with(&format!("{apart}/")))
        };
        tree.packages().iter().filter(move |package| {
            if self.workspace.is_empty() {
                !is_apart(&package.folder)
            } else {
                package.folder.starts_with(&self.workspace)
            }
        })
    }

    /// Whether a package the command means (the one of its `-p`, where it has one) has this target.
    fn has_target(&self, tree: &Tree, kind: &str, name: &str) -> bool {
        let chosen = self
            .named
            .iter()
            .find(|(option, _)| matches!(*option, "-p" | "--package"))
            .map(|(_, name)| *name);
        let folder = match kind {
            "bin" => "src/bin",
            "example" => "examples",
            "test" => "tests",
            _ => "benches",
        };
        let mut packages =
            self.packages(tree).filter(|package| chosen.is_none_or(|chosen| package.name == chosen));
        packages.any(|package| {
            let place = format!("{}/{folder}/{name}", package.folder);
            let is_main = kind == "bin"
                && package.name == name
                && tree.exists(&format!("{}/src/main.rs", package.folder));
            package.targets(kind, "name").contains(&name)
                || tree.exists(&format!("{place}.rs"))
                || tree.exists(&format!("{place}/main.rs"))
                || is_main
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(command: &str) -> Vec<String> {
        let readme = format!("# A\n\n```sh\n{command}\n```\n");
        let found = check(&Tree::of(&[
            ("README.md", &readme),
            ("crates/cli/Cargo.toml", "[package]\nname = \"gannet-cli\"\n[[bin]]\nname = \"gannet\""),
            ("crates/server/Cargo.toml", "[package]\nname = \"gannet-server\""),
            ("crates/server/tests/simulation.rs", ""),
            (
                "crates/engine/Cargo.toml",
                "[package]\nname = \"gannet-engine\"\n[[example]]\nname = \"echo\"\npath = \"echo.rs\"",
            ),
            ("examples/hello/Cargo.toml", "[package]\nname = \"example-hello\""),
            ("examples/site/index.html", ""),
            ("bench/Cargo.toml", "[package]\nname = \"gannet-bench\""),
            ("fuzz/Cargo.toml", "[package]\nname = \"gannet-fuzz\"\n[[bin]]\nname = \"head\""),
        ]));
        found.into_iter().map(|finding| finding.what).collect()
    }

    fn works(command: &str) -> bool {
        why(command).is_empty()
    }

    #[test]
    fn what_a_command_passes_to_the_binary_is_there() {
        assert!(works("cargo run --release -- examples/site"));
        assert!(works("cargo run --release -- ./examples/site --listen 127.0.0.1:0"));
        assert!(!works("cargo run --release -- examples/sites"));
        assert!(works("cargo run --release -- /var/www"));
    }

    #[test]
    fn packages_and_targets_are_there() {
        assert!(works("cargo test --workspace"));
        assert!(works("GANNET_SEED=7 cargo test -p gannet-server --test simulation"));
        assert!(!works("cargo test -p gannet-servers"));
        assert!(!works("cargo test -p gannet-cli --test simulation"));
        assert!(works("cargo run -p gannet-engine --example echo"));
        assert!(!works("cargo run --example=reverb"));
        assert!(works("cargo run --release -p example-hello"));
        assert!(!works("cargo run --release -p example-hallo"));
        assert!(works("cargo run --bin gannet"));
        assert!(!works("cargo test -p gannet-bench"));
        assert!(works("cargo run --manifest-path bench/Cargo.toml -- --rounds 5"));
        assert!(!works("cargo run --manifest-path benches/Cargo.toml"));
        assert!(works("cargo install --path crates/cli"));
    }

    #[test]
    fn xtask_commands_and_fuzz_targets_are_there() {
        assert!(works("cargo xtask tidy"));
        assert!(!works("cargo xtask tidier"));
        assert!(works("cargo +nightly fuzz run head"));
        assert!(!works("cargo fuzz run body"));
        assert!(!works("cargo frobnicate"));
    }

    #[test]
    fn every_command_of_a_line_is_read_with_its_prompt_comment_and_continuation() {
        assert_eq!(why("$ git clone x && cargo nope # why").len(), 1);
        assert_eq!(why("cargo run \\\n  -p nobody").len(), 1);
        assert!(works("echo hello # cargo nope"));
    }

    #[test]
    fn only_shell_blocks_are_commands() {
        let tree = Tree::of(&[("README.md", "```text\ncargo nope\n```\ncargo nope\n")]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn a_finding_names_its_line() {
        let tree = Tree::of(&[("docs/a.md", "# A\n```sh\nls\ncargo nope\n```\n")]);
        assert_eq!(super::super::finding::places(&check(&tree)), ["docs/a.md:4"]);
    }
}
