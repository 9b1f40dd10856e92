//! A small, strict reader of OpenMetrics 1.0: what it takes, a collector takes. (A collector's own reader is in `cargo xtask ci`.)

use std::collections::{BTreeMap, BTreeSet};

use crate::rig::{Answer, Client};

/// Samples by name and labels, as they are written.
pub struct Metrics {
    samples: BTreeMap<String, f64>,
}

/// What each type's samples may be called.
fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_count", "_sum"],
        "info" => &["_info"],
        other => panic!("{other} is no type that is used here"),
    }
}

impl Metrics {
    /// What the admin listener tells now.
    pub fn of(admin: &mut Client) -> Metrics {
        let answer = admin.get("/metrics");
        let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!((answer.status, answer.field("content-type")), (200, Some(expected)));
        Metrics::read(&answer)
    }

    fn read(answer: &Answer) -> Metrics {
        let text = answer.text().strip_suffix("# EOF\n").expect("the end is said");
        let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
        let (mut family, mut kind) = (String::new(), String::new());
        for line in text.lines() {
            if let Some(description) = line.strip_prefix("# ") {
                let words: Vec<&str> = description.splitn(3, ' ').collect();
                let &[what, name, value] = words.as_slice() else { panic!("{line}") };
                if what == "TYPE" {
                    assert!(families.insert(name.to_owned()), "{name} is described twice");
                    (family, kind) = (name.to_owned(), value.to_owned());
                }
                assert!(
                    name == family && ["TYPE", "UNIT", "HELP"].contains(&what) && !value.is_empty(),
                    "{line}"
                );
                assert!(what != "UNIT" || name.ends_with(value), "{line}");
                continue;
            }
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let name = series.split('{').next().expect("a name");
            let suffix = name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} is not of {family}"));
            assert!(suffixes(&kind).contains(&suffix), "{line} is no {kind}");
            labels(&series[name.len()..]);
            let value = value.parse().unwrap_or_else(|_| panic!("{line} has no number"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} is there twice");
        }
        let metrics = Metrics { samples };
        metrics.check_histograms();
        metrics
    }

    /// Buckets grow, and the last one counts all.
    fn check_histograms(&self) {
        for (series, count) in self.samples.iter().filter(|(series, _)| series.contains("_seconds_count{")) {
            let prefix = series.replace("_count{", "_bucket{").replace('}', ",");
            let mut buckets: Vec<(f64, f64)> = Vec::new();
            for (bucket, value) in self.samples.iter().filter(|(name, _)| name.starts_with(&prefix)) {
                let bound = bucket.rsplit_once("le=\"").and_then(|(_, end)| end.strip_suffix("\"}"));
                buckets.push((
                    bound.expect("a bound").replace("+Inf", "inf").parse().expect("a number"),
                    *value,
                ));
            }
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(buckets.is_sorted_by(|one, other| one.1 <= other.1), "{series}: {buckets:?}");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{series}");
        }
    }

    /// A sample; 0 if there is none.
    pub fn get(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or(0.0)
    }

    /// The sum of all samples whose name and labels begin so.
    pub fn sum(&self, prefix: &str) -> f64 {
        self.samples.iter().filter(|(series, _)| series.starts_with(prefix)).map(|(_, value)| value).sum()
    }
}

/// `{name="value",..}`, in which quotes, backslashes and line feeds are escaped.
fn labels(text: &str) {
    let Some(mut rest) = text.strip_prefix('{') else { return assert!(text.is_empty(), "{text}") };
    loop {
        let (name, value) = rest.split_once("=\"").expect("a label");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{text}");
        let mut escaped = false;
        let end = value.find(|character| match character {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' => {
                escaped = true;
                false
            }
            character => character == '"',
        });
        rest = &value[end.expect("a value's end") + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return assert_eq!(rest, "}", "{text}"),
        }
    }
}
