//! What a scenario found: a table, shown as text for the terminal and as markdown for `BENCHMARKS.md`.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// The result of one scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Table {
    /// The scenario's name, which is also the name of its section in a markdown file.
    pub scenario: String,
    /// One sentence: what was done.
    pub what: String,
    /// What the columns are.
    pub columns: Vec<Column>,
    /// One row per server, as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What is missing, and why.
    pub missing: Vec<String>,
    /// What of it is drawn.
    pub graph: Option<Graph>,
}

/// One column.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Column {
    /// Its head.
    pub head: String,
    /// With how many decimals its figures are shown; none where it holds words.
    pub decimals: Option<usize>,
}

impl Column {
    /// A column of words.
    pub fn words(head: &str) -> Column {
        Column { head: head.to_owned(), decimals: None }
    }

    /// A column of figures.
    pub fn figures(head: &str, decimals: usize) -> Column {
        Column { head: head.to_owned(), decimals: Some(decimals) }
    }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Figure(f64),
    /// Anything else.
    Words(String),
    /// There is none: a ratio to what was not measured.
    Nothing,
}

impl From<f64> for Cell {
    fn from(figure: f64) -> Cell {
        if figure.is_finite() { Cell::Figure(figure) } else { Cell::Nothing }
    }
}

impl From<String> for Cell {
    fn from(words: String) -> Cell {
        Cell::Words(words)
    }
}

impl From<&str> for Cell {
    fn from(words: &str) -> Cell {
        Cell::Words(words.to_owned())
    }
}

/// Which columns are drawn as bars.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Graph {
    /// What the bars show, with its unit.
    pub title: String,
    /// The column of their length.
    pub value: String,
    /// The columns of the lowest and the highest round, if they are shown.
    pub spread: Option<(String, String)>,
    /// The column of what is said behind a bar's value, with the words that follow it.
    pub note: Option<(String, String)>,
}

impl Table {
    /// The table for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("\n{}: {}\n\n", self.scenario, self.what);
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        for row in std::iter::once(self.heads()).chain(self.shown()) {
            let mut line = String::new();
            for ((cell, width), column) in row.iter().zip(&widths).zip(&self.columns) {
                let padding = " ".repeat(width - cell.chars().count());
                let parts = if column.decimals.is_none() {
                    [cell.as_str(), &padding]
                } else {
                    [&padding, cell.as_str()]
                };
                line.extend(parts.into_iter().chain(["  "]));
            }
            text.extend([line.trim_end(), "\n"]);
        }
        text.extend(self.missing.iter().flat_map(|missing| ["missing: ", missing.as_str(), "\n"]));
        text
    }

    /// The same for a markdown file.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        text.push_str(&line(&self.heads()));
        let rules = self.columns.iter().map(|column| if column.decimals.is_none() { "---" } else { "---:" });
        text.push_str(&line(&rules.map(str::to_owned).collect::<Vec<_>>()));
        text.extend(self.shown().map(|row| line(&row)));
        if !self.missing.is_empty() {
            let _ = write!(text, "\nMissing: {}.\n", self.missing.join("; "));
        }
        text
    }

    /// The place of a column, by its head.
    pub fn column(&self, head: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.head == head)
    }

    /// A cell as it is shown.
    pub fn show(&self, row: &[Cell], column: usize) -> String {
        match &row[column] {
            Cell::Figure(figure) => {
                format!("{figure:.decimals$}", decimals = self.columns[column].decimals.unwrap_or(2))
            }
            Cell::Words(words) => words.clone(),
            Cell::Nothing => "-".to_owned(),
        }
    }

    fn shown(&self) -> impl Iterator<Item = Vec<String>> {
        self.rows.iter().map(|row| (0..row.len()).map(|column| self.show(row, column)).collect())
    }

    fn heads(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.head.clone()).collect()
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| self.show(row, column).chars().count());
        cells.chain([self.columns[column].head.chars().count()]).max().unwrap_or_default()
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
            columns: vec![Column::words("server"), Column::figures("µs", 2)],
            rows: vec![vec!["null".into(), 5.4.into()], vec!["axum".into(), 16.2.into()]],
            missing: vec!["nginx: nginx is not installed".to_owned()],
            graph: None,
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
    fn a_table_survives_json_and_what_is_no_number_is_nothing() {
        let mut table = table();
        table.rows[1][1] = f64::NAN.into();
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<Table>(&json).unwrap(), table);
        assert!(table.markdown().contains("| axum | - |"));
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
