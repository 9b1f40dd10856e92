//! What a body's `Content-Type` says (RFC 9110, 8.3.1).

use gannet_core::{Rejection, Request};

/// The type and subtype as they were sent, without parameters; none where there is no such field.
pub(super) fn essence(request: &Request) -> Option<&str> {
    request.field_str("Content-Type").map(|value| value.split(';').next().unwrap_or_default().trim())
}

/// 415: the body's type is not the one that was expected, or is not said.
#[cold]
pub(super) fn unsupported(request: &Request, expected: &str) -> Rejection {
    Rejection::unsupported(match essence(request) {
        Some(essence) => format!("is {essence}; {expected} was expected"),
        None => format!("is missing; {expected} was expected"),
    })
}

/// A parameter's value, unquoted.
pub(super) fn parameter(value: &str, name: &str) -> Option<String> {
    parameters(value).find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The parameters behind the first semicolon: names, and values unquoted (RFC 9110, 5.6.6). What cannot be read ends them.
pub(super) fn parameters(value: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = value.split_once(';').map(|(_, rest)| rest);
    std::iter::from_fn(move || {
        let text = rest.take()?.trim_start_matches([' ', '\t', ';']);
        let (name, text) = text.split_once('=')?;
        let (value, behind) = match text.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = text.find(';').unwrap_or(text.len());
                (text[..end].trim().to_owned(), &text[end..])
            }
        };
        rest = Some(behind);
        Some((name.trim(), value))
    })
}

/// A quoted text up to its closing quote, and what is behind that.
fn unquoted(quoted: &str) -> Option<(String, &str)> {
    let (mut text, mut escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            // Only these two are escaped: browsers before 2021 left a backslash in a file's name as it was.
            '"' | '\\' if escaped => text.push(character),
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => {}
            character => {
                if escaped {
                    text.push('\\');
                }
                text.push(character);
            }
        }
        escaped = character == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_quoted_and_not() {
        let value = "multipart/form-data; Boundary=\"a;b\\\"c\" ; charset = utf-8;x=\"C:\\dir\\\\f\"";
        let all: Vec<_> = parameters(value).collect();
        let pair = |name, value: &str| (name, value.to_owned());
        assert_eq!(all, [pair("Boundary", "a;b\"c"), pair("charset", "utf-8"), pair("x", "C:\\dir\\f")]);
        assert_eq!(parameter(value, "BOUNDARY").as_deref(), Some("a;b\"c"));
        for nothing in ["a/b", "a/b;", "a/b; x", "a/b; x=\"y"] {
            assert_eq!(parameters(nothing).count(), 0, "{nothing}");
        }
    }
}
