//! What is kept of a run: one JSON file a scenario in `bench/results`, from which its section of `BENCHMARKS.md` and its
//! graph are made, so that neither can say anything that the command did not print.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    graph::{self, Theme},
    machine::Origin,
    report::Table,
};

/// The result of one scenario, and where it comes from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// What was found.
    #[serde(flatten)]
    pub table: Table,
    /// Where, when and with what.
    pub origin: Origin,
}

/// Where results are kept, and what is made of them.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
}

impl Output {
    /// In a folder that is laid out as the repository is.
    pub fn new(folder: PathBuf) -> Output {
        Output { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a result, and makes its section and its graph anew.
    pub fn keep(&self, record: &Record) -> io::Result<()> {
        let mut json = serde_json::to_string_pretty(record).map_err(io::Error::other)?;
        json.push('\n');
        write(&self.results().join(format!("{}.json", record.table.scenario)), &json)?;
        self.render(record)
    }

    /// The result of a scenario, if there is one that can be read.
    pub fn kept(&self, scenario: &str) -> Option<Record> {
        read(&self.results().join(format!("{scenario}.json"))).ok()
    }

    /// Makes every section and graph anew; returns how many there are.
    pub fn render_all(&self) -> io::Result<usize> {
        let records = self.all()?;
        records.iter().try_for_each(|record| self.render(record))?;
        Ok(records.len())
    }

    /// Every result.
    fn all(&self) -> io::Result<Vec<Record>> {
        let entries: io::Result<Vec<_>> = fs::read_dir(self.results())?.collect();
        let mut paths: Vec<PathBuf> = entries?.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        let is_json = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "json");
        paths.iter().filter(is_json).map(|path| read(path)).collect()
    }

    fn render(&self, record: &Record) -> io::Result<()> {
        for theme in [Theme::Light, Theme::Dark] {
            if let Some(svg) = graph::draw(&record.table, theme) {
                write(&self.folder.join(image(&record.table.scenario, theme)), &svg)?;
            }
        }
        let text = match fs::read_to_string(self.document()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "# Benchmarks\n".to_owned(),
            text => text?,
        };
        write(&self.document(), &with_section(&text, &record.table.scenario, &section(record)))
    }

    fn results(&self) -> PathBuf {
        self.folder.join("bench/results")
    }

    fn document(&self) -> PathBuf {
        self.folder.join("BENCHMARKS.md")
    }
}

fn read(path: &Path) -> io::Result<Record> {
    let text = fs::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

fn image(scenario: &str, theme: Theme) -> String {
    format!("docs/images/bench-{scenario}-{}.svg", theme.name())
}

/// What the document says of a result.
fn section(record: &Record) -> String {
    let Record { table, origin } = record;
    let picture = match &table.graph {
        Some(graph) if !table.rows.is_empty() => format!(
            "<picture>\n  <source media=\"(prefers-color-scheme: dark)\" srcset=\"{}\">\n  <img alt=\"{}\" src=\"{}\">\n\
             </picture>\n\n",
            image(&table.scenario, Theme::Dark),
            graph.title,
            image(&table.scenario, Theme::Light),
        ),
        _ => String::new(),
    };
    format!("{}\n\n{picture}{}\n{}", table.what, table.markdown(), origin.markdown())
}

/// The text with a section in its old place if it has one, else at the end.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::repository;

    #[test]
    fn a_section_is_appended_once_and_replaced_after() {
        let first = with_section("# Title\n", "idle", "old");
        let second = with_section(&first, "idle", "new");
        assert!(first.starts_with("# Title\n") && first.contains("\nold\n"));
        assert_eq!(second, first.replace("old", "new"));
    }

    #[test]
    fn the_document_and_the_graphs_show_the_results_that_are_kept() {
        let output = Output::new(repository().to_owned());
        let document = fs::read_to_string(output.document()).unwrap();
        for record in output.all().unwrap() {
            let name = &record.table.scenario;
            assert!(
                document.contains(&section(&record)),
                "BENCHMARKS.md is not what {name}.json says: --render"
            );
            for theme in [Theme::Light, Theme::Dark] {
                let drawn = graph::draw(&record.table, theme);
                let kept = fs::read_to_string(output.folder.join(image(name, theme))).ok();
                assert!(
                    drawn.is_none() || drawn == kept,
                    "{} is not what {name}.json says",
                    image(name, theme)
                );
            }
        }
    }
}
