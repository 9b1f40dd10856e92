//! Bars as SVG, once for light pages and once for dark ones: a name, a bar, its value at the end, the spread over the rounds
//! as a thin line. Gannet is coloured; a server that does nothing is pale. Written by hand, without scripts or fonts of its own.

use std::fmt::Write;

use crate::report::{Cell, Graph, Table};

const WIDTH: f64 = 760.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
/// Names end here, bars begin.
const LEFT: f64 = 158.0;
/// A character of a name, about.
const CHARACTER: f64 = 7.5;
/// What stands behind the longest bar fits in here.
const RIGHT: f64 = 190.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 14.0;
/// A bar much longer than the median is cut, so that the others can be told apart: at so many times the median.
const CUT: f64 = 4.0;

/// The page that a graph is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

struct Colours {
    text: &'static str,
    faint: &'static str,
    ours: &'static str,
    peer: &'static str,
    floor: &'static str,
    spread: &'static str,
}

impl Theme {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    fn colours(self) -> Colours {
        match self {
            Theme::Light => Colours {
                text: "#1f2328",
                faint: "#59636e",
                ours: "#0a69da",
                peer: "#8c959f",
                floor: "#d1d9e0",
                spread: "#1f2328",
            },
            Theme::Dark => Colours {
                text: "#f0f6fc",
                faint: "#9198a1",
                ours: "#4493f8",
                peer: "#656c76",
                floor: "#3d444d",
                spread: "#f0f6fc",
            },
        }
    }
}

/// One bar.
struct Bar {
    name: String,
    value: f64,
    /// The value as the table shows it, and what is said behind it.
    words: String,
    note: String,
    spread: Option<(f64, f64)>,
}

/// Draws what the table says is to be drawn, the lowest first; `None` if there is nothing.
pub fn draw(table: &Table, theme: Theme) -> Option<String> {
    let graph = table.graph.as_ref()?;
    let mut bars: Vec<Bar> = table.rows.iter().filter_map(|row| bar(table, graph, row)).collect();
    bars.sort_by(|one, other| one.value.total_cmp(&other.value));
    let longest = scale(&bars)?;
    let colours = theme.colours();
    let height = TOP + ROW * bars.len() as f64 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" font-family=\"-apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <text x=\"2\" y=\"16\" font-size=\"15\" font-weight=\"600\" fill=\"{}\">{title}</text>\n\
         <text x=\"2\" y=\"34\" font-size=\"12\" fill=\"{}\">{}; shorter is better</text>\n",
        colours.text,
        colours.faint,
        escape(&subtitle(table)),
        title = escape(&graph.title),
    );
    let left = left(&bars);
    let axis = Axis { left, unit: (WIDTH - left - RIGHT) / longest, longest };
    for (place, bar) in bars.iter().enumerate() {
        row(&mut svg, bar, TOP + ROW * place as f64, axis, &colours);
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// What was done, without how.
fn subtitle(table: &Table) -> String {
    let what = table.what.split("; ").next().and_then(|what| what.split(": ").next()).unwrap_or_default();
    what.replace('`', "")
}

fn bar(table: &Table, graph: &Graph, row: &[Cell]) -> Option<Bar> {
    let figure = |head: &str| match row[table.column(head)?] {
        Cell::Figure(figure) => Some(figure),
        _ => None,
    };
    let names: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.decimals.is_none())
        .map(|(place, _)| table.show(row, place))
        .collect();
    let note = graph.note.as_ref().and_then(|(head, words)| {
        let shown = table.show(row, table.column(head)?);
        // A ratio reads `1.04 × null`, whose sign is part of the words already.
        (shown != "-").then(|| format!("{shown} {words}"))
    });
    Some(Bar {
        name: names.join(", "),
        value: figure(&graph.value)?,
        words: table.show(row, table.column(&graph.value)?),
        note: note.unwrap_or_default(),
        spread: graph.spread.as_ref().and_then(|(low, high)| Some((figure(low)?, figure(high)?))),
    })
}

