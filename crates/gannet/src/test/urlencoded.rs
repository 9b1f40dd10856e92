//! `application/x-www-form-urlencoded` (URL Standard, 5.2), for queries and forms.

use std::fmt::Display;

/// Pairs, as they are sent.
pub(super) fn encoded<N: AsRef<str>, V: Display>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let pair = |(name, value): (N, V)| format!("{}={}", escaped(name.as_ref()), escaped(&value.to_string()));
    pairs.into_iter().map(pair).collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'*' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                escaped.push(byte.into());
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_form_is_escaped() {
        assert_eq!(encoded([("a b", "1&2=3"), ("ä", "+%")]), "a+b=1%262%3D3&%C3%A4=%2B%25");
        assert_eq!(encoded([("n", 7)]), "n=7");
    }
}
