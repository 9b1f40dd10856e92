//! What a server is asked for: which file, in which way, and what must come back.

use std::path::PathBuf;

use crate::site::HELLO;

/// One kind of request, and the answer it must have.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the row says was asked for, where a scenario asks for several things.
    pub label: &'static str,
    /// The file asked for; `None` stands for the 13 bytes that every server knows.
    pub file: Option<&'static str>,
    /// What the file holds.
    pub content: Content,
    /// In which way it is asked for.
    pub ask: Ask,
    /// The length of the answer's body; where only the server knows it, that of the null servers' answer.
    pub body_bytes: u64,
    /// Requests sent at once: the null servers answer as many with one constant.
    pub depth: u32,
    /// The folder that is served, if it is not the site's own.
    pub root: Option<PathBuf>,
    /// Whether the servers that write a log or keep metrics take part, each beside itself without.
    pub observed: bool,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// So many bytes, written.
    Filled(u64),
    /// So many bytes, none of them on the disk.
    Sparse(u64),
    /// So many bytes of words, which compress as prose does.
    Prose(u64),
}

/// In which way a file is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ask {
    /// All of it.
    Whole,
    /// Only if it is not what the ETag of a first response says (RFC 9110, 13.1.2). The answer is 304.
    IfNoneMatch,
    /// These bytes, both ends included (RFC 9110, 14.1.2). The answer is 206.
    Range(u64, u64),
    /// In a compressed form, if there is one.
    Compressed,
}

impl Work {
    /// The 13 bytes, asked for `depth` at once.
    pub fn hello(depth: u32) -> Work {
        Work {
            label: "13 bytes",
            file: None,
            content: Content::Filled(HELLO.len() as u64),
            ask: Ask::Whole,
            body_bytes: HELLO.len() as u64,
            depth,
            root: None,
            observed: false,
        }
    }

    /// A whole file of so many KiB.
    pub fn file(label: &'static str, file: &'static str, kibibytes: u64) -> Work {
        let bytes = kibibytes * 1024;
        let content = Content::Filled(bytes);
        Work { label, file: Some(file), content, body_bytes: bytes, ..Work::hello(1) }
    }

    /// The same file, asked for in another way.
    pub fn asked(self, label: &'static str, ask: Ask, body_bytes: u64) -> Work {
        Work { label, ask, body_bytes, ..self }
    }

    /// Whether the null servers' one constant answers it: they look at nothing, so they know no ranges.
    pub fn suits_null(&self) -> bool {
        matches!(self.ask, Ask::Whole | Ask::Compressed)
    }

    /// For a table: what is asked for, and in which way.
    pub fn describe(&self) -> String {
        let bytes = match self.content {
            Content::Filled(bytes) => format!("{bytes} bytes"),
            Content::Sparse(bytes) => format!("{} GiB, sparse", bytes >> 30),
            Content::Prose(bytes) => format!("{bytes} bytes of prose"),
        };
        let what = if self.file.is_some() { "file" } else { "body" };
        let way = match self.ask {
            Ask::Whole => String::new(),
            Ask::IfNoneMatch => ", asked for if its ETag is another".to_owned(),
            Ask::Range(first, last) => format!(", of which bytes {first}-{last}"),
            Ask::Compressed => ", asked for with `Accept-Encoding: br, gzip`".to_owned(),
        };
        format!("a {what} of {bytes}{way}")
    }
}
