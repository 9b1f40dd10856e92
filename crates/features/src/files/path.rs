//! From the path of a request to a name below the root.

/// The name that a percent-encoded path means: any bytes, as file systems have it. A directory's ends with a slash or is empty.
///
/// Nothing when the path means no file that may be served: it holds an empty segment, `.` or `..`, a hidden name (but
/// for `.well-known`, RFC 8615), an encoded slash or NUL, or an incomplete escape. The kernel refuses to leave the root in any case; this
/// keeps one file from having many addresses, and hidden ones hidden.
///
/// It is the name that is hidden, not the file: whoever links to it by another name, as Kubernetes does in all its volumes, publishes it.
pub(super) fn resolve(path: &str) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(path.len());
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.is_empty() && is_last {
            break;
        }
        name.extend(decoded(segment).filter(|segment| may_be_served(segment))?);
        if !is_last {
            name.push(b'/');
        }
    }
    Some(name)
}

fn may_be_served(segment: &[u8]) -> bool {
    let hidden = segment.starts_with(b".") && segment != b".well-known";
    !segment.is_empty() && !hidden && !segment.iter().any(|byte| matches!(byte, b'/' | b'\0'))
}

/// Percent-decoding (RFC 3986, 2.1).
fn decoded(segment: &str) -> Option<Vec<u8>> {
    if !segment.contains('%') {
        return Some(segment.into());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let byte = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                rest = tail;
                hexadecimal(*high)? << 4 | hexadecimal(*low)?
            }
            (b'%', _) => return None,
            (other, _) => *other,
        };
        bytes.push(byte);
    }
    Some(bytes)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_keeps_a_directory_s_slash() {
        let text = |path| resolve(path).map(|name| String::from_utf8(name).unwrap());
        assert_eq!(text("").as_deref(), Some(""));
        assert_eq!(text("a/b.html").as_deref(), Some("a/b.html"));
        assert_eq!(text("a%20b/%C3%A4/").as_deref(), Some("a b/ä/"));
        assert_eq!(text("100%2525").as_deref(), Some("100%25"));
        assert_eq!(text(".well-known/x").as_deref(), Some(".well-known/x"));
    }

    #[test]
    fn a_name_may_hold_every_byte_but_a_slash_and_nul() {
        for byte in 1..=255 {
            let name = resolve(&format!("x%{byte:02x}"));
            assert_eq!(name, (byte != b'/').then(|| vec![b'x', byte]), "{byte}");
        }
    }

    #[test]
    fn hostile_and_hidden_paths_mean_nothing() {
        let paths = [
            "..",
            "../x",
            "a/../x",
            "a/..",
            "%2e%2e/x",
            "%2E%2E/x",
            ".%2e/x",
            ".",
            "a/./b",
            "%2e",
            "/x",
            "a//b",
            "a%2fb",
            "a%2F..%2Fb",
            "a%00",
            "a%00.html",
            "a%",
            "a%2",
            "a%zz",
            ".git/config",
            "a/.htaccess",
            "%2egit",
            "a/.well-known.x",
            "..%2f..%2fetc/passwd",
        ];
        for path in paths {
            assert_eq!(resolve(path), None, "{path}");
        }
    }
}
