//! What serde says of a value, in words for whoever sent it: they know JSON and forms, and no types of Rust.

use std::borrow::Cow;

use super::fault::REPEATED;

/// Of a text that is quoted as much as this is told.
const QUOTED_BYTES: usize = 100;

/// What serde says (`invalid type: string "ten", expected u8`) in plain words; what is none of its sentences stays as it is.
pub(super) fn plain(message: String) -> String {
    worded(&message).unwrap_or(message)
}

fn worded(message: &str) -> Option<String> {
    let (what, rest) = message.split_once(' ')?;
    let (which, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    match (what, which) {
        ("missing", "field") if rest.starts_with('`') => Some("is missing".to_owned()),
        ("duplicate", "field") if rest.starts_with('`') => Some(REPEATED.to_owned()),
        ("data", "did") if rest.starts_with("not match any variant") => {
            Some("has none of the forms that are taken".to_owned())
        }
        ("unknown", "field" | "variant") => {
            let known = rest.rsplit_once("`, expected ").map_or("", |(_, known)| known);
            Some(not_known(known.split('`').skip(1).step_by(2)))
        }
        // What was found may be a text with anything in it; what was expected is not.
        ("invalid", "type:" | "value:") => {
            let (found, expected) = rest.rsplit_once(", expected ")?;
            Some(unexpected(found, expected, which == "value:"))
        }
        ("invalid", "length") => {
            let (length, expected) = rest.split_once(", expected ")?;
            let values = if length == "1" { "value" } else { "values" };
            Some(format!("expected {}, found {length} {values}", kind(expected)))
        }
        _ => None,
    }
}

/// A name that nobody knows, and those that there are.
pub(super) fn not_known<'n>(known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    if known.is_empty() {
        "is not known".to_owned()
    } else {
        format!("is not known; known: {}", known.join(", "))
    }
}

/// Something else than was expected. A text may stand for a number, `may_be_written`, or be one of JSON, which does not.
fn unexpected(found: &str, expected: &str, may_be_written: bool) -> String {
    let text = found.strip_prefix("string \"").and_then(|rest| rest.strip_suffix('"'));
    let number = match text {
        Some(text) => may_be_written.then_some(text),
        None => quoted(found, "integer `").or_else(|| quoted(found, "floating point `")),
    };
    if let Some((least, most)) = range(expected)
        && let Some(side) = number.and_then(|number| beyond(number, most))
    {
        return match side {
            Side::Above => format!("is too large: {most} is the largest that is taken"),
            Side::Below => format!("is too small: {least} is the smallest that is taken"),
        };
    }
    format!("expected {}, found {}", kind(expected), thing(found, text))
}

/// Where a number lies that does not fit.
enum Side {
    Above,
    Below,
}

/// Where a whole number lies that is not within a range up to `most`; none for what is no whole number.
fn beyond(number: &str, most: u128) -> Option<Side> {
    let digits = number.trim_start_matches(['-', '+']);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole {
        // What JSON's integers end at is read as a float.
        let number: f64 = number.parse().ok().filter(|number: &f64| number.fract() == 0.0)?;
        let most = most as f64;
        return if number > most { Some(Side::Above) } else { (number < -most).then_some(Side::Below) };
    }
    Some(if number.starts_with('-') { Side::Below } else { Side::Above })
}

/// The whole numbers that a type of this name has.
fn range(expected: &str) -> Option<(i128, u128)> {
    macro_rules! ranges {
        ($($name:ident)*) => {
            match expected {
                $(stringify!($name) => Some(($name::MIN as i128, $name::MAX as u128)),)*
                _ => None,
            }
        };
    }
    ranges!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize)
}

/// What was expected.
fn kind(expected: &str) -> Cow<'_, str> {
    if range(expected).is_some() {
        return "a whole number".into();
    }
    if let Some(size) = expected.rsplit_once(" of size ").or_else(|| expected.rsplit_once(" with ")) {
        let count = size.1.split(' ').next().unwrap_or_default();
        return if expected.starts_with("struct ") {
            "an object".into()
        } else {
            format!("an array of {count}").into()
        };
    }
    let kind = expected.strip_prefix("a ").unwrap_or(expected);
    let of_rust = |begin: &str| kind.starts_with(begin);
    match kind {
        "f32" | "f64" => "a number",
        "boolean" => "true or false",
        "unit" => "null",
        "string" => "a string",
        "map" => "an object",
        "sequence" => "an array",
        _ if kind.starts_with("nonzero ") => "a whole number other than 0",
        _ if of_rust("struct ") || of_rust("struct variant ") || of_rust("adjacently tagged ") => "an object",
        _ if of_rust("internally tagged ") => "an object",
        _ if of_rust("tuple struct ") || of_rust("tuple variant ") => "an array",
        _ if of_rust("unit struct ") || of_rust("unit variant ") => "null",
        _ if of_rust("enum ") || of_rust("variant ") || kind == "string or map" => {
            "one of the names that are taken"
        }
        _ if of_rust("newtype ") => "another value",
        _ => return expected.into(),
    }
    .into()
}