/// What the whole width stands for.
fn scale(bars: &[Bar]) -> Option<f64> {
    let longest = bars.last()?.value;
    let median = bars[bars.len() / 2].value;
    let scale = if longest > median * CUT * 1.5 { median * CUT } else { longest };
    (scale > 0.0).then_some(scale)
}

/// Where bars begin, and what a unit of their value is long; those beyond `longest` are cut.
#[derive(Clone, Copy)]
struct Axis {
    left: f64,
    unit: f64,
    longest: f64,
}

/// Where bars begin: long names need more than is usual.
fn left(bars: &[Bar]) -> f64 {
    let characters = bars.iter().map(|bar| bar.name.chars().count()).max().unwrap_or(0);
    LEFT.max(characters as f64 * CHARACTER)
}

fn row(svg: &mut String, bar: &Bar, top: f64, Axis { left, unit, longest }: Axis, colours: &Colours) {
    let is_ours = bar.name.starts_with("gannet");
    let (fill, weight) = match &bar.name {
        _ if is_ours => (colours.ours, "600"),
        name if name.starts_with("null-") => (colours.floor, "400"),
        _ => (colours.peer, "400"),
    };
    let is_cut = bar.value > longest;
    let end = left + bar.value.clamp(0.0, longest) * unit;
    let (middle, baseline) = (top + BAR / 2.0, top + BAR / 2.0 + 4.5);
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{baseline:.1}\" text-anchor=\"end\" font-weight=\"{weight}\" fill=\"{}\">{}</text>",
        left - 8.0,
        colours.text,
        escape(&bar.name),
    );
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{fill}\"/>",
        (end - left).max(1.0),
    );
    let mut text_at = end;
    if let Some((low, high)) = bar.spread
        && !is_cut
    {
        let (low, high) =
            (left + low.clamp(0.0, longest) * unit, left + high.clamp(0.0, longest * 1.06) * unit);
        text_at = end.max(high);
        let _ = writeln!(
            svg,
            "<path d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v6M{high:.1} {:.1}v6\" stroke=\"{}\" fill=\"none\"/>",
            middle - 3.0,
            middle - 3.0,
            colours.spread,
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{baseline:.1}\" font-weight=\"{weight}\" fill=\"{}\">{}{}<tspan dx=\"8\" font-weight=\"400\" \
         font-size=\"12\" fill=\"{}\">{}</tspan></text>",
        text_at + 7.0,
        colours.text,
        if is_cut { "→ " } else { "" },
        escape(&bar.words),
        colours.faint,
        escape(&bar.note),
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Column;

    fn table(values: &[(&str, f64)]) -> Table {
        Table {
            scenario: "keepalive".to_owned(),
            what: "Sixty-four connections.".to_owned(),
            columns: vec![Column::words("server"), Column::figures("µs", 2)],
            rows: values.iter().map(|(name, value)| vec![(*name).into(), (*value).into()]).collect(),
            missing: Vec::new(),
            graph: Some(Graph {
                title: "µs & more".to_owned(),
                value: "µs".to_owned(),
                spread: None,
                note: None,
            }),
        }
    }

    #[test]
    fn bars_stand_in_the_order_of_their_values() {
        let svg = draw(&table(&[("axum", 4.0), ("gannet-uring", 3.0)]), Theme::Light).unwrap();
        assert!(svg.find("gannet-uring").unwrap() < svg.find("axum").unwrap());
        assert!(svg.contains("µs &amp; more") && svg.contains(">3.00<") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_bar_that_would_dwarf_the_others_is_cut_and_says_so() {
        let svg = draw(&table(&[("a", 1.0), ("b", 1.0), ("slow", 100.0)]), Theme::Dark).unwrap();
        assert_eq!(svg.matches("→ 100.00").count(), 1);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(draw(&table(&[]), Theme::Dark), None);
        assert_eq!(draw(&table(&[("a", f64::NAN)]), Theme::Dark), None);
    }
}
