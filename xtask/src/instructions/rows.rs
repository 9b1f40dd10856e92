//! The file of rows: what was counted, and with what.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command;

const LIMIT: Duration = Duration::from_secs(60);
const HEADER: &str = "\
# User instructions per request of each scenario in the folder `instructions`: what the server takes, without what its
# engine and the kernel do. Written by `cargo xtask instructions --write`; `cargo xtask ci` fails where a scenario takes over
# 2 % more than its row says. Other compilers, C libraries and CPU levels give other counts: elsewhere the rows bind nobody.
# (Valgrind has no AVX-512, so what such CPUs run may differ.)
";

/// What the counts depend on besides the code.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub rustc: String,
    pub c_library: String,
    pub cpu_level: String,
}

/// The rows, in the order of the scenarios.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub conditions: Conditions,
    pub rows: Vec<(String, u64)>,
}

impl Conditions {
    /// What they are here; the scenarios' program knows the CPU level.
    pub fn here(root: &Path, cpu_level: &str) -> Result<Conditions, String> {
        let ask = |program: &str, argument: &str| {
            let ended = command::run(Command::new(program).arg(argument).current_dir(root), LIMIT)?;
            Ok::<String, String>(ended.succeeded()?.text().trim().to_owned())
        };
        let rustc = ask("rustc", "--version")?.trim_start_matches("rustc ").to_owned();
        let c_library = ask("getconf", "GNU_LIBC_VERSION")?;
        Ok(Conditions { rustc, c_library, cpu_level: cpu_level.to_owned() })
    }

    /// What is different there, if anything is.
    pub fn difference(&self, there: &Conditions) -> Option<String> {
        let pairs = [
            ("rustc", &self.rustc, &there.rustc),
            ("C library", &self.c_library, &there.c_library),
            ("CPU level", &self.cpu_level, &there.cpu_level),
        ];
        let differ = pairs.iter().filter(|(_, rows, here)| rows != here);
        let said: Vec<String> = differ
            .map(|(what, rows, here)| format!("the rows were counted with {what} {rows}, here it is {here}"))
            .collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

impl Rows {
    /// Reads the file.
    pub fn parse(text: &str) -> Result<Rows, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let word = |key: &str| {
            let value = table.get(key).and_then(toml::Value::as_str);
            value.map(str::to_owned).ok_or_else(|| format!("no text `{key}`"))
        };
        let conditions = Conditions {
            rustc: word("rustc")?,
            c_library: word("c_library")?,
            cpu_level: word("cpu_level")?,
        };
        let rows = table.get("row").and_then(toml::Value::as_array).ok_or("no `[[row]]`")?;
        let rows = rows.iter().map(|row| Rows::row(row).ok_or("a row without scenario and instructions"));
        Ok(Rows { conditions, rows: rows.collect::<Result<_, _>>()? })
    }

    fn row(row: &toml::Value) -> Option<(String, u64)> {
        let scenario = row.get("scenario")?.as_str()?;
        let instructions = u64::try_from(row.get("instructions")?.as_integer()?).ok()?;
        Some((scenario.to_owned(), instructions))
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conditions { rustc, c_library, cpu_level } = &self.conditions;
        write!(f, "{HEADER}rustc = \"{rustc}\"\nc_library = \"{c_library}\"\ncpu_level = \"{cpu_level}\"\n")?;
        for (scenario, instructions) in &self.rows {
            write!(f, "\n[[row]]\nscenario = \"{scenario}\"\ninstructions = {instructions}\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(rustc: &str) -> Conditions {
        Conditions {
            rustc: rustc.to_owned(),
            c_library: "glibc 2.36".to_owned(),
            cpu_level: "avx2".to_owned(),
        }
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let rows = Rows {
            conditions: conditions("1.95.0"),
            rows: vec![("keep-alive".to_owned(), 5119), ("chunked".to_owned(), 7756)],
        };
        assert_eq!(Rows::parse(&rows.to_string()), Ok(rows));
    }

    #[test]
    fn what_is_wrong_with_a_file_of_rows_is_said() {
        let why = |text: &str| Rows::parse(text).expect_err("it is wrong");
        let head = "rustc = \"1\"\nc_library = \"2\"\n";
        assert_eq!(why(head), "no text `cpu_level`");
        assert_eq!(why(&format!("{head}cpu_level = \"3\"")), "no `[[row]]`");
        let row = "cpu_level = \"3\"\n[[row]]\nscenario = \"a\"\ninstructions = -1";
        assert_eq!(why(&format!("{head}{row}")), "a row without scenario and instructions");
        assert!(why("rustc = ").contains("line 1"));
    }

    #[test]
    fn rows_bind_only_where_nothing_they_depend_on_differs() {
        assert_eq!(conditions("1.95.0").difference(&conditions("1.95.0")), None);
        let said = "the rows were counted with rustc 1.95.0, here it is 1.96.0";
        assert_eq!(conditions("1.95.0").difference(&conditions("1.96.0")).as_deref(), Some(said));
    }
}
