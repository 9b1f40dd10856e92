//! The value of `Server-Timing` (W3C Server Timing, 4): members `name;dur=1.234;desc="..."`.

use std::io::Write;
use std::time::Duration;

/// Adds a member. Its name becomes a token: what no token has in it is a hyphen there (RFC 9110, 5.6.2).
pub(super) fn push(text: &mut Vec<u8>, name: &str, description: &str, duration: Duration) {
    if !text.is_empty() {
        text.extend_from_slice(b", ");
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    text.extend(name.bytes().map(|byte| if fits(byte) { byte } else { b'-' }));
    if name.is_empty() {
        text.push(b'-');
    }
    let microseconds = duration.as_micros();
    write!(text, ";dur={}.{:03}", microseconds / 1000, microseconds % 1000)
        .expect("memory takes all that is written");
    if !description.is_empty() {
        text.extend_from_slice(b";desc=\"");
        for byte in description.bytes().map(|byte| if (b' '..=b'~').contains(&byte) { byte } else { b'?' }) {
            if matches!(byte, b'"' | b'\\') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_as_the_standard_has_them_whatever_they_are_called() {
        let mut text = Vec::new();
        push(&mut text, "total", "", Duration::from_micros(1_234_567));
        push(&mut text, "db query", "the \"big\" one\n\u{e9}", Duration::from_micros(53_001));
        push(&mut text, "", "", Duration::from_nanos(999));
        assert_eq!(
            text.escape_ascii().to_string().replace('\\', ""),
            "total;dur=1234.567, db-query;dur=53.001;desc=\"the \"big\" one???\", -;dur=0.000"
        );
        assert!(text.windows(2).any(|pair| pair == b"\\\""), "quotes are escaped");
    }
}
