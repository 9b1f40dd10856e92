//! Metrics as text: OpenMetrics 1.0, or the text format 0.0.4 that Prometheus had before.

use std::fmt::{Display, Write};

use super::families::{Family, Kind};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    OpenMetrics,
    /// The text format 0.0.4: a counter's family is named as its sample, and there are no units and no end.
    Text,
}

/// What is being written.
pub(crate) struct Exposition {
    style: Style,
    text: String,
    name: &'static str,
    suffix: &'static str,
    labels: &'static [&'static str],
}

/// Seconds that are kept in nanoseconds: written exactly, as no binary fraction is.
pub(crate) struct Seconds(pub(crate) u64);

impl Style {
    /// What a client accepts, of both the one it likes better (RFC 9110, 12.5.1); OpenMetrics if it does not say.
    pub(crate) fn accepted(accept: &str) -> Style {
        let (mut open_metrics, mut text, mut anything) = (None, None, None);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let place = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => &mut open_metrics,
                "text/plain" | "text/*" => &mut text,
                "*/*" | "application/*" => &mut anything,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(1.0, |quality| quality.parse::<f32>().unwrap_or(0.0));
            *place = Some(place.unwrap_or(0.0_f32).max(quality));
        }
        let open_metrics = open_metrics.or(anything).unwrap_or(0.0);
        if text.unwrap_or(0.0) > open_metrics { Style::Text } else { Style::OpenMetrics }
    }

    /// The media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Style::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Style::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

impl Exposition {
    pub(crate) fn new(style: Style) -> Exposition {
        Exposition { style, text: String::new(), name: "", suffix: "", labels: &[] }
    }

    /// Begins a family.
    pub(crate) fn family(&mut self, family: &'static Family) {
        (self.name, self.suffix, self.labels) = (family.name, family.kind.suffix(), family.labels);
        let (name, kind) = match self.style {
            Style::OpenMetrics => (family.name.to_owned(), family.kind.name()),
            Style::Text => (format!("{}{}", family.name, self.suffix), family.kind.plain_name()),
        };
        let _ = writeln!(self.text, "# TYPE {name} {kind}"); // writing to a string does not fail
        if self.style == Style::OpenMetrics && !family.unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {name} {}", family.unit);
        }
        let _ = writeln!(self.text, "# HELP {name} {}", family.help);
    }

    /// A sample of it, with a value for each of its labels.
    pub(crate) fn sample(&mut self, labels: &[&str], value: impl Display) {
        self.sample_of(self.suffix, labels, None, &value);
    }

    /// A part of a histogram: its name's end, and for a bucket the bound.
    pub(crate) fn sample_of(
        &mut self,
        suffix: &str,
        labels: &[&str],
        bound: Option<&str>,
        value: &dyn Display,
    ) {
        debug_assert!(labels.len() == self.labels.len(), "{} has a value for each label", self.name);
        let _ = write!(self.text, "{}{suffix}", self.name);
        let labels = self.labels.iter().copied().zip(labels.iter().copied());
        let mut before = '{';
        for (label, value) in labels.chain(bound.map(|bound| ("le", bound))) {
            let _ = write!(self.text, "{before}{label}=\"{}\"", escaped(value));
            before = ',';
        }
        let after = if before == ',' { "}" } else { "" };
        let _ = writeln!(self.text, "{after} {value}");
    }

    /// All of it.
    pub(crate) fn finish(mut self) -> String {
        if self.style == Style::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Info => "info",
        }
    }

    fn plain_name(self) -> &'static str {
        if self == Kind::Info { "gauge" } else { self.name() }
    }

    fn suffix(self) -> &'static str {
        match self {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        }
    }
}

impl Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fraction = format!("{:09}", self.0 % 1_000_000_000);
        let fraction = fraction.trim_end_matches('0');
        write!(f, "{}.{}", self.0 / 1_000_000_000, if fraction.is_empty() { "0" } else { fraction })
    }
}

/// A label's value, in which backslash, quote and line feed are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_given_what_it_likes_better() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        for (accept, style) in [
            (prometheus, Style::OpenMetrics),
            ("", Style::OpenMetrics),
            ("*/*", Style::OpenMetrics),
            ("text/plain", Style::Text),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Style::Text),
            ("Text/Plain; q=0.2, application/openmetrics-text; q=0.1", Style::Text),
            ("text/html,*/*;q=0.8", Style::OpenMetrics),
        ] {
            assert_eq!(Style::accepted(accept), style, "{accept}");
        }
    }

    #[test]
    fn seconds_are_written_to_the_nanosecond_and_without_idle_zeros() {
        for (nanoseconds, expected) in
            [(0, "0.0"), (10_000, "0.00001"), (1_500_000_000, "1.5"), (100_000_000_000, "100.0")]
        {
            assert_eq!(Seconds(nanoseconds).to_string(), expected);
        }
    }

    #[test]
    fn a_label_s_value_stays_within_its_quotes() {
        assert_eq!(escaped("/a\"b\\c\nd"), "/a\\\"b\\\\c\\nd");
    }
}