/// What was found.
fn thing(found: &str, text: Option<&str>) -> String {
    if let Some(text) = text {
        let cut = text.floor_char_boundary(QUOTED_BYTES);
        let more = if cut < text.len() { "\u{2026}" } else { "" };
        return if text.is_empty() { "nothing".to_owned() } else { format!("\"{}{more}\"", &text[..cut]) };
    }
    let number = quoted(found, "integer `").or_else(|| quoted(found, "floating point `"));
    match (number, quoted(found, "boolean `")) {
        (Some(number), _) => number.to_owned(),
        (_, Some(boolean)) => boolean.to_owned(),
        _ => match found {
            "sequence" => "an array".to_owned(),
            "map" => "an object".to_owned(),
            "unit value" => "null".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn quoted<'f>(found: &'f str, begin: &str) -> Option<&'f str> {
    found.strip_prefix(begin)?.strip_suffix('`')
}

/// What serde_json says of what is not JSON at all.
#[cfg(feature = "json")]
pub(super) fn broken(said: &str) -> Cow<'_, str> {
    if let Some(within) = said.strip_prefix("EOF while parsing ") {
        let within = if within == "a list" { "an array" } else { within };
        return format!("it ends within {within}").into();
    }
    match said {
        "expected ident" => "true, false or null was expected",
        "expected value" => "a value was expected",
        "trailing characters" => "there is something behind its end",
        "trailing comma" => "there is a comma with nothing behind it",
        "key must be a string" => "a key has to be a string in quotes",
        "recursion limit exceeded" => "it is nested deeper than 127",
        "invalid unicode code point" => "a string is not UTF-8",
        _ => return said.into(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_says_is_told_without_types_of_rust() {
        for (said, plain_words) in [
            ("invalid type: string \"ten\", expected u8", "expected a whole number, found \"ten\""),
            ("invalid value: string \"ten\", expected u8", "expected a whole number, found \"ten\""),
            ("invalid value: string \"\", expected i64", "expected a whole number, found nothing"),
            ("invalid value: string \"256\", expected u8", "is too large: 255 is the largest that is taken"),
            ("invalid value: string \"-1\", expected u64", "is too small: 0 is the smallest that is taken"),
            ("invalid type: string \"256\", expected u8", "expected a whole number, found \"256\""),
            (
                "invalid value: integer `-129`, expected i8",
                "is too small: -128 is the smallest that is taken",
            ),
            (
                "invalid type: floating point `1e20`, expected i64",
                "is too large: 9223372036854775807 is the largest that is taken",
            ),
            ("invalid type: floating point `1.5`, expected u8", "expected a whole number, found 1.5"),
            ("invalid type: sequence, expected struct NewBookmark", "expected an object, found an array"),
            ("invalid type: null, expected a map", "expected an object, found null"),
            ("invalid type: map, expected a sequence", "expected an array, found an object"),
            ("invalid type: boolean `true`, expected a string", "expected a string, found true"),
            ("invalid type: integer `7`, expected a boolean", "expected true or false, found 7"),
            ("invalid type: map, expected f64", "expected a number, found an object"),
            ("invalid length 1, expected struct Tag with 2 elements", "expected an object, found 1 value"),
            ("invalid length 3, expected a tuple of size 2", "expected an array of 2, found 3 values"),
            (
                "invalid type: integer `7`, expected string or map",
                "expected one of the names that are taken, found 7",
            ),
            ("unknown variant `left`, expected `up` or `down`", "is not known; known: up, down"),
            ("unknown field `x`, expected one of `a`, `b`, `c`", "is not known; known: a, b, c"),
            ("unknown field `x`, there are no fields", "is not known"),
            ("unknown field `a`, expected `b`, expected `c`", "is not known; known: c"),
            ("missing field `age`", "is missing"),
            ("duplicate field `age`", "is there more than once"),
            ("data did not match any variant of untagged enum Shape", "has none of the forms that are taken"),
            (
                "invalid type: string \"a, expected b\", expected u8",
                "expected a whole number, found \"a, expected b\"",
            ),
            ("the day is not in the calendar", "the day is not in the calendar"),
            ("UUID parsing failed: invalid length", "UUID parsing failed: invalid length"),
        ] {
            assert_eq!(plain(said.to_owned()), plain_words, "{said}");
        }
    }

    #[test]
    fn of_a_long_text_its_beginning_is_quoted() {
        let said = plain(format!("invalid type: string \"{}\", expected u8", "é".repeat(1000)));
        assert_eq!(said, format!("expected a whole number, found \"{}\u{2026}\"", "é".repeat(50)));
    }
}
