//! Tables, as text for the terminal and as markdown for `BENCHMARKS.md`.

use std::{fmt::Write, fs, io, path::Path};

/// The columns that hold words; all others hold figures.
const WORDS: [&str; 3] = ["server", "asked for", "by name"];

/// The result of one scenario.
#[derive(Debug)]
pub struct Table {
    /// The scenario's name, which is also the name of its section in a markdown file.
    pub scenario: String,
    /// One sentence: what was done.
    pub what: String,
    /// The heads of the columns.
    pub columns: Vec<&'static str>,
    /// One row per server, as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
    /// What is missing, and why.
    pub missing: Vec<String>,
}

impl Table {
    /// The table for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("\n{}: {}\n\n", self.scenario, self.what);
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        for row in std::iter::once(self.heads()).chain(self.rows.clone()) {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width - cell.chars().count());
                let words = WORDS.contains(&self.columns[column]);
                let parts = if words { [cell.as_str(), &padding] } else { [&padding, cell.as_str()] };
                line.extend(parts.into_iter().chain(["  "]));
            }
            text.extend([line.trim_end(), "\n"]);
        }
        text.extend(self.missing.iter().flat_map(|missing| ["missing: ", missing.as_str(), "\n"]));
        text
    }

    /// The same for a markdown file.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", self.what);
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        text.push_str(&line(&self.heads()));
        let rules = self.columns.iter().map(|column| if WORDS.contains(column) { "---" } else { "---:" });
        text.push_str(&line(&rules.map(str::to_owned).collect::<Vec<_>>()));
        text.extend(self.rows.iter().map(|row| line(row)));
        if !self.missing.is_empty() {
            let _ = write!(text, "\nMissing: {}.\n", self.missing.join("; "));
        }
        text
    }

    fn heads(&self) -> Vec<String> {
        self.columns.iter().map(|column| (*column).to_owned()).collect()
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].chars().count());
        cells.chain([self.columns[column].chars().count()]).max().unwrap_or_default()
    }
}

/// Writes a scenario's section into a markdown file: in its old place if it has one, else at the end.
pub fn write_section(path: &Path, name: &str, body: &str) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    fs::write(path, with_section(&text, name, body))
}

fn with_section(text: &str, name: &str, body: &str) -> String {
    let (begin, end) = (format!("<!-- bench: {name} -->\n"), format!("<!-- /bench: {name} -->\n"));
    let place = text.find(&begin).and_then(|start| {
        let inside = start + begin.len();
        Some((inside, inside + text[inside..].find(&end)?))
    });
    match place {
        Some((inside, close)) => format!("{}\n{body}\n{}", &text[..inside], &text[close..]),
        None => format!("{text}\n### {name}\n\n{begin}\n{body}\n{end}"),
    }
}

/// The middle value; of an even number, the mean of the two in the middle. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    Some(if sorted.len() % 2 == 1 { upper } else { f64::midpoint(sorted[sorted.len() / 2 - 1], upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            scenario: "keepalive".to_owned(),
            what: "Sixty-four connections.".to_owned(),
            columns: vec!["server", "µs"],
            rows: vec![
                vec!["null".to_owned(), "5.40".to_owned()],
                vec!["axum".to_owned(), "16.20".to_owned()],
            ],
            missing: vec!["nginx: nginx is not installed".to_owned()],
        }
    }

    #[test]
    fn text_aligns_names_left_and_figures_right() {
        let text = table().text();
        assert!(text.contains("server     µs\nnull     5.40\naxum    16.20\n"), "{text}");
        assert!(text.contains("missing: nginx: nginx is not installed"), "{text}");
    }

    #[test]
    fn markdown_has_a_rule_under_its_heads() {
        let text = table().markdown();
        assert!(text.contains("| server | µs |\n| --- | ---: |\n| null | 5.40 |\n"), "{text}");
    }

    #[test]
    fn a_section_is_appended_once_and_replaced_after() {
        let first = with_section("# Title\n", "idle", "old");
        let second = with_section(&first, "idle", "new");
        assert!(first.starts_with("# Title\n") && first.contains("\nold\n"));
        assert_eq!(second, first.replace("old", "new"));
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
