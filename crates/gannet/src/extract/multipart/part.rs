//! One part of a form.

use std::path::PathBuf;

use gannet_core::{Bytes, Place, Rejection, Status};

use super::super::media_type::parameter;
use super::{Multipart, malformed, save};

/// A part of a [`Multipart`] form: what was filled in, or a file.
pub struct Part<'f> {
    form: &'f mut Multipart,
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
}

/// The longest name that [`Part::safe_file_name`] gives; file systems take 255 bytes.
const NAME_BYTES: usize = 200;

impl<'f> Part<'f> {
    /// The part of this head.
    pub(super) fn new(head: &[u8], form: &'f mut Multipart) -> Result<Part<'f>, Rejection> {
        let Ok(head) = std::str::from_utf8(head) else {
            return Err(malformed("has a part whose head is not UTF-8"));
        };
        let field = |wanted: &str| {
            let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
            fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim()).next()
        };
        let disposition = field("Content-Disposition").unwrap_or_default();
        let kind = disposition.split(';').next().unwrap_or_default().trim();
        let Some(name) = parameter(disposition, "name").filter(|_| kind.eq_ignore_ascii_case("form-data"))
        else {
            return Err(malformed(
                "has a part without a name (Content-Disposition: form-data; name=\"...\")",
            ));
        };
        let file_name = parameter(disposition, "filename");
        let content_type = field("Content-Type").map(str::to_owned);
        Ok(Part { form, name, file_name, content_type })
    }

    /// What the form's field is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a file, if only an empty one: a field of files into which nothing was put is sent as one without a name.
    pub fn is_file(&self) -> bool {
        self.file_name.is_some()
    }

    /// What the file is called at the client, which may say anything: a path, a name that means something here. See
    /// [`safe_file_name`](Part::safe_file_name).
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The last part of the file's name, without dots before it and control characters, and not longer than 200 bytes: so it names something in
    /// the folder that it is put into. `None` where nothing is left.
    pub fn safe_file_name(&self) -> Option<String> {
        safe(self.file_name.as_deref()?)
    }

    /// The media type that the client says; where it says none it is text (RFC 7578, 4.4).
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The next piece; `None` at the part's end.
    ///
    /// # Errors
    /// 400 where the body is malformed or ends before its end, 413 where it is longer than may be.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Rejection> {
        self.form.content().await
    }

    /// All that has not been read of it.
    ///
    /// # Errors
    /// 413 where that is more than [`MultipartLimits::part_bytes`](super::MultipartLimits::part_bytes); otherwise as [`next`](Part::next).
    pub async fn bytes(&mut self) -> Result<Vec<u8>, Rejection> {
        let most = self.form.limits.part_bytes;
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            if piece.len() > most - whole.len() {
                return Err(Rejection::new(Status::CONTENT_TOO_LARGE, "a part of the form is too long")
                    .with_error(Place::field(self.name.clone()), format!("is longer than {most} bytes")));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// The same as text.
    ///
    /// # Errors
    /// 400 where it is no UTF-8; otherwise as [`bytes`](Part::bytes).
    pub async fn text(&mut self) -> Result<String, Rejection> {
        String::from_utf8(self.bytes().await?).map_err(|error| {
            let at = error.utf8_error().valid_up_to() + 1;
            Rejection::new(Status::BAD_REQUEST, "a part of the form is not text")
                .with_error(Place::field(self.name.clone()), format!("is not UTF-8 from byte {at} on"))
        })
    }

    /// Writes all that has not been read of it into a new file, and gives its length in bytes. Other threads wait for the disk, at most 512 KiB of
    /// the part are in memory, and it may be as long as the whole body.
    ///
    /// A file that was not completed is removed: also when the client leaves, and the handler is dropped. It is not waited for until the disk has it
    /// (fsync(2)).
    ///
    /// # Errors
    /// 409 where there is such a file already, 500 where it cannot be written, which the log explains, 503 where too much waits for the disk;
    /// otherwise as [`next`](Part::next).
    pub async fn save_to(&mut self, path: impl Into<PathBuf>) -> Result<u64, Rejection> {
        let disk = self.form.disk.clone();
        save::save(self, &*disk, path.into()).await
    }
}

fn safe(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|character| !character.is_control()).collect();
    let kept = kept.trim().trim_start_matches('.').trim_start();
    let kept = &kept[..kept.floor_char_boundary(NAME_BYTES)];
    (!kept.is_empty()).then(|| kept.to_owned())
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn a_safe_name_is_one_in_the_folder_that_it_is_put_into() {
        for (name, expected) in [
            ("a.txt", Some("a.txt")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\dir\\a b.txt", Some("a b.txt")),
            (".htaccess", Some("htaccess")),
            ("a\0\r\n.txt", Some("a.txt")),
            (" caf\u{e9} ", Some("caf\u{e9}")),
            ("..", None),
            ("a/", None),
            ("", None),
        ] {
            assert_eq!(safe(name).as_deref(), expected, "{name:?}");
        }
        assert_eq!(safe(&"\u{e9}".repeat(300)).map(|name| name.len()), Some(200));
    }
}
