//! What is said of how to authenticate (RFC 9110, 11.6.1).

/// A quoted string of what can be in one (RFC 9110, 5.6.4); everything else becomes a question mark.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            ' '..='~' => quoted.push(letter),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

/// What follows a scheme's name in the field `Authorization`, where that is the one that is meant (RFC 9110, 11.4).
pub(super) fn credentials<'a>(field: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (name, rest) = field.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    name.eq_ignore_ascii_case(scheme.as_bytes()).then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_quoted_string_is_escaped_and_what_cannot_be_in_one_replaced() {
        assert_eq!(quoted("the office"), "\"the office\"");
        assert_eq!(quoted("a \"b\" \\ c\r\nd é"), "\"a \\\"b\\\" \\\\ c??d ?\"");
    }

    #[test]
    fn a_scheme_is_known_in_any_case_and_from_others_that_begin_alike() {
        assert_eq!(credentials(b"bAsic  YTpi ", "Basic"), Some(&b"YTpi"[..]));
        for other in ["Basically YTpi", "Bas", "", "Basic", "Bearer YTpi"] {
            assert_eq!(credentials(other.as_bytes(), "Basic"), None, "{other}");
        }
    }
}
