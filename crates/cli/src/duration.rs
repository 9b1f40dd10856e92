//! Durations, which have a unit: `500ms`, `5s`, `2m`, `1h`, `30d`, `1y`.

use std::time::Duration;

/// The units and their milliseconds; the longest name first where one ends with another.
const UNITS: [(&str, u64); 7] = [
    ("ms", 1),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
    ("d", 24 * 3600 * SECOND),
    ("w", 7 * 24 * 3600 * SECOND),
    ("y", 365 * 24 * 3600 * SECOND),
];

const SECOND: u64 = 1000;

/// More than a century is a slip of the finger, and beyond what clocks count.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Reads a duration.
///
/// # Errors
/// When it is none, with one that would be.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("this is no duration; write a number and its unit, such as 500ms, 5s, 2m, 1h, 30d or 1y"
            .to_owned());
    }
    if unit.is_empty() {
        return Err(format!(
            "the unit is missing; write {number}s for seconds (there are ms, s, m, h, d, w, y)"
        ));
    }
    let Some((_, milliseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("there is no unit {unit}; there are ms, s, m, h, d, w, y, as in {number}s"));
    };
    let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*milliseconds));
    total
        .map(Duration::from_millis)
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| "the longest duration is 100y".to_owned())
}

/// The same, of what must end: 0 would be none at all.
///
/// # Errors
/// As [`parse`], and when it is 0.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("in no time nothing can be done; write a longer one, such as 5s".to_owned()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_its_unit() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("0s", 0),
            ("5s", 5000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_told_with_one_that_is() {
        for (text, complaint) in [
            ("", "this is no duration; write a number and its unit, such as 500ms, 5s, 2m, 1h, 30d or 1y"),
            (
                "long",
                "this is no duration; write a number and its unit, such as 500ms, 5s, 2m, 1h, 30d or 1y",
            ),
            ("-5s", "this is no duration; write a number and its unit, such as 500ms, 5s, 2m, 1h, 30d or 1y"),
            ("10", "the unit is missing; write 10s for seconds (there are ms, s, m, h, d, w, y)"),
            ("10min", "there is no unit min; there are ms, s, m, h, d, w, y, as in 10s"),
            ("1.5s", "there is no unit .5s; there are ms, s, m, h, d, w, y, as in 1s"),
            ("101y", "the longest duration is 100y"),
            ("99999999999999999999s", "the longest duration is 100y"),
        ] {
            assert_eq!(parse(text), Err(complaint.to_owned()), "{text}");
        }
        let none = "in no time nothing can be done; write a longer one, such as 5s";
        assert_eq!(
            (parse_timeout("0ms"), parse_timeout("1ms")),
            (Err(none.to_owned()), Ok(Duration::from_millis(1)))
        );
    }
}
