//! Counts held to their rows: more by over 2 % fails, less by over 2 % asks for a lower row.

use std::fmt;

use super::WRITE;

/// What a count may differ from its row, in percent. The same program takes the same instructions each time; this is room for what
/// a compiler makes of code around a change.
const MARGIN_PERCENT: f64 = 2.0;

/// One scenario, or a row of none.
#[derive(Debug)]
struct Line {
    scenario: String,
    row: Option<u64>,
    count: Option<f64>,
}

/// Rows and counts side by side.
#[derive(Debug)]
pub struct Comparison {
    lines: Vec<Line>,
}

/// Rows of counts: whole instructions.
pub fn rounded(counts: &[(String, f64)]) -> Vec<(String, u64)> {
    counts.iter().map(|(scenario, count)| (scenario.clone(), count.round() as u64)).collect()
}

impl Comparison {
    pub fn new(rows: &[(String, u64)], counts: &[(String, f64)]) -> Comparison {
        let row = |scenario: &str| rows.iter().find(|(name, _)| name == scenario).map(|(_, row)| *row);
        let counted = counts.iter().map(|(scenario, count)| Line {
            scenario: scenario.clone(),
            row: row(scenario),
            count: Some(*count),
        });
        let is_counted = |scenario: &str| counts.iter().any(|(name, _)| name == scenario);
        let left_over = rows.iter().filter(|(scenario, _)| !is_counted(scenario));
        let left_over = left_over.map(|(scenario, row)| Line {
            scenario: scenario.clone(),
            row: Some(*row),
            count: None,
        });
        Comparison { lines: counted.chain(left_over).collect() }
    }

    /// Whether all rows hold, and then what can be said of them.
    ///
    /// # Errors
    /// Every scenario that takes more than its row says, or has none, and every row of no scenario.
    pub fn judge(&self) -> Result<String, String> {
        let faults: Vec<String> = self.lines.iter().filter_map(Line::fault).collect();
        if !faults.is_empty() {
            return Err(format!("{}; where that is meant: `{WRITE}`", faults.join("; ")));
        }
        let held = format!("{} scenarios within {MARGIN_PERCENT} % of their rows", self.lines.len());
        let lower: Vec<&str> =
            self.lines.iter().filter(|line| line.is_far_below()).map(|line| line.scenario.as_str()).collect();
        Ok(match lower.len() {
            0 => held,
            _ => format!("{held} or below; lower the rows of {} by `{WRITE}`", lower.join(", ")),
        })
    }
}

impl Line {
    /// How far the count is above its row.
    fn percent(&self) -> Option<f64> {
        let (row, count) = (self.row? as f64, self.count?);
        Some((count - row) / row * 100.0)
    }

    fn fault(&self) -> Option<String> {
        let scenario = &self.scenario;
        match (self.row, self.count) {
            (Some(_), None) => Some(format!("a row is of `{scenario}`, which is no scenario")),
            (None, _) => Some(format!("{scenario} has no row")),
            (Some(row), Some(count)) => {
                let percent = self.percent().filter(|percent| *percent > MARGIN_PERCENT)?;
                let takes = format!("{scenario} takes {count:.0} instructions per request");
                Some(format!("{takes}, {percent:.1} % more than the {row} of its row"))
            }
        }
    }

    fn is_far_below(&self) -> bool {
        self.percent().is_some_and(|percent| percent < -MARGIN_PERCENT)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:24} {:>8} {:>8} {:>8}", "instructions per request", "row", "now", "change")?;
        for line in &self.lines {
            let row = line.row.map_or("-".to_owned(), |row| row.to_string());
            let count = line.count.map_or("-".to_owned(), |count| format!("{count:.0}"));
            let change = line.percent().map_or("-".to_owned(), |percent| format!("{percent:+.1} %"));
            write!(f, "\n{:24} {row:>8} {count:>8} {change:>8}", line.scenario)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[(&str, u64)], counts: &[(&str, f64)]) -> Result<String, String> {
        let rows: Vec<_> = rows.iter().map(|(name, row)| ((*name).to_owned(), *row)).collect();
        let counts: Vec<_> = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Comparison::new(&rows, &counts).judge()
    }

    #[test]
    fn a_scenario_may_take_two_percent_more_than_its_row_and_no_more() {
        assert_eq!(
            judged(&[("a", 1000)], &[("a", 1020.0)]).as_deref(),
            Ok("1 scenarios within 2 % of their rows")
        );
        let why = judged(&[("a", 1000)], &[("a", 1021.0)]).expect_err("2.1 %");
        assert!(
            why.starts_with("a takes 1021 instructions per request, 2.1 % more than the 1000 of its row"),
            "{why}"
        );
        assert!(why.ends_with("`cargo xtask instructions --write`"), "{why}");
    }

    #[test]
    fn a_row_that_is_far_above_its_count_is_to_be_lowered() {
        let held =
            judged(&[("a", 1000), ("b", 1000)], &[("a", 979.0), ("b", 980.0)]).expect("less is no fault");
        assert!(held.contains("lower the rows of a by"), "{held}");
    }

    #[test]
    fn each_scenario_has_a_row_and_each_row_a_scenario() {
        let why = judged(&[("gone", 1)], &[("new", 1.0)]).expect_err("neither has its other");
        assert!(why.contains("new has no row") && why.contains("`gone`, which is no scenario"), "{why}");
    }

    #[test]
    fn rows_and_counts_are_shown_side_by_side() {
        let comparison =
            Comparison::new(&[("a".to_owned(), 1000)], &[("a".to_owned(), 1100.4), ("b".to_owned(), 5.0)]);
        let lines: Vec<String> = comparison
            .to_string()
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines[1..], ["a 1000 1100 +10.0 %", "b - 5 -"]);
    }
}
