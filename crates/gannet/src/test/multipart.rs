//! `multipart/form-data` (RFC 7578), as a browser's form sends it.

use gannet_core::Bytes;

/// What separates parts. It is in no part: there it would be a mistake of the test's.
const BOUNDARY: &str = "----gannet-test-client-7MA4YWxkTrZu0gW";

/// A form with files.
#[derive(Clone, Debug, Default)]
pub struct Multipart(Vec<u8>);

impl Multipart {
    /// A form without parts.
    pub fn new() -> Multipart {
        Multipart::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn text(self, name: &str, value: impl AsRef<str>) -> Multipart {
        let disposition = format!("form-data; name=\"{}\"", quoted(name));
        self.part(&format!("Content-Disposition: {disposition}\r\n"), value.as_ref().as_bytes())
    }

    /// Adds a file, of a name and a media type.
    #[must_use]
    pub fn file(
        self,
        name: &str,
        file_name: &str,
        content_type: &str,
        content: impl AsRef<[u8]>,
    ) -> Multipart {
        let disposition = format!("form-data; name=\"{}\"; filename=\"{}\"", quoted(name), quoted(file_name));
        let fields = format!("Content-Disposition: {disposition}\r\nContent-Type: {content_type}\r\n");
        self.part(&fields, content.as_ref())
    }

    /// Adds a part of these fields: lines, each with its CR LF.
    #[must_use]
    pub fn part(mut self, fields: &str, content: &[u8]) -> Multipart {
        self.0.extend_from_slice(format!("--{BOUNDARY}\r\n{fields}\r\n").as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(super) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// All of it, ended.
    pub(super) fn into_bytes(mut self) -> Bytes {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0.into()
    }
}

/// As browsers write a name between quotes (HTML Standard, "multipart/form-data encoding algorithm").
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_separated_and_the_last_one_is_ended() {
        let form = Multipart::new().text("a\"b", "1").file("f", "x.txt", "text/plain", "two");
        let text = String::from_utf8(form.into_bytes().to_vec()).expect("text");
        let parts: Vec<&str> = text.split(&format!("--{BOUNDARY}")).collect();
        assert_eq!(
            parts,
            [
                "",
                "\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\n1\r\n",
                "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\ntwo\r\n",
                "--\r\n"
            ]
        );
    }
}
