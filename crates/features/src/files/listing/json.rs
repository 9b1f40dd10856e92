//! A listing for programs.

use std::fmt::{self, Display, Formatter, Write};

use super::Directory;
use super::escape::Href;
use super::selection::Selection;
use super::units::Moment;
use gannet_core::{Entry, Kind};

/// The whole document.
pub(super) struct Document<'a> {
    pub(super) directory: Directory<'a>,
    pub(super) selection: &'a Selection,
}

impl Display for Document<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Selection { page, pages, entries, .. } = self.selection;
        write!(f, "{{\"path\":{},\"entries\":[", Text(self.directory.path))?;
        for (index, entry) in entries.iter().enumerate() {
            f.write_str(if index > 0 { ",\n" } else { "\n" })?;
            member(entry, f)?;
        }
        let (total, truncated) = (self.selection.total(), self.directory.truncated);
        writeln!(f, "\n],\"page\":{page},\"pages\":{pages},\"total\":{total},\"truncated\":{truncated}}}")
    }
}

fn member(entry: &Entry, f: &mut Formatter<'_>) -> fmt::Result {
    let name = String::from_utf8_lossy(&entry.name);
    write!(f, "{{\"name\":{},\"href\":\"{}", Text(&name), Href(&entry.name))?;
    match entry.kind {
        Kind::Directory => f.write_str("/\",\"type\":\"directory\",\"size\":null")?,
        Kind::File => write!(f, "\",\"type\":\"file\",\"size\":{}", entry.length)?,
    }
    write!(f, ",\"modified\":\"{}\"}}", Moment::from(entry.modified))
}

/// A string (RFC 8259, 7). `<` is escaped too, so that no program that puts the document into a page can be harmed.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\0'..='\x1f' | '\x7f' | '<' | '\u{2028}' | '\u{2029}' => {
                    write!(f, "\\u{:04x}", u32::from(character))?;
                }
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_string_reads_back_as_it_was(text in "[\\PC\u{0}-\u{1f}\"\\\\<\u{2028}]{0,80}") {
            let written = Text(&text).to_string();
            prop_assert!(!written.contains('<') && !written.contains(char::is_control), "{}", written);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
